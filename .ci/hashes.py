#!/usr/bin/env python3
"""Write .ci/hashes.txt: the pins of constraints.txt with the sha256 of the file that pip takes for this platform.

python .ci/hashes.py       # after each change of constraints.txt, on the platform that CI runs on; asks the index
"""

import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
NOT_HASHED = ("torch==",)  # its CPU build has another name, and another file, on each index


def main() -> None:
    lines = (HERE.parent / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith(("#", *NOT_HASHED))]
    with tempfile.TemporaryDirectory() as folder:
        wanted, report = Path(folder, "pins.txt"), Path(folder, "report.json")
        wanted.write_text("\n".join(pins), encoding="utf-8")
        words = ["install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps", "--report", report, "-r", wanted]
        subprocess.run([sys.executable, "-m", "pip", *words], check=True)
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    hashed = sorted(
        f"{item['metadata']['name']}=={item['metadata']['version']} "
        f"--hash=sha256:{item['download_info']['archive_info']['hashes']['sha256']}"
        for item in found
    )
    made_for = f"CPython {sys.version_info.major}.{sys.version_info.minor}, {platform.system()} {platform.machine()}"
    head = f"# Made by .ci/hashes.py for {made_for}: the files of constraints.txt, all but torch's."
    (HERE / "hashes.txt").write_text("\n".join([head, *hashed]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
