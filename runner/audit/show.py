"""An audit as lines of text, at most 80 columns wide."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size

from data.counted import counted
from data.quoting import listed
from runner.audit.facts import Audit, ClassFacts, LengthFacts, NearExample, NearFacts, Source
from runner.sanitize import visible

WIDTH = 80
WORDS = {  # by the unit of labels: several of them, and one as the title of a column
    "rows": ("classes", "class"), "words": ("tags", "tag of words"), "sets": ("labels", "label"),
}  # fmt: skip
MOST_CLASSES, MOST_TAIL = 12, 3  # classes in the table; of more the largest, and so many of the smallest
LABEL_WIDTH, LAST_WIDTH = 24, 16
EXAMPLE_WIDTH = 72
SAME_SHOWN = 25  # letters of near repeats that are shown before their first difference
SCRIPT_SHARE = 0.005  # of the letters, below which a script is not named


def show_audit(audit: Audit) -> Iterator[str]:
    """Yield the lines, without control characters."""
    for line in _lines(audit):
        yield visible(line)


def _lines(audit: Audit) -> Iterator[str]:
    yield f"data={audit.data}"
    for part in (_sources, _task, _labels, _lengths, _repeats, _near, _advice):
        yield ""
        yield from part(audit)


def _sources(audit: Audit) -> Iterator[str]:
    for source in audit.sources:
        size = "" if source.bytes is None else f", {_size(source.bytes)}"
        yield from _wrapped(f"{source.split}: {source.where}{size}")
    for source in audit.sources[:1]:
        yield from _columns(source)
    rows = ", ".join(f"{name} {count:,}" for name, count in audit.splits.items())
    yield from _wrapped(f"rows: {rows}")
    for what, count in audit.dropped.items():
        yield from _wrapped(f"left out: {counted(count, 'row')} ({what})")
    for note in audit.notes:
        yield from _wrapped(f"note: {note}")


def _columns(source: Source) -> Iterator[str]:
    used = ", ".join(f"{column} (data.{key})" for key, column in source.columns.items())
    unused = f"; not used: {listed(source.unused)}" if source.unused else ""
    if used or unused:
        yield from _wrapped(f"columns: {used}{unused}")


def _task(audit: Audit) -> Iterator[str]:
    task, classes = audit.task, len(audit.labels.classes)
    what = f", {classes} {WORDS[audit.labels.unit][0]}" if classes and audit.labels.unit in WORDS else ""
    yield from _wrapped(f"task: {task.name} of {'pairs' if task.is_pair else audit.unit}{what}; {task.why}")
    cut = ", cut off train" if task.is_cut else ""
    yield from _wrapped(f"{task.metrics[0]} on {task.selects} selects{cut}; reported on {', '.join(task.reported)}")


def _labels(audit: Audit) -> Iterator[str]:
    labels = audit.labels
    if labels.numbers:
        for split, of in labels.numbers.items():
            yield from _wrapped(
                f"labels of {split}: mean {of['mean']:.4g}, sd {of['sd']:.4g}, {of['min']:.4g} to {of['max']:.4g}, "
                f"{of['distinct']:,.0f} different"
            )
        return
    if not labels.classes:
        yield "labels: none"
        return
    widths = _widths([*labels.classes[0].counts])
    yield _row(WORDS.get(labels.unit, ("", labels.unit))[1], [*labels.classes[0].counts], "share of train", widths)
    total = max(1, sum(found.counts["train"] for found in labels.classes))
    if of_train := labels.sets.get("train"):
        total = max(1, round(total / max(of_train["mean"], 1e-9)))  # rows, which may have several labels
    first, last = _shown(labels.classes)
    for found in first:
        yield _class(found, total, widths)
    if last:
        hidden = len(labels.classes) - len(first) - len(last)
        yield f"  ... {hidden:,} more"
    for found in last:
        yield _class(found, total, widths)
    largest, smallest = (labels.classes[place].counts["train"] for place in (0, -1))
    if len(labels.classes) > 1:
        ratio = f"{largest / smallest:,.1f} to 1" if smallest else "no row of the smallest class in train"
        yield from _wrapped(f"largest to smallest: {ratio}")
    for split, of in labels.sets.items():
        yield from _wrapped(
            f"sets of {split}: {of['mean']:.2f} labels a row, at most {of['max']:.0f}; {of['empty']:.1%} have none"
        )
    for split, share in labels.majority.items():
        if split in audit.task.reported and labels.unit in WORDS:
            yield from _wrapped(
                f"majority class '{_fitted(labels.classes[0].name, LABEL_WIDTH)}': {share:.1%} of {split}"
            )


def _shown(classes: Sequence[ClassFacts]) -> tuple[Sequence[ClassFacts], Sequence[ClassFacts]]:
    """Return the classes at the beginning of the table, and at its end."""
    if len(classes) <= MOST_CLASSES:
        return classes, ()
    return classes[: MOST_CLASSES - MOST_TAIL - 1], classes[-MOST_TAIL:]


def _class(found: ClassFacts, total: int, widths: Sequence[int]) -> str:
    share = found.counts["train"] / total
    return _row(f"  {found.name}", [f"{count:,}" for count in found.counts.values()], f"{share:.1%}", widths)


def _widths(titles: Sequence[str]) -> list[int]:
    """Return the widths of columns of numbers: those of their titles, where all then fit the screen."""
    least = 10 if len(titles) <= 3 else 7
    wide = [max(least, len(title) + 1) for title in titles]
    return wide if LABEL_WIDTH + sum(wide) + LAST_WIDTH <= WIDTH else [least] * len(titles)


def _row(name: str, cells: Sequence[str], last: str, widths: Sequence[int] = ()) -> str:
    """Return a row of a table: a name of at most LABEL_WIDTH, then numbers."""
    shown = _fitted(name.replace("\n", " "), LABEL_WIDTH)
    wide = widths or _widths([""] * len(cells))
    padded = (f"{cell:>{width}}" if len(cell) < width else f" {cell}" for cell, width in zip(cells, wide))  # or apart
    return f"{set_cell_size(shown, LABEL_WIDTH)}{''.join(padded)}{last:>{LAST_WIDTH}}"


def _lengths(audit: Audit) -> Iterator[str]:
    tokenizer = audit.tokenizer
    if all(found.seconds for found in audit.lengths.values()):
        yield from _seconds(audit)
        return
    is_cut = any(found.cut is not None for found in audit.lengths.values())
    yield _row("length (half, 95 %, max)", ["words", "tokens"], f"over {tokenizer.max_length}" if is_cut else "")
    for split, found in audit.lengths.items():
        yield _length(split, found, audit.splits[split])
    yield from _wrapped(f"tokens of {tokenizer.name}: {tokenizer.why}")
    fit = []
    if tokenizer.unknown is not None:
        fit.append(f"{tokenizer.unknown:.2%} of the tokens are unknown")
    if tokenizer.tokens_per_word is not None:
        fit.append(f"{tokenizer.tokens_per_word:.2f} tokens a word")
    scripts = [f"{name.lower()} {share:.0%}" for name, share in tokenizer.scripts.items() if share >= SCRIPT_SHARE]
    fit.append(f"letters: {', '.join(scripts[:5]) or 'none'}")
    yield from _wrapped("; ".join(fit))


def _seconds(audit: Audit) -> Iterator[str]:
    """Yield the lengths of sounds."""
    yield _row("length (half, 95 %, max)", ["seconds"], "cut")
    for split, found in audit.lengths.items():
        if spread := found.seconds:
            cut = "-" if found.cut is None else f"{found.cut:.1%}"
            yield _row(f"  {split}", [f"{spread.p50:.1f} {spread.p95:.1f} {spread.max:.1f}"], cut)
    yield from _wrapped(f"{audit.tokenizer.name}: {audit.tokenizer.why}")


def _length(split: str, found: LengthFacts, rows: int) -> str:
    words, tokens = (
        "-" if spread is None else f"{spread.p50:.0f} {spread.p95:.0f} {spread.max:.0f}"
        for spread in (found.words, found.tokens)
    )
    seen = "" if found.rows == rows else f" ({found.rows:,} rows)"
    cut = "-" if found.cut is None else f"{found.cut:.1%}"
    return f"  {split + seen:<22}{words:>10} {tokens:>14}{cut:>11}"


def _repeats(audit: Audit) -> Iterator[str]:
    one, is_text = audit.unit.removesuffix("s"), audit.unit == Audit.unit
    equal = "equal up to case, white space and punctuation" if is_text else "equal samples, whatever their files"
    yield f"repeated {audit.unit} ({equal})"
    for split, found in audit.repeats.items():
        way = "letter by letter" if is_text else "with equal files"
        exact = f", {found.exact:,} {way}" if found.repeated else ""
        yield from _wrapped(f"{split}: {found.repeated:,} of {found.rows:,} rows repeat an earlier one{exact}")
        if found.contradicting:
            ceiling, blind = found.ceiling, " that ignores case, white space and punctuation" if is_text else ""
            most = "" if ceiling is None else f"; no model{blind} is right for more than {ceiling:.2%}"
            yield from _wrapped(
                f"{split}: {_rows(found.contradicting)} a {one} that has another label in another row{most}", "    "
            )
    for leak in audit.leaks:
        if leak.rows:
            other = f", {leak.other_label:,} with another label" if leak.other_label else ""
            pairs = ", ".join(f"{row} = {first}" for row, first in leak.examples[:3])
            more = ", ..." if leak.rows > 3 else ""
            yield from _wrapped(
                f"leak: {_rows(leak.rows, leak.split)} a {one} of {leak.inside}{other} (rows {pairs}{more})"
            )
    if not any(leak.rows for leak in audit.leaks):
        yield from _wrapped(f"no {one} is in two splits")


def _near(audit: Audit) -> Iterator[str]:
    near = audit.near
    if not near.looked_at:
        yield "near-duplicates: searched only in texts"
        return
    total = sum(near.looked_at.values())
    how = "all" if near.is_whole else f"{total:,} drawn, seed 0, against {near.compared_with:,}; all: near=true"
    yield from _wrapped(f"near-duplicates (70 % equal character 5-grams; {how})", first="")
    for split, looked_at in near.looked_at.items():
        if looked_at:
            yield from _wrapped(f"{split}: {_near_counts(near, split)}")
    for example in near.examples:
        yield from _wrapped(f"{example.similarity:.2f}  {example.splits[0]} {example.rows[0]} and "
                            f"{example.splits[1]} {example.rows[1]}")  # fmt: skip
        for line in _example(example):
            yield f"      {_fitted(line, EXAMPLE_WIDTH)}"


def _example(example: NearExample) -> Iterator[str]:
    """Yield the two texts from a little before their first difference on, with their labels."""
    texts = [" ".join(text.split()) for text in example.texts]
    same = sum(1 for _ in itertools.takewhile(lambda letters: letters[0] == letters[1], zip(*texts)))
    start = max(0, same - SAME_SHOWN)
    for text, label in zip(texts, example.labels):
        yield f"{label}{': ' if label else ''}{'...' if start else ''}{text[start:]}"


def _near_counts(near: NearFacts, split: str) -> str:
    looked_at, found = near.looked_at[split], near.near[split]
    parts = [f"{found:,} of {looked_at:,} texts have one ({found / looked_at:.1%})"]
    if split != "train" and found:
        parts.append(f"{near.in_train[split]:,} in train")
    if near.other_label[split]:
        parts.append(f"{near.other_label[split]:,} with another label")
    return ", ".join(parts)


def _advice(audit: Audit) -> Iterator[str]:
    yield "to start with"
    yield f"  {audit.advice.command}"
    for reason in audit.advice.reasons:
        yield from _wrapped(reason, "    ")
    if audit.advice.search:
        yield "the best model within a budget"
        yield f"  {audit.advice.search}"


def _wrapped(text: str, indent: str = "  ", first: str | None = None) -> list[str]:
    """Return the lines of a sentence within WIDTH; a word that is longer, such as a path, has a line of its own."""
    start = indent if first is None else first
    lines, line = list[str](), start
    for word in text.split():
        if line.strip() and cell_len(f"{line} {word}") > WIDTH:
            lines.append(line)
            line = f"{start}  "
        line += word if not line.strip() else f" {word}"
    return [*lines, line]


def _rows(count: int, split: str = "") -> str:
    """Return a count with its verb, such as "1 row of test has"."""
    of = f" of {split}" if split else ""
    return counted(count, f"row{of} has", f"rows{of} have")


def _fitted(text: str, width: int) -> str:
    """Return a text of at most so many columns on the screen."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 3).rstrip()}..."


def _size(count: int) -> str:
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} bytes"
