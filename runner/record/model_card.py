"""The model card saved with every trained model: what it is, its scores, how to open it and how to reproduce it."""

from __future__ import annotations

from runner.record.baseline import MARK, MEANING, is_at_baseline
from runner.record.calibration import FILE
from runner.record.portable_command import command_of
from runner.record.record import RunRecord
from runner.record.thresholds import FILE as THRESHOLDS
from runner.sanitize import code_span
from runner.tasks import find_task


def model_card(record: RunRecord, auto_class: str, needs_import: bool = False) -> str:
    """Markdown for README.md of the model folder, from the run's record; auto_class: of transformers, to open it.

    needs_import: is the class not one of transformers, so that `bertier` must be imported first?
    """
    metrics, data = record.metrics, record.data
    low = f"\n{MARK[0].upper()}{MARK[1:]}: {MEANING}.\n" if is_at_baseline([metrics], data.primary) else ""
    rows = "\n".join(f"| {name} | {value:.4g} |" for name, value in sorted(metrics.items()))
    command = code_span(command_of(record))
    positive = data.positive
    note = f"\nF1, precision and recall are of the class {positive!r}.\n" if positive else ""
    return f"""---
library_name: transformers
tags: [bertier]
---
# {record.name}

Trained by Bertier on {code_span(str(data.name))} ({data.rows.get("train", 0):,} rows). Reproduce it with {command}.

Open it with `{auto_class}.from_pretrained(folder)`{opening(needs_import)}.{preparation(record)}{sounds(record)}
{low}
{probabilities(record)}{label_sets(record)}
| metric | value |
| --- | --- |
{rows}
{note}"""


def opening(needs_import: bool) -> str:
    """Return where the class of the model is defined, and what must be imported for it."""
    if needs_import:
        return " of transformers, after `import bertier`, which defines the class of\nthis model"
    return " of transformers, which defines the class of this\nmodel"


def preparation(record: RunRecord) -> str:
    """Return sentences, each after a space, on preprocessing of texts that transformers does not do; "" for none."""
    found = ""
    if record.setting("data.clean") == "tweets":
        found = " `run predict` reads links as HTTPURL and users as @USER; elsewhere they must be replaced beforehand."
    if record.setting("data.truncate") == "middle":
        longest = int(record.setting("data.max_length"))
        found += (
            f" Of more than {longest:,} tokens, `run predict` reads the first {longest - longest // 2:,} and the last "
            f"{longest // 2:,}; elsewhere those between must be removed beforehand."
        )
    return found


def sounds(record: RunRecord) -> str:
    """Markdown, after a blank, on the features that a model of sounds reads, and how they are made; "" for others."""
    if not record.setting("data.audio"):
        return ""
    rate, seconds, average = (record.setting(f"data.{key}") for key in ("rate", "seconds", "average_frames"))
    stack = record.setting("data.stack_frames") or 1  # older records have none
    features = str(record.setting("model.tokenizer"))
    of_bands = ", and their discrete cosine transform (DCT-II, 40 coefficients)" if features == "mfcc" else ""
    stacked = f", and {stack} of these one frame, the values of a feature side by side" if stack > 1 else ""
    length = f", cut to {seconds:g} s or filled up with silence" if seconds else ", as long as it is"
    return (
        f" Network and ONNX graph read features (`{features}`), not samples. A sound becomes one channel at {rate:,} Hz"
        f"{length}. Its features are log power in 64 mel bands of windows of 64 ms, one every 32 ms{of_bands}; each "
        f"{average} neighbouring frames become their mean{stacked}. A frame is scaled by the mean and the standard "
        "deviation of the training rows. All of it is in `sound.json`; `run predict` does it for a file."
    )


def has_label_sets(record: RunRecord) -> bool:
    """Does the model answer with a set of labels?"""
    task = find_task(record.data.task)
    return task is not None and task.has_label_sets


def label_sets(record: RunRecord) -> str:
    """Markdown on how a set of labels is decided; "" for other answers."""
    if not has_label_sets(record):
        return ""
    found, rule = record.thresholds, record.setting("data.threshold")
    known = f" ({found.describe()}; {THRESHOLDS})" if found and found.values else f" ({rule}, data.threshold)"
    return (
        "The score of a label is the sigmoid of its logit. The answer is every label whose score reaches its "
        f"threshold{known}.\n"
    )


def probabilities(record: RunRecord) -> str:
    """Markdown on what the shares of an answer mean; "" for answers that have none."""
    facts, split = record.calibration, record.data.primary.partition("/")[0]
    error, floor = (record.metrics.get(f"{split}/{name}") for name in ("ece", "ece_floor_95"))
    if facts is None or error is None or floor is None:
        return ""
    if not facts.is_calibrated:
        return f"Label scores are not probabilities: {facts.reason}. They are the softmax of the logits.\n"
    how = f"softmax(logits / {facts.temperature:.4g})" if not facts.weights else "softmax(weights * logits + shifts)"
    if facts.power != 1:
        how = (
            f"softmax(u * s ** {facts.power - 1:.4g}) of u = logits / {facts.temperature:.4g} and "
            "s = sqrt(2 * sum((u - mean(u)) ** 2))"
        )
    seen = "no miscalibration is visible" if error <= floor else f"they are off by about {error:.1g} on average"
    return (
        f"Probabilities are {how}, fitted on {facts.rows:,} rows of {facts.split} ({FILE}); "
        f"on {split} {seen} (ECE {error:.4f}, by chance alone up to {floor:.4f}).\n"
    )
