"""errors.html: the mistakes of one run on one page, made of the blocks of runner/report/."""

from __future__ import annotations

from collections.abc import Sequence

from runner.mistakes.findings import ClassScores, Copies, Findings, Mistake, SuspectLabels, most_of
from runner.mistakes.out_of_fold import FOLDS
from runner.mistakes.run_data import Place
from runner.mistakes.sentences import summary
from runner.report.bars import Bar, bars
from runner.report.confusion import confusion
from runner.report.markup import Markup, join, tag
from runner.report.page import Section, folded, page
from runner.report.tables import Cell, Heading, table
from runner.statistics.intervals import wilson_interval
from runner.version import VERSION

LETTERS = 600  # of a text on the page
NEAR_LETTERS = 160  # of a training text beside it
MOST_SUSPECTS = 100
FEW = 12  # classes whose scores are drawn as bars too


def errors_page(found: Findings, reliability: Sequence[Section]) -> str:
    """Return the page. reliability: the section on the confidence of answers; [] if it is unknown."""
    lead = f"{found.rows - found.right:,} of {found.rows:,} rows of {found.split} are answered wrongly"
    sections = [
        Section("In short", tag("ul", *(tag("li", line) for line in summary(found))), "short"),
        _classes(found),
        Section("Confusion matrix", confusion([one.name for one in found.classes], found.counts), "confusion",
                ["Rows are labels, columns answers; the tint is the share of the row."]),
        *_slices(found),
        *reliability,
        _mistakes(found),
        _suspects(found.suspects, found.identity),
        *_copies(found),
    ]  # fmt: skip
    facts = f"run {found.identity}, accuracy {found.accuracy}. Bertier {VERSION}"
    return page(f"Errors of {found.title}", sections, lead=lead, facts=facts)


def _classes(found: Findings) -> Section:
    titles: list[Heading | str] = [
        "class", *(Heading(title, True) for title in ("rows", "answered", "recall", "precision", "F1")),
        "most often answered with",
    ]  # fmt: skip
    lines: list[list[Cell | str]] = [
        [one.name, Cell(f"{one.rows:,}", one.rows), Cell(f"{one.answered:,}", one.answered),
         Cell(one.recall, one.right / max(1, one.rows)), Cell(one.precision, one.right / max(1, one.answered)),
         Cell(f"{one.f1:.3f}", one.f1), most_of(one.taken_for)]
        for one in found.weakest
    ]  # fmt: skip
    drawn = [_recall_bar(one) for one in found.weakest[:FEW]]
    told = [
        "Lowest F1 first. Recall: the share of the rows of a class that is answered right; precision: the share of "
        "the answers that is right; both with Wilson 95 % intervals.",
        *(
            ["The bars are the recall of the weakest classes."]
            if len(found.weakest) > FEW
            else ["The bars are recall."]
        ),
    ]
    return Section("Classes", join([bars(drawn, most=1.0), table(titles, lines, is_sortable=True)]), "classes", told)


def _recall_bar(one: ClassScores) -> Bar:
    share = one.right / one.rows
    low, high = wilson_interval(share, one.rows)
    return Bar(one.name, share, f"{one.right:,} of {one.rows:,}", low, high)


def _slices(found: Findings) -> list[Section]:
    if not found.slices:
        return []
    titles: list[Heading | str] = [
        "slice", Heading("rows", True), Heading("right", True), Heading("the rest", True), "against the rest",
        Heading("Holm's p", True),
    ]  # fmt: skip
    lines: list[list[Cell | str]] = [
        [one.name, Cell(f"{one.rows:,}", one.rows), Cell(f"{one.share:.3f} [{one.low:.3f}, {one.high:.3f}]", one.share),
         Cell(f"{one.rest:.3f}", one.rest),
         Cell(one.in_words, one.in_words, "bad" if one.is_worse else "quiet" if "visible" in one.in_words else "good"),
         Cell(f"{one.p_holm:.2g}", one.p_holm)]
        for one in sorted(found.slices, key=lambda one: (not one.is_worse, one.p_holm))
    ]  # fmt: skip
    told = [
        "Fisher's exact test below 1,000 rows, chi-squared above, Holm's correction over all slices shown; at least 30 "
        "rows. A difference that is not visible may still be there. Slices overlap: one can be the reason for another."
    ]
    return [Section("Slices", table(titles, lines, is_sortable=True), "slices", told)]


def _mistakes(found: Findings) -> Section:
    word, has_text = found.confidence_word, found.no_texts is None
    has_near = has_text and found.no_train is None
    titles: list[Heading | str] = [
        *(["text"] if has_text else []), "label", "answer", Heading(word, True), Heading("row", True),
        *(["near rows of train"] if has_near else []),
    ]  # fmt: skip
    lines = [_mistake_line(one, has_text, has_near) for one in found.shown]
    told = [
        f"{len(found.shown):,} of {len(found.mistakes):,} mistakes, the most confident first; all are in errors.csv.",
        _of_rows(found),
        *([] if found.has_scores else ["The confidence of the answers is unknown: the run kept no logits."]),
    ]  # fmt: skip
    return Section("Most confident mistakes", table(titles, lines, is_sortable=True), "mistakes", told)


def _of_rows(found: Findings) -> str:
    """Explain the columns of rows and of near rows, or say why there are none."""
    if found.no_texts is not None:
        return f"No texts: {found.no_texts}."
    row = "Row: in your file, 1 is the first below the header"
    if found.no_train is not None:
        return f"{row}. No near rows of train: {found.no_train}."
    return f"{row}; so are rows of train. Near: cosine of TF-IDF words, 1 for the same words."


def _mistake_line(one: Mistake, has_text: bool, has_near: bool) -> list[Cell | str]:
    line: list[Cell | str] = [Cell(shortened(one.text or ""), style="text")] if has_text else []
    line += [one.label, Cell(one.answer, one.answer, "bad"), Cell(f"{one.confidence:.2f}", one.confidence)]
    line.append(
        Cell(where(one.place) if one.place else f"{one.index + 1}", one.place.row if one.place else one.index + 1)
    )
    return [*line, Cell(_near(one), style="text")] if has_near else line


def _near(one: Mistake) -> Markup:
    if not one.near:
        return tag("span", "none", class_="quiet")
    lines = [
        tag(
            "li",
            tag("b", near.label),
            f" {near.similarity:.2f}, row {near.place.row:,}: ",
            shortened(near.text, NEAR_LETTERS),
        )
        for near in one.near
    ]
    labels = [near.label for near in one.near]
    return folded(f"{labels.count(one.answer)} of {len(labels)} labelled {one.answer}", tag("ul", *lines))


def _suspects(suspects: SuspectLabels | str, identity: str) -> Section:
    if isinstance(suspects, str):
        return Section("Training rows that may be mislabelled", tag("p", f"Not known: {suspects}."), "suspects")
    title = f"{suspects.kinds.capitalize()} rows that may be mislabelled"
    titles: list[Heading | str] = [
        "text", "label", "may be", Heading("score of label", True), Heading("of the other", True), Heading("row", True),
    ]  # fmt: skip
    lines: list[list[Cell | str]] = [
        [Cell(shortened(one.text), style="text"), one.label, one.likelier, Cell(f"{one.of_label:.3f}", one.of_label),
         Cell(f"{one.of_likelier:.3f}", one.of_likelier), Cell(where(one.place), one.place.row)]
        for one in suspects.flagged[:MOST_SUSPECTS]
    ]  # fmt: skip
    told = [
        f"{len(suspects.flagged):,} of {suspects.rows:,} rows are flagged, the first {len(lines)} are here, all in "
        f"errors.csv. {suspects.worth[0].upper()}{suspects.worth[1:]}. Nothing is changed.",
        f"By confident learning on the answers of n-gram models to rows that they did not see ({FOLDS} folds, accuracy "
        f"{suspects.accuracy:.3f}).",
        *([f"Not looked at: {suspects.left_out:,} other rows. Try: label_errors=all."] if suspects.left_out else []),
        *([f"{suspects.apart:,} of the rows were set aside to calibrate on."] if suspects.apart else []),
    ]  # fmt: skip
    return Section(title, table(titles, lines, is_sortable=True), "suspects", told)


def _copies(found: Findings) -> list[Section]:
    copies = found.copies
    if copies is None:
        return []
    titles: list[Heading | str] = [
        "text", Heading("similarity", True), "label", "label in train", Heading("row", True),
        Heading("row in train", True),
    ]  # fmt: skip
    lines: list[list[Cell | str]] = [
        [Cell(shortened(one.text), style="text"), Cell(f"{one.similarity:.2f}", one.similarity), one.label,
         Cell(one.train_label, one.train_label, "" if one.label == one.train_label else "bad"),
         Cell(where(one.place), one.place.row), Cell(where(one.train_place), one.train_place.row)]
        for one in copies.shown
    ]  # fmt: skip
    shown = table(titles, lines, is_sortable=True) if lines else tag("p", "None found.")
    return [Section(f"Texts of {found.split} that are also in train", shown, "copies", copies_in_words(copies, found))]


def copies_in_words(copies: Copies, found: Findings) -> list[str]:
    """Return sentences on texts that are in both splits, and their effect on the score."""
    told = [
        f"{copies.equal:,} of {found.rows:,} rows have a text that is also in train, apart from case and punctuation; "
        f"{copies.other_label:,} of them have another label there."
    ]
    rest = found.rows - copies.equal
    if copies.equal and rest:
        without = (found.right - copies.equal_right) / rest
        told.append(
            f"Accuracy with them {found.right / found.rows:.4f}, without them {without:.4f}, "
            f"on them alone {copies.equal_right / copies.equal:.4f}."
        )
    told.append(
        f"{copies.near:,} more have an almost equal text in train (at least 70 % of the groups of five letters), of "
        f"{copies.looked_up:,} rows that were compared with {copies.compared_with:,} of train."
    )
    if copies.apart is not None:
        told.append(
            f"{copies.apart:,} rows have a text that is also among those set aside to calibrate on (data.calibration)."
        )
    return told


def where(place: Place) -> str:
    """Return the file and the row of a row."""
    return f"{place.file} {place.row:,}"


def shortened(text: str, most: int = LETTERS) -> str:
    """Return the beginning of a text."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
