"""The model card saved with every trained model: what it is, what it scored, how to open it and make it again."""

from __future__ import annotations

from runner.record.baseline import MARK, MEANING, is_at_baseline
from runner.record.record import RunRecord


def model_card(record: RunRecord, auto_class: str) -> str:
    """Markdown for README.md of the model folder, from the run's record; auto_class: of transformers, to open it."""
    metrics, data = record.metrics, record.data
    low = f"\n{MARK[0].upper()}{MARK[1:]}: {MEANING}.\n" if is_at_baseline([metrics], data.primary) else ""
    rows = "\n".join(f"| {name} | {value:.4g} |" for name, value in sorted(metrics.items()))
    command = " ".join(["run", *record.overrides])
    positive = data.positive
    note = f"\nF1, precision and recall are of the class {positive!r}.\n" if positive else ""
    return f"""---
library_name: transformers
tags: [bertier]
---
# {record.name}

Trained by Bertier on `{data.name}` ({data.rows.get("train", 0):,} rows). Make it again with `{command}`.

Open it with `{auto_class}.from_pretrained(folder)`; a model that is not a plain BERT
(`"model_type": "bertier"` in config.json) needs `import bertier` first.
{low}
| metric | value |
| --- | --- |
{rows}
{note}"""
