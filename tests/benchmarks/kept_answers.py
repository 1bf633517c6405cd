"""Which reported rows a model answered rightly, kept in a file a model and data set, and the table of all such files.

Files may come from several calls and machines; what is tested is tested over all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from runner.record.json_files import read_json, write_json
from runner.statistics.paired import holm_p_values, mcnemar_p

MANY = 2000  # reported rows, from which on a single difference says something
WORST = -0.015  # of a single difference on so many rows
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Kept:
    """The answers of one model on one data set."""

    data: str
    arm: str  # which model it is of those compared: "ours" or a rival
    name: str  # for the table
    kb: float  # the cap that it was asked for
    right: str  # "1" or "0" for each reported row
    labels: str  # digest of the rows' labels, so that only the same rows are compared
    bytes_needed: float
    answer_us: float
    seconds: float  # of the whole arm
    settings: dict[str, object]  # minutes, threads, and what else tells how it was made

    @property
    def answers(self) -> np.ndarray:
        """(rows,) bool."""
        return np.frombuffer(self.right.encode(), dtype=np.uint8) == ord("1")

    @property
    def accuracy(self) -> float:
        return self.right.count("1") / len(self.right)

    @property
    def cell(self) -> str:
        """Accuracy and size, as the table has them."""
        return f"{self.accuracy:.3f} ({self.bytes_needed / 1000:,.0f} KB)"


def as_right(answers: Sequence[int], labels: Sequence[int]) -> str:
    """Return one character a row: is the answer the label?"""
    return "".join("1" if answer == label else "0" for answer, label in zip(answers, labels, strict=True))


def digest_of(labels: Sequence[int]) -> str:
    """Return what tells the labels of one list of rows from those of another."""
    return hashlib.sha256(" ".join(map(str, labels)).encode()).hexdigest()[:10]


def path_of(folder: Path, data: str, arm: str, kb: float) -> Path:
    """Return the file of a model on a data set."""
    return folder / f"{data}-{arm}-{kb:g}kb.json"


def keep(folder: Path, one: Kept) -> None:
    """Write the file of a model."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path_of(folder, one.data, one.arm, one.kb), asdict(one))


def read_kept(folder: Path) -> list[Kept]:
    """Return all that is kept in a folder."""
    found = [read_json(path) for path in sorted(folder.glob("*.json"))]
    return [Kept(**one) for one in found if one is not None and "right" in one]


@dataclass(frozen=True)
class Comparison:
    """Ours against the better rival on one data set."""

    ours: Kept
    rivals: tuple[Kept, ...]

    @property
    def better(self) -> Kept:
        return max(self.rivals, key=lambda one: one.accuracy)

    @property
    def difference(self) -> float:
        return self.ours.accuracy - self.better.accuracy

    @property
    def p(self) -> float:
        """McNemar's p-value."""
        mine, theirs = self.ours.answers, self.better.answers
        return mcnemar_p(int((mine & ~theirs).sum()), int((theirs & ~mine).sum()))


def comparisons(kept: Sequence[Kept], kb: float, rivals: Sequence[str]) -> Iterator[Comparison]:
    """Yield a comparison for each data set of which ours and all rivals are kept; ValueError for other rows."""
    for data in dict.fromkeys(one.data for one in kept):
        arms = {one.arm: one for one in kept if one.data == data and one.kb == kb}
        if not {"ours", *rivals} <= set(arms):
            continue
        if len({one.labels for one in arms.values()}) > 1:
            raise ValueError(f"{data}: its models answered different rows. Remove their files and run them again")
        yield Comparison(arms["ours"], tuple(arms[name] for name in rivals))


def table_of(found: Sequence[Comparison]) -> list[str]:
    """Return the lines of a Markdown table, one line a data set, and the sentences below it; Holm over all of them."""
    rivals = [one.name for one in found[0].rivals]
    lines = [f"| data, reported rows | {' | '.join(rivals)} | `run best` | its winner | against the better rival |"]
    lines.append(f"| --- | {'---: | ' * len(rivals)}---: | --- | --- |")
    adjusted = holm_p_values([one.p for one in found])
    for one, p in zip(found, adjusted):
        cells = [f"{one.ours.data}, {len(one.ours.right):,}", *(rival.cell for rival in one.rivals), one.ours.cell]
        cells += [one.ours.name, f"{100 * one.difference:+.1f} points, p {p:.3f} (alone {one.p:.3f})"]
        lines.append(f"| {' | '.join(cells)} |")
    mean = float(np.mean([one.difference for one in found]))
    ahead = [one.ours.data for one in found if one.difference > 0]
    surely = [one.ours.data for one, p in zip(found, adjusted) if one.difference > 0 and p < SIGNIFICANT]
    lines += ["", f"p: McNemar's test, Holm over {len(found)} data sets. Mean difference {100 * mean:+.2f} points."]
    lines.append(f"Ahead on {len(ahead)} ({', '.join(ahead) or 'none'}), significantly on {len(surely)}.")
    lines.append(f"Over the budget: {', '.join(over_budget(found)) or 'none'}.")
    lines.append(f"Behind: {'; '.join(behind(found)) or 'none'}.")
    return lines


def over_budget(found: Sequence[Comparison]) -> list[str]:
    """Return the data sets whose winner of ours is larger than was asked for."""
    return [one.ours.data for one in found if one.ours.bytes_needed > 1000 * one.ours.kb]


def behind(found: Sequence[Comparison]) -> list[str]:
    """Return where ours is significantly behind, or far behind on many rows."""
    adjusted = holm_p_values([one.p for one in found])
    surely = [
        f"{one.ours.data} significantly"
        for one, p in zip(found, adjusted)
        if one.difference < 0 and p < SIGNIFICANT
    ]  # fmt: skip
    far = [one for one in found if len(one.ours.right) >= MANY and one.difference < WORST]
    return surely + [f"{one.ours.data} by {-100 * one.difference:.1f} points" for one in far]
