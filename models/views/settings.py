"""The settings of a second view; standard library only, because configs are checked before torch is imported."""

from __future__ import annotations

from dataclasses import dataclass

from models.settings import limited

NONE, CODES = "none", "codes"  # the views
TEXT, BOTH = "text", "both"  # what the classifier reads; CODES alone, too
DCCA, DISTIL = "dcca", "distil"  # how the text encoder learns from the codes; BOTH, one after the other, too
ANCESTORS, TREE_CONVOLUTION = "ancestors", "gcn"  # the code encoders


@dataclass
class ViewSettings:
    """What the text encoder learns from codes before the task's own training; conf/view/ explains each field."""

    name: str = limited(NONE, choices=(NONE, CODES))
    description: str = ""
    method: str = limited(DCCA, choices=(DCCA, DISTIL, BOTH))
    encoder: str = limited(ANCESTORS, choices=(ANCESTORS, TREE_CONVOLUTION))
    width: int = limited(32, low=1, high=8192)  # of both encoders' outputs that are correlated
    k: int = limited(20, low=1, high=8192)  # dimensions that are correlated, at most `width`
    ridge: float = limited(1e-4, low=0.0, high=1.0)  # relative to the mean variance of a view
    epochs: float = limited(40.0, above=0.0, high=100000.0)
    lr: float = limited(0.003, above=0.0, high=100.0)
    batch_size: int = limited(1024, low=1)
    shuffle: bool = False  # give each row the codes of another: a control, which must gain nothing
    reads: str = limited(TEXT, choices=(TEXT, CODES, BOTH))  # codes, both: bounds that cannot be deployed


ROWS_PER_DIMENSION = 8  # of a batch: with fewer, independent views seem to correlate (tests/models/views)


def smallest_batch(width: int) -> int:
    """Return the fewest rows whose correlation says something about views of this width."""
    return ROWS_PER_DIMENSION * width


def contradictions(view: ViewSettings) -> list[str]:
    """Return what contradicts itself, each with a cure."""
    if view.name == NONE or view.method == DISTIL:
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
