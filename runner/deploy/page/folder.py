"""The page of an encoder: a folder for a web server, with the graph, its tokenizer and code that answers in a browser.

Its packages are named in package.json with the versions and checksums in package-lock.json. `npm ci` in the folder
copies the three files that are needed into lib/; nothing else is ever fetched.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from tokenizers import Tokenizer

from runner.deploy.bundle.calibration import read_calibration
from runner.deploy.exported import ExportedModel
from runner.deploy.graph_facts import WINDOWS, WORDS, graph_facts
from runner.deploy.page.make import facts_of, filled, promise_words, source
from runner.deploy.page.words import words_of_page
from runner.errors import ConfigError
from runner.record.record import RunRecord

READER = (
    "calibration.js", "rejection.js", "label_sets.js", "reader.js", "wordpiece.js", "passages.js", "windows.js",
    "words.js", "encoder.js",
)  # fmt: skip
SCRIPTS = ("calibration.js", "place.js", "page.js", "open_encoder.js")  # of index.html
FACTS = "page.json"  # what reader.mjs must know of the model
PACKAGES = ("package.json", "package-lock.json", "install.mjs")
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'unsafe-inline'; "
    "connect-src 'self'; worker-src 'self' blob:"
)
NPM = ("npm", "ci", "--no-audit", "--no-fund")
USAGE = """\
# {name}

A page that answers texts in the browser, with `model.onnx`. To build it once and to open it:

```
npm ci
python -m http.server
```

`npm ci` copies ONNX Runtime and the tokenizer of Hugging Face, in the versions of `package-lock.json`, into `lib/`.
After that `node_modules/` may be removed, and the folder be put on any web server. Nothing is loaded from elsewhere.
"""


def add_page(part: Path, exported: ExportedModel, record: RunRecord, *, is_built: bool, note: str = "") -> None:
    """Add the page to a folder with a graph and its tokenizer. is_built: with the packages, by npm.

    note: a sentence about the model.

    Raises ConfigError for a model that no page can read, and where npm is missing or fails.
    """
    facts = graph_facts(part, exported, "page")
    known = read_calibration(exported.weights).facts
    if known:
        facts["calibration"] = known
    if WORDS in facts:
        facts[WORDS] = words_of_page(facts[WORDS])
    if "pieces" not in facts and WINDOWS in facts:
        raise ConfigError(
            f"format=page: a page marks the answer of run {exported.identity} in its text by the places of tokens, "
            "which it can find only for tokenizers like BERT's. "
            f"Try: run serve {exported.identity}, which has a page of its own, or format=bundle"
        )
    if "pieces" not in facts:
        facts["layouts"] = layouts_of(Tokenizer.from_file(str(part / "tokenizer.json")))
    written = {
        FACTS: json.dumps(facts, ensure_ascii=False) + "\n",
        "reader.mjs": "\n".join(map(source, READER)),
        "index.html": filled(
            record,
            facts=facts_of(record, exported.weights.stat().st_size)
            + promise_words(known)
            + (f" {note}" if note else ""),
            code="\n".join(map(source, SCRIPTS)),
            policy=POLICY,
            offline=False,
        ),
        "README.md": USAGE.format(name=exported.name),
    } | {name: source(name) for name in PACKAGES}
    for name, content in written.items():
        (part / name).write_text(content, encoding="utf-8")
    if is_built:
        build(part)


def layouts_of(tokenizer: Tokenizer) -> list[list[list[int | str]]]:
    """Return the places of special ids and of the texts A and B, for one text and for two.

    Each is a list [[id, "A" or "B", segment], ...].
    """
    tokenizer.no_truncation()
    tokenizer.no_padding()
    layouts: list[list[list[int | str]]] = []
    for texts in (("a",), ("a", "a")):
        encoding, layout = tokenizer.encode(*texts), []
        for token, text, segment in zip(encoding.ids, encoding.sequence_ids, encoding.type_ids):
            entry = [token if text is None else "AB"[text], segment]
            if text is None or entry not in layout:
                layout.append(entry)
        layouts.append(layout)
    return layouts


def build(folder: Path) -> None:
    """Fetch the packages of a page with npm and keep the files that it loads; raise ConfigError if that fails."""
    later = "Try: leave build= out, and run npm ci in the folder where npm works"
    try:
        done = subprocess.run(NPM, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ConfigError(f"build=true: npm cannot be started ({error.strerror}). {later}") from error
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        raise ConfigError(f"build=true: npm ci failed: {said[0].strip()}. {later}")
    shutil.rmtree(folder / "node_modules")
