"""Slices of a split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from runner.mistakes.run_data import RunData, read_run_data
from runner.mistakes.slicing import MOST, length_slices, main_script, script_slices, slices_of
from tests.runner.mistakes.cases import NAMES, write_case


def test_quarters_keep_equal_lengths_together() -> None:
    texts = ["a"] * 10 + ["a b"] * 10 + ["a b c d"] * 10 + ["a b c d e f"] * 5 + ["a b c d e f g"] * 5
    found = length_slices(texts)
    assert [name for name, _ in found] == ["1 word", "2 words", "4 words", "6 to 7 words"]
    assert np.sum([is_in for _, is_in in found], axis=0).tolist() == [1] * 40
    assert length_slices(["same length"] * 9) == []


def test_scripts_are_told_by_most_letters() -> None:
    assert main_script("Привет, world") == "CYRILLIC" and main_script("ok, мир") == "CYRILLIC"
    assert main_script("hello") == "LATIN" and main_script("12:30 !") == "none" and main_script("日本語です") == "CJK"
    assert [name for name, _ in script_slices(["a", "b", "мир"])] == ["script latin", "script cyrillic"]
    assert script_slices(["a", "b"]) == []


def test_only_slices_with_enough_rows_are_shown(tmp_path: Path) -> None:
    answered = write_case(tmp_path)
    run_data = read_run_data(answered, tmp_path / "cache")
    assert isinstance(run_data, RunData)
    found = slices_of(answered, run_data, run_data.texts("test"))
    names = [name for name, _ in found]
    assert {"class billing", "class delivery", "class login"} <= set(names) and len(found) <= MOST
    assert any("words" in name for name in names)
    assert "text also in train" not in names  # one text at most
    assert all(30 <= is_in.sum() <= len(answered.labels) - 30 for _, is_in in found)
    assert [name for name, _ in slices_of(answered, None, [])] == names[-3:]


def write_links(path: Path) -> None:
    """Write rows of which every third has a letter of its own in a link, and every other third beside it."""
    lines = []
    for number in range(240):
        inside, beside = (chr(0x6000 + number) if number % 3 == place else "a" for place in (0, 1))
        lines.append(f"no {number % 9} https://a.b/{inside} is {beside},{NAMES[number // 3 % 3]}\n")
    path.write_text("message,topic\n" + "".join(lines), encoding="utf-8")


@pytest.mark.parametrize(
    ("more", "is_beside", "is_inside"),
    [
        ((), True, True),
        (("data.clean=tweets",), True, False),
        (("+model.special_tokens=false", "+model.unknown_tokens=drop"), False, False),
    ],
)
def test_unknown_tokens_are_those_that_the_run_read(
    tmp_path: Path, more: tuple[str, ...], *, is_beside: bool, is_inside: bool
) -> None:
    write_links(tmp_path / "tickets.csv")
    answered = write_case(tmp_path, "model.tokenizer=train", "model.vocab_size=200", *more)
    run_data = read_run_data(answered, tmp_path / "cache")
    assert isinstance(run_data, RunData)
    rows = np.array([place.row - 1 for place in run_data.places("test", run_data.source_rows("test"))])
    expected = ((rows % 3 == 1) & is_beside) | ((rows % 3 == 0) & is_inside)
    found = dict(slices_of(answered, run_data, run_data.texts("test")))
    assert found.get("with [UNK]", np.zeros(len(rows), bool)).tolist() == expected.tolist()
    run_data.no_train = "the rows of train have changed"
    assert "with [UNK]" not in dict(slices_of(answered, run_data, run_data.texts("test")))
