"""Questions and contexts as rows of tokens, and as windows of them."""

from __future__ import annotations

import numpy as np
import pytest

from data.batch import collate
from data.errors import DataError
from data.inputs.context_windows import LONGEST_QUESTION
from data.inputs.question_context import QuestionContext
from data.inputs.tokenizer import PieceTokenizer, lower_as, train_tokenizer
from data.splits import TokenSplit
from data.targets.span import labelled_characters
from tests.data.inputs.test_offset_pieces import byte_level
from tests.data.questions import Asked, split_of_questions, whole_questions

LONG = " ".join(f"w{number}" for number in range(40))
ROWS = [
    Asked("where is it ?", "it is in Ankara today", ["Ankara"]),
    Asked("which one ?", LONG, ["w20 w21"]),
    Asked("who is it ?", LONG),
]


@pytest.fixture(scope="module")
def tokenizer() -> PieceTokenizer:
    words = [word for row in ROWS for word in f"{row.question} {row.context}".split()]
    return train_tokenizer([" ".join(words)] * 3, 400)


def texts_of(split: TokenSplit, row: int) -> str:
    """The characters that the context tokens of a row stand for, from the first to the last."""
    begin, end = split.offsets[row : row + 2]
    characters = np.asarray(split.labels.characters[begin:end])
    inside = characters[characters[:, 0] >= 0]
    source = row if split.parts is None else int(np.searchsorted(split.parts, row, "right") - 1)
    return ROWS[source].context[inside[0, 0] : inside[-1, 1]]


def labelled(split: TokenSplit, row: int) -> list[list[int]]:
    """The positions in a row of its first and of its last token."""
    begin, end = split.offsets[row : row + 2]
    return [np.flatnonzero(split.labels.values[begin:end, side]).tolist() for side in (0, 1)]


def test_whole_rows_are_those_of_the_tokenizer(tokenizer: PieceTokenizer) -> None:
    split = whole_questions(tokenizer, ROWS)
    for number, row in enumerate(ROWS):
        wanted = tokenizer.backend.encode(row.question, row.context)
        assert split.tokens[split.offsets[number] : split.offsets[number + 1]].tolist() == wanted.ids
        assert split.segment_starts[number] == wanted.type_ids.index(1)
        assert texts_of(split, number) == row.context


def test_rows_of_a_tokenizer_without_segments_have_none() -> None:
    split = whole_questions(byte_level(), ROWS)
    assert split.segment_starts.tolist() == split.lengths.tolist()
    wanted = byte_level().backend.encode(ROWS[0].question, ROWS[0].context).ids
    assert split.tokens[: split.lengths[0]].tolist() == wanted


def test_short_rows_are_left_alone_and_long_ones_become_windows(tokenizer: PieceTokenizer) -> None:
    whole = whole_questions(tokenizer, ROWS)
    assert whole.input.lay_out(whole, 64, None) is whole
    split = whole.input.lay_out(whole, 24, 6)
    question = split.input.questions(whole)
    assert split.parts is not None and split.lengths.max() <= 24
    assert split.source_count == 3 and split.parts[1] == 1
    room = 24 - 3 - question[1]
    windows = [texts_of(split, row).split() for row in range(1, split.parts[2])]
    assert windows[0] == LONG.split()[:room] and windows[1][:6] == windows[0][-6:]
    assert windows[-1][-1] == "w39" and all(len(window) <= room for window in windows)
    for row in range(len(split)):
        ids = split.tokens[split.offsets[row] : split.offsets[row + 1]]
        source = int(np.searchsorted(split.parts, row, "right") - 1)
        assert ids.tolist() == tokenizer.backend.encode(ROWS[source].question, texts_of(split, row)).ids


def test_without_an_overlap_neighbours_share_a_third(tokenizer: PieceTokenizer) -> None:
    split = split_of_questions(tokenizer, ROWS, 24)
    first, second = (texts_of(split, row).split() for row in (1, 2))
    assert second[: len(first) // 3] == first[-(len(first) // 3) :]


def test_an_answer_across_a_border_is_labelled_only_where_it_is_whole(tokenizer: PieceTokenizer) -> None:
    for overlap in (0, 6, 12):
        split = split_of_questions(tokenizer, ROWS, 24, overlap)
        assert split.parts is not None
        for row in range(1, split.parts[2]):
            is_whole = "w20 w21" in texts_of(split, row)
            (first,), (last,) = labelled(split, row)
            assert (first, last) == (0, 0) if not is_whole else last == first + 1 > 1
        assert all(labelled(split, row) == [[0], [0]] for row in range(split.parts[2], len(split)))
    assert labelled_characters(split).tolist() == [[9, 15], [LONG.index("w20"), LONG.index(" w22")], [-1, -1]]


def test_long_questions_are_cut_and_counted(tokenizer: PieceTokenizer) -> None:
    rows = [Asked(" ".join(["where"] * 80), "it is in Ankara today", ["Ankara"]), ROWS[0]]
    split = split_of_questions(tokenizer, rows, 128, 12)
    assert split.truncated == 1 and split.input.questions(split).tolist() == [LONGEST_QUESTION, 4]
    assert labelled_characters(split).tolist() == [[9, 15], [9, 15]]


def test_too_little_room_is_refused_with_the_numbers(tokenizer: PieceTokenizer) -> None:
    with pytest.raises(DataError, match=r"data.max_length=7: a question of 4 tokens and 3 special ones leave no room"):
        split_of_questions(tokenizer, ROWS, 7)
    with pytest.raises(DataError, match=r"leave 17 tokens for the context, which must be more than data.overlap=17"):
        split_of_questions(tokenizer, ROWS, 24, 17)


def test_every_real_token_has_a_place_in_a_batch(tokenizer: PieceTokenizer) -> None:
    split = split_of_questions(tokenizer, ROWS, 24, 6)
    rows = np.array([3, 0])
    batch = collate(split, rows)
    ids = [split.tokens[split.offsets[row] : split.offsets[row + 1]].tolist() for row in rows]
    assert batch.inputs["input_ids"].ravel()[batch.inputs["places"]].tolist() == [*ids[0], *ids[1]]
    assert batch.targets["item_rows"].tolist() == [0] * len(ids[0]) + [1] * len(ids[1])
    assert batch.targets["labels"].shape == (len(ids[0]) + len(ids[1]), 2)
    assert batch.targets["labels"].sum(0).tolist() == [2, 2]


def test_questions_to_a_model_are_laid_out_as_the_rows_were(tokenizer: PieceTokenizer) -> None:
    own = QuestionContext.for_questions(tokenizer, ("question", "context"), {"overlap": 6})
    asked = own.ask([[row.question for row in ROWS], [row.context for row in ROWS]], 24)
    split = split_of_questions(tokenizer, ROWS, 24, 6)
    assert asked.split.tokens.tolist() == split.tokens.tolist() and asked.rows is not None
    assert asked.rows.tolist() == split.parts.tolist() and not asked.is_cut.any()
    assert asked.texts == [row.context for row in ROWS]
    assert [field.name for field in own.request()] == ["question", "context"]
    assert QuestionContext.columns_of({"data.text": "q", "data.text_pair": "c"}.get) == ("q", "c")
    with pytest.raises(DataError, match=r"data.clean=tweets changes texts"):
        QuestionContext(tokenizer.cleaned_by(("tweets",)))
    assert QuestionContext(lower_as(tokenizer, "tr")).columns == (
        "text",
        "text_pair",
    )  # keeps what characters stand for
    longer = own.ask([["why " * 70, "who"], ["it is in Ankara", "it is"]], 24)
    assert longer.longest == 10 and longer.lengths[0] > 10 and longer.is_cut.tolist() == [True, False]
    with pytest.raises(UnicodeEncodeError):
        own.ask([["?"], ["\ud800"]], 24)


def test_a_served_question_always_finds_room(tokenizer: PieceTokenizer) -> None:
    own = QuestionContext(tokenizer, 30)
    asked = own.ask([["where is it ? " * 30, "who ?"], [LONG, LONG]], 24)
    assert asked.is_cut.tolist() == [True, False] and asked.split.lengths.max() == 24
    assert asked.rows is not None and own.questions(asked.split)[[0, -1]].tolist() == [10, 2]
    characters = asked.split.labels.characters
    assert characters is not None and characters[:, 1].max() == len(LONG)
