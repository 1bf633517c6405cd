"""The README.md of a folder with the word vectors of a run, for the program that opens it."""

from __future__ import annotations

from models.checkpoints.static_save import MODEL2VEC
from runner.deploy.hub.card import plain
from runner.record.portable_command import command_of
from runner.record.record import RunRecord
from runner.sanitize import code_span, visible

USES = {
    MODEL2VEC: """from model2vec import StaticModel

model = StaticModel.from_pretrained("this folder")
vectors = model.encode(["a text", "another"])""",
    "static-embedding": """from sentence_transformers import SentenceTransformer

model = SentenceTransformer("this folder", device="cpu")
vectors = model.encode(["a text", "another"])""",
}
ANSWERS = """
The last layer is in `classifier.safetensors`:

```python
from safetensors.numpy import load_file

layer = load_file("this folder/classifier.safetensors")
scores = vectors @ layer["weight"].T + layer["bias"]
```

"""


def vectors_card(record: RunRecord, form: str, width: int, why_no_head: str) -> str:
    """Markdown with the lines that open the folder; why_no_head: "" if the last layer lies beside the vectors."""
    tags = ["bertier", "model2vec" if form == MODEL2VEC else "sentence-transformers", "static-embeddings"]
    labels, longest = record.data.labels, record.setting("data.max_length")
    # As code, one by one: a label may have a comma.
    names = (
        f"Columns of `scores`: {', '.join(code_span(visible(label)) for label in labels)}."
        if labels
        else "`scores` is the answer."
    )
    head = f"{ANSWERS}{names}" if not why_no_head else f"\nThe last layer is not included. {why_no_head}.\n"
    return f"""---
library_name: {tags[1]}
tags: [{", ".join(tags)}]
---
# {plain(record.name)}

The mean of the vectors of a text's tokens, {width} numbers, as Bertier trained them. An empty text gets zeros.
Texts of more than {longest} tokens were cut there in training and are read whole here.

```python
{USES[form]}
```
{head}
Whole answers: `run predict {record.identity} "a text"`. Reproduce it: {code_span(command_of(record))}.
"""
