"""The settings of a second view; standard library only, because configs are checked before torch is imported."""

from __future__ import annotations

from dataclasses import dataclass

from models.settings import limited

NONE, CODES = "none", "codes"  # the views
TEXT, BOTH = "text", "both"  # what the classifier reads; CODES is possible, too
DCCA, DISTIL = "dcca", "distil"  # how the text encoder learns from the codes; BOTH: one after the other
ANCESTORS, TREE_CONVOLUTION = "ancestors", "gcn"  # the code encoders


@dataclass
class ViewSettings:
    """Settings for training a text encoder on codes before the task itself; conf/view/ explains each field."""

    name: str = limited(NONE, choices=(NONE, CODES), neutral=NONE)
    description: str = limited("", neutral="")
    method: str = limited(DISTIL, choices=(DCCA, DISTIL, BOTH), neutral=DISTIL)
    encoder: str = limited(ANCESTORS, choices=(ANCESTORS, TREE_CONVOLUTION), neutral=ANCESTORS)
    width: int = limited(32, low=1, high=8192, neutral=32)  # of both encoders' outputs
    k: int = limited(20, low=1, high=8192, neutral=20)  # dimensions to correlate, at most `width`
    ridge: float = limited(1e-4, low=0.0, high=1.0, neutral=1e-4)  # relative to a view's mean variance
    epochs: float = limited(40.0, above=0.0, high=100000.0, neutral=40.0)
    lr: float = limited(0.003, above=0.0, high=100.0, neutral=0.003)
    batch_size: int = limited(1024, low=1, neutral=1024)
    shuffle: bool = limited(False, neutral=False)  # give each row another row's codes: a control without gain
    reads: str = limited(TEXT, choices=(TEXT, CODES, BOTH), neutral=TEXT)  # codes, both: upper bounds, not deployed


ROWS_PER_DIMENSION = 8  # in a batch: with fewer, independent views seem to correlate (tests/models/views)


def smallest_batch(width: int) -> int:
    """Return the smallest number of rows for a meaningful correlation of views of this width."""
    return ROWS_PER_DIMENSION * width


def fewest_held_out(width: int) -> int:
    """Return the smallest number of held-out rows on which independent views of this width do not correlate fully."""
    return 2 * width  # the dimensions of both views together


def contradictions(view: ViewSettings) -> list[str]:
    """Return a message, with a fix, for each contradiction between the settings."""
    if view.name == NONE or view.method == DISTIL or view.reads != TEXT:
        return []
    found = []
    if view.k > view.width:
        found.append(f"view.k={view.k}: there are only view.width={view.width} dimensions. Try: view.k={view.width}")
    least = smallest_batch(view.width)
    if view.batch_size < least:
        found.append(
            f"view.batch_size={view.batch_size}: views of view.width={view.width} seem to correlate in so few rows "
            f"even if they are independent. Try: view.batch_size={least}"
        )
    return found
