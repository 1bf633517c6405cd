"""Refuses settings of sets of labels that contradict each other or have no effect."""

from __future__ import annotations

from data.settings import THRESHOLDS, DataSettings

SETS = "multilabel"


def label_set_conflicts(data: DataSettings) -> list[str]:
    """Return one line for each impossible setting of sets of labels, with the cure."""
    found = _of_threshold(data.threshold)
    named = [
        *([f"data.labels=[{','.join(data.labels)}]"] if data.labels else []),
        *([f"data.label_separator={data.label_separator}"] if data.label_separator is not None else []),
    ]
    if len(named) > 1:
        found.append(f"{' '.join(named)}: labels are either in separate columns or in one cell. Leave one out")
    for given in named if data.task not in ("auto", SETS) else ():
        found.append(f"{given}: is for sets of labels, but data.task={data.task}. Try: data.task={SETS}")
    if data.label_separator == "":
        found.append("""data.label_separator= is empty. Try: 'data.label_separator=";"'""")
    if data.labels and data.source != "files":
        found.append(
            f"data.labels=[{','.join(data.labels)}]: is for your own files, not for data={data.name}. "
            "Try: data=files data.path=<a file with these columns>"
        )
    if len(data.labels) == 1:
        only = data.labels[0]
        found.append(f"data.labels=[{only}]: one label makes a binary classification. Try: data.label={only}")
    if repeated := sorted({name for name in data.labels if data.labels.count(name) > 1}):
        found.append(f"data.labels names {repeated[0]!r} twice. Leave one out")
    return found


def _of_threshold(given: str) -> list[str]:
    """Return the message for an invalid threshold."""
    try:
        is_good = given in THRESHOLDS or 0 < float(given) < 1
    except ValueError:
        is_good = False
    names = " | ".join(THRESHOLDS)
    cure = "Try: data.threshold=per_label"
    return [] if is_good else [f"data.threshold={given}: expected a number between 0 and 1, or {names}. {cure}"]
