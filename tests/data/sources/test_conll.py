"""Columns of CoNLL files by number, and lists of words and tags in cells."""

from __future__ import annotations

from typing import Any

import pytest

from data.errors import DataError, MissingColumn
from data.sources.conll import check_lengths, conll_rows, tags_of, words_of

COLUMNS = {"data.tokens": "0", "data.tags": "-1"}
CONLL_2003 = "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nPeter NNP B-NP B-PER\n"


def read(text: str, columns: dict[str, str] | None = None) -> list[tuple[int, dict[str, Any]]]:
    return list(conll_rows(text.splitlines(keepends=True), "x.conll", columns or COLUMNS))


def test_columns_by_number_and_from_the_end() -> None:
    assert read(CONLL_2003) == [
        (3, {"0": ["EU", "rejects"], "-1": ["B-ORG", "O"]}),
        (6, {"0": ["Peter"], "-1": ["B-PER"]}),
    ]
    assert read(CONLL_2003, {"data.tokens": "0", "data.tags": "1"})[0][1]["1"] == ["NNP", "VBZ"]


def test_blank_lines_may_hold_tabs_and_spaces() -> None:
    assert [row["0"] for _, row in read("a\tO\n\t\nb\tO\r\n \r\n\n\nc\tO")] == [["a"], ["b"], ["c"]]


def test_a_word_may_be_empty_or_hold_spaces_between_tabs() -> None:
    assert read("New York\tB-LOC\n\tO\n\u200b\tO\n") == [
        (1, {"0": ["New York", "", "\u200b"], "-1": ["B-LOC", "O", "O"]})
    ]


def test_other_white_space_is_part_of_a_word() -> None:
    assert read("10\u00a0000   O\n")[0][1]["0"] == ["10\u00a0000"]


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("# id 48c4\tdomain=en\nEU _ _ B-ORG\n\n# id 48c5\tdomain=en\n# _ _ O\n", "3"),  # MultiCoNER
        ("#\thttp://x.de [2009]\n1\tEU\tB-ORG\tO\n\n#\thttp://x.de [2010]\n1\t#\tO\tO\n", "2"),  # GermEval 2014
    ],
)
def test_a_comment_with_another_number_of_columns_is_no_row(text: str, tag: str) -> None:
    found = read(text, {"data.tokens": str(3 - int(tag)), "data.tags": tag})
    assert [row[tag] for _, row in found] == [["B-ORG"], ["O"]]
    with pytest.raises(DataError, match="line 3 has 1 column"):
        read("EU O\n\n#tag\n")


def test_a_hash_is_a_word_unless_the_file_has_tabs_and_its_line_none() -> None:
    assert read("# O\n#tag O\n")[0][1]["0"] == ["#", "#tag"]
    assert read("#tag\tO\n")[0][1]["0"] == ["#tag"]
    text = "# sent_id = 1\n# text = Go on\n1\tGo\tVERB\n2\ton\tADV\n\n# text = Go\n1\tGo\tVERB\n"
    assert read(text, {"data.tokens": "1", "data.tags": "2"}) == [
        (3, {"1": ["Go", "on"], "2": ["VERB", "ADV"]}),
        (7, {"1": ["Go"], "2": ["VERB"]}),
    ]


def test_multiword_tokens_and_empty_nodes_of_conllu_are_no_words() -> None:
    rest = "\t_" * 6
    lines = [f"1-2\tim\t_\t_{rest}", f"1\tin\tin\tADP{rest}", f"2\tdem\tder\tDET{rest}", f"2.1\tx\t_\t_{rest}"]
    wanted = {"data.tokens": "1", "data.tags": "3"}
    assert read("# text = im\n" + "\n".join(lines), wanted) == [(2, {"1": ["in", "dem"], "3": ["ADP", "DET"]})]
    assert read("1-2\tim\t_\n1\tin\tADP\n2\tdem\tDET\n", {"data.tokens": "1", "data.tags": "2"})[0][1]["1"] == [
        "in", "dem",
    ]  # fmt: skip


def test_ids_of_sentence_and_word_and_words_like_ids_are_kept() -> None:
    by_sentence = "1-1\tin\tADP\n1-2\tdem\tDET\n"
    assert read(by_sentence, {"data.tokens": "1", "data.tags": "2"})[0][1]["1"] == ["in", "dem"]
    assert read("1\tO\n2-3\tB\n2\tO\n")[0][1]["0"] == ["1", "2-3", "2"]


def test_a_line_without_its_tag_is_refused_with_line_and_first_words() -> None:
    with pytest.raises(DataError, match=r"x.conll line 3 has 1 column.*before 2.*begins: 'EU rejects'"):
        read("EU B-ORG\nrejects O\nGerman\n")


def test_columns_that_do_not_exist_are_refused() -> None:
    with pytest.raises(MissingColumn, match=r"data.tags=4: line 1 of x.conll has 2 columns.*Try: data.tags=-1"):
        read("EU B-ORG\n", {"data.tokens": "0", "data.tags": "4"})
    with pytest.raises(DataError, match="are the same column"):
        read("EU\nrejects\n")


def test_files_without_words_have_no_rows() -> None:
    assert read("") == read("\n\n") == read("-DOCSTART- O\n\n") == []


def test_a_text_in_the_column_of_words_is_refused_with_a_way_out() -> None:
    with pytest.raises(DataError, match=r"row 3 holds a text \('EU rejects'\).*Try: data.text="):
        words_of("EU rejects", "x.jsonl row 3")
    with pytest.raises(DataError, match="not a list of words"):
        words_of({"a": 1}, "x.jsonl row 3")
    with pytest.raises(DataError, match="holds"):
        words_of([["nested"]], "x.jsonl row 3")
    assert words_of(["a", None, 3], "x") == ["a", "", "3"]


def test_tags_are_names_or_ids_of_names() -> None:
    assert tags_of(["O", "B-PER"], (), "x") == ["O", "B-PER"]
    assert tags_of([0, 1], ("O", "B-PER"), "x") == ["O", "B-PER"]
    assert tags_of(["0", "1", "B-PER"], ("O", "B-PER"), "x") == ["O", "B-PER", "B-PER"]
    assert tags_of(["2", True], ("1", "2"), "x") == ["2", "True"]
    assert tags_of([0, 1], (), "x") == ["0", "1"]
    with pytest.raises(DataError, match="has the tag 2, but only 2 tags are named: O, B-PER"):
        tags_of([2], ("O", "B-PER"), "x")
    with pytest.raises(DataError, match=r"without a tag \(word 2\)"):
        tags_of(["O", None], (), "x")
    with pytest.raises(DataError, match="not a list of tags"):
        tags_of("O O", (), "x")


def test_words_and_tags_of_different_number_are_refused() -> None:
    check_lengths(["a"], ["O"], "x")
    with pytest.raises(DataError, match=r"x row 7 has 6 words and 5 tags.*begins: 'EU rejects German call to'"):
        check_lengths(["EU", "rejects", "German", "call", "to", "boycott"], ["O"] * 5, "x row 7")
