"""`run export ID format=docker`: adds to a bundle what serves it in a container.

None of these files is needed for an answer: they are no part of `cost/bytes_deployed`, nor of a plain bundle.
"""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

FILES = ("server.py", "monitor.py", "Dockerfile")
IGNORED = "Dockerfile\n.dockerignore\n__pycache__\n*.md\n"  # files that the image does not need
USAGE = """\
## In a container

```
docker build -t model . && docker run --rm -p 127.0.0.1:8000:8000 --read-only --cap-drop ALL model
curl 127.0.0.1:8000/predict -d '{question}'
python server.py                 # the same server without a container
```

`GET /health` and `GET /metrics` (Prometheus) report status; every request has an id, in its header and the log.
"""


def add_server(part: Path, is_pair: bool) -> None:
    """Write the server, its Dockerfile and .dockerignore into a bundle, and how to use them into its README.md."""
    for name in FILES:
        shutil.copy2(Path(str(resources.files("runner.deploy.container"))) / name, part / name)
    (part / ".dockerignore").write_text(IGNORED, encoding="utf-8")
    question = '{"texts": ["a text"], "pairs": ["another"]}' if is_pair else '{"texts": ["a text"]}'
    page = part / "README.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n" + USAGE.format(question=question), encoding="utf-8")
