"""Stores which reported rows a model predicted correctly, in one file per model and data set; tables of such files.

Files may come from several calls and machines; significance tests use all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from runner.record.json_files import read_json, write_json
from runner.statistics.paired import holm_p_values, mcnemar_p

MANY = 2000  # least number of reported rows at which a single difference counts
WORST = -0.015  # lowest acceptable difference on so many rows
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Kept:
    """The answers of one model on one data set."""

    data: str
    arm: str  # which of the compared models: "ours" or a rival
    name: str  # for the table
    kb: float  # size limit in KB
    right: str  # "1" or "0" for each reported row
    labels: str  # digest of the rows' labels, so that only the same rows are compared
    bytes_needed: float
    answer_us: float
    seconds: float  # of training or search
    settings: dict[str, object]  # how it was made: minutes, threads, machine and more

    @property
    def answers(self) -> np.ndarray:
        """Whether each answer is correct, (rows,) bool."""
        return np.frombuffer(self.right.encode(), dtype=np.uint8) == ord("1")

    @property
    def accuracy(self) -> float:
        return self.right.count("1") / len(self.right)

    @property
    def cell(self) -> str:
        """Accuracy and size, formatted for the table."""
        return f"{self.accuracy:.3f} ({self.bytes_needed / 1000:,.0f} KB)"


def as_right(answers: Sequence[int], labels: Sequence[int]) -> str:
    """Return one character per row: 1 if the answer is the label, else 0."""
    return "".join("1" if answer == label else "0" for answer, label in zip(answers, labels, strict=True))


def digest_of(labels: Sequence[int]) -> str:
    """Return a digest of a list of labels."""
    return hashlib.sha256(" ".join(map(str, labels)).encode()).hexdigest()[:10]


def path_of(folder: Path, data: str, arm: str, kb: float) -> Path:
    """Return the path of a model's file for a data set."""
    return folder / f"{data}-{arm}-{kb:g}kb.json"


def keep(folder: Path, one: Kept) -> None:
    """Write the file of one model on one data set."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path_of(folder, one.data, one.arm, one.kb), asdict(one))


def read_kept(folder: Path) -> list[Kept]:
    """Return all results stored in a folder."""
    found = [read_json(path) for path in sorted(folder.glob("*.json"))]
    return [Kept(**one) for one in found if one is not None and "right" in one]


@dataclass(frozen=True)
class Comparison:
    """Our model against the better rival on one data set."""

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
    """Yield a comparison per data set with results of ours and all rivals; ValueError if their rows differ."""
    for data in dict.fromkeys(one.data for one in kept):
        arms = {one.arm: one for one in kept if one.data == data and one.kb == kb}
        if not {"ours", *rivals} <= set(arms):
            continue
        if len({one.labels for one in arms.values()}) > 1:
            raise ValueError(f"{data}: its models answered different rows. Remove their files and run them again")
        yield Comparison(arms["ours"], tuple(arms[name] for name in rivals))


def table_of(found: Sequence[Comparison]) -> list[str]:
    """Return a Markdown table, one row per data set, with a summary below it; p-values are Holm-corrected."""
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
    """Return the data sets on which our winner exceeds the size limit."""
    return [one.ours.data for one in found if one.ours.bytes_needed > 1000 * one.ours.kb]


def behind(found: Sequence[Comparison]) -> list[str]:
    """Return the data sets on which ours is significantly behind, or far behind on many rows."""
    adjusted = holm_p_values([one.p for one in found])
    surely = [
        f"{one.ours.data} significantly"
        for one, p in zip(found, adjusted)
        if one.difference < 0 and p < SIGNIFICANT
    ]  # fmt: skip
    far = [one for one in found if len(one.ours.right) >= MANY and one.difference < WORST]
    return surely + [f"{one.ours.data} by {-100 * one.difference:.1f} points" for one in far]
