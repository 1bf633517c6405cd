"""CoNLL-U files: words, features and trees; what is no tree is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import DataError
from data.sources.conllu import ROOT, read_conllu

GOOD = """# text = It doesn't matter
1\tIt\tit\tPRON\tPRP\tNumber=Sing|Person=3\t4\tnsubj\t_\t_
2-3\tdoesn't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdoes\tdo\tAUX\tVBZ\t_\t4\taux\t_\t_
3\tn't\tnot\tPART\tRB\t_\t4\tadvmod\t_\t_
3.1\tnothing\t_\t_\t_\t_\t_\t_\t_\t_
4\tmatter\tmatter\tVERB\tVB\t_\t0\troot\t_\tSpaceAfter=No

1\tYes\tyes\tINTJ\tUH\t_\t0\troot\t_\t_
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "some.conllu"
    path.write_text(text, encoding="utf-8")
    return path


def test_words_have_features_and_heads_and_other_lines_are_passed_over(tmp_path: Path) -> None:
    first, second = read_conllu(written(tmp_path, GOOD))
    assert first.words == ("It", "does", "n't", "matter") and first.heads == (3, 3, 3, ROOT) and first.line == 2
    assert first.features[0] == {"Number": "Sing", "Person": "3"} and first.relations[0] == "nsubj"
    assert second.text == "Yes" and second.upos == ("INTJ",)


def test_a_byte_order_mark_is_no_word(tmp_path: Path) -> None:
    assert [len(sentence) for sentence in read_conllu(written(tmp_path, f"\ufeff{GOOD}"))] == [4, 1]


def test_sentences_without_a_tree_have_no_heads(tmp_path: Path) -> None:
    (one,) = read_conllu(written(tmp_path, "1\tYes\t_\tINTJ\t_\t_\t_\t_\t_\t_\n"))
    assert one.heads == ()


def tree(*heads: str) -> str:
    return "".join(f"{n}\tw\t_\tX\t_\t_\t{head}\tdep\t_\t_\n" for n, head in enumerate(heads, 1))


MISTAKES = {
    "a missing column": (GOOD.replace("\t_\tSpaceAfter=No", ""), "line 7 has 8 tab-separated columns"),
    "a head outside": (tree("0", "5"), "line 1: the head of word 2 is '5', but the sentence has the words 1 to 2"),
    "a head that is no number": (tree("0", "x"), "the head of word 2 is 'x'"),
    "two roots": (tree("0", "1", "0"), "a tree has one root .*: 1, 3. Fix"),
    "no root": (tree("2", "1"), "a tree has one root .*: none. Fix"),
    "a circle": (tree("0", "3", "2", "1"), "the heads of words 2, 3 form a cycle"),
    "other numbers": (tree("0", "1").replace("2\tw", "3\tw"), "numbered 1 3, not 1 to 2"),
    "odd features": (tree("0").replace("X\t_\t_", "X\t_\tPast"), "FEATS 'Past' is not a list"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_named_with_its_place(case: str, tmp_path: Path) -> None:
    text, message = MISTAKES[case]
    with pytest.raises(DataError, match=message):
        [*read_conllu(written(tmp_path, text))]
