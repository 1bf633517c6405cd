"""Names of metrics in MLflow, which sorts sections by name and shows a run's metrics in the order they were logged.

at_step/val_accuracy      the curves, in one section that comes first
test/accuracy             a dozen headline metrics, named as in the record
detail/speed/threads      all others
"""

from __future__ import annotations

from runner.record.metrics import is_split
from runner.record.record import RunRecord

AT_STEP, DETAIL = "at_step/", "detail/"
MOST = 12  # headline metrics of a run
MOST_SCORES = 3  # of the reported split
# Shown next to the scores: simple baselines, size, speed and training time.
COSTS = (
    "baseline/majority", "baseline/ngram", "cost/bytes_deployed", "cost/params", "speed/answer_us_p50",
    "speed/answers_per_s", "time/train_s",
)  # fmt: skip
CURVES_OF_TRAINING = ("train/loss", "train/lr", "train/grad_norm")


def headline_names(record: RunRecord) -> list[str]:
    """Return the headline metrics of a record, the primary score first."""
    data = record.data
    reported = data.primary.partition("/")[0]
    own = ("train", reported, (data.selection or "").split("/")[0], data.calibration)
    others = [split for split in data.rows if split not in own]
    names = [
        data.primary,
        *[f"{reported}/{score}" for score in record.scores[:MOST_SCORES]],
        *[f"{split}/{data.primary.partition('/')[2]}" for split in others],
        f"{reported}/ece",
        *([data.selection] if data.selection else []),
    ]
    there = [name for name in dict.fromkeys([*names, *COSTS]) if name in record.metrics]
    return there if len(there) <= MOST else [*there[: MOST - len(COSTS)], *(name for name in COSTS if name in there)]


def is_curve(name: str, record: RunRecord) -> bool:
    """Is it a metric to plot as a curve while a run trains?"""
    split, _, score = name.partition("/")
    of_a_split = is_split(split) and split != "train"
    wanted = ("loss", record.data.primary.partition("/")[2], *record.scores)
    return name in CURVES_OF_TRAINING or (of_a_split and score in wanted)


def curve_name(name: str) -> str:
    """Return the name of a curve: at_step/val_loss of val/loss, so that all are in one section."""
    return AT_STEP + name.replace("/", "_")


def allowed_name(name: str) -> str:
    """Return the name in a form that MLflow allows: ndcg_at_10 for ndcg@10."""
    return name.replace("@", "_at_")
