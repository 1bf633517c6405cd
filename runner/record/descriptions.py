"""Sentences and tables about a run: its labels, the scores of each class, a model that gives one answer to everything.

Class names are from outside: whoever prints a sentence escapes it. Nothing heavy is imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from runner.record.calibration import FURTHER_SCORES, SHOWN_SCORES
from runner.record.record import RunRecord
from runner.sanitize import escape, short
from runner.statistics.score_table import OF_ONE_CLASS
from runner.tasks import find_task

if TYPE_CHECKING:
    from rich.table import Table


MOST_ROWS = 10  # classes in a table
DETAILS = (  # scores that a run's table leaves out
    "precision", "recall", "precision_micro", "recall_micro", "f1_macro_all", "f1_weighted", "f1_samples", "lrap",
    "hamming_loss",
)  # fmt: skip
VARIANTS = tuple(f"f1_{mean}_{ending}" for mean in ("micro", "macro") for ending in ("at_half", "tuned"))
AT_SELECTION = (  # of the selection split
    *DETAILS, *VARIANTS, "candidate_recall", "ties", "balanced_accuracy", "f1_macro", "map_labels",
)  # fmt: skip
HIDDEN = ("_low", "_high", "_difference_p", "/loss", "/examples", "/queries", "/constant_predictions")
CLASS_COLUMNS = ("support", "predicted", "precision", "recall", "f1")


def constant_answers(record: RunRecord) -> Iterator[str]:
    """A sentence for every split whose rows all got the same answer, and the task's remarks on each split."""
    known = find_task(record.data.task)
    for split in record.data.rows:
        yield from known.remarks(split, record.metrics) if known else []
        if not record.metrics.get(f"{split}/constant_predictions"):
            continue
        report = record.reports.get(split)
        counted = zip(report.classes, report.predicted) if report and not (known and known.has_label_sets) else ()
        if answer := next((name for name, count in counted if count), None):
            yield f"the model answers {short(answer)!r} to every row of {split}"
        elif known:
            yield known.constant_sentence(split)
        else:
            yield f"the model gives every row of {split} the same answer"


def is_shown(record: RunRecord, name: str) -> bool:
    """Does a score belong in the run's table? Those named in data.metrics do, and others with short names."""
    split, _, score = name.partition("/")
    if score in record.scores:
        return True
    is_selection = [split] == list(record.data.rows)[1:2]
    if score in FURTHER_SCORES or (is_selection and score in SHOWN_SCORES):
        return False
    return not name.endswith(HIDDEN) and score not in (AT_SELECTION if is_selection else DETAILS)


def score_label(record: RunRecord, name: str) -> str:
    """Return a score's name, with its class if it is about one."""
    names = record.data.labels
    if name.partition("/")[2] not in OF_ONE_CLASS or len(names) != 2:
        return name
    return f"{name} ({short(record.data.positive_name or names[1])})"


def class_table(record: RunRecord) -> Table | None:
    """Return the scores of each class of the headline split, the most frequent first.

    None for a run without classes.
    """
    split = record.data.primary.split("/")[0]
    report = record.reports.get(split)
    if report is None:
        return None
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=f"classes of {split}", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("class")
    for column in CLASS_COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    columns = report.classes, report.support, report.predicted, report.precision, report.recall, report.f1
    rows = sorted(zip(*columns), key=lambda row: -row[1])
    for name, support, predicted, *shares in rows[:MOST_ROWS]:
        table.add_row(escape(short(name)), f"{support:,}", f"{predicted:,}", *(f"{share:.4f}" for share in shares))
    if len(rows) > MOST_ROWS:
        table.caption = f"and {len(rows) - MOST_ROWS:,} more in record.json"
    return table
