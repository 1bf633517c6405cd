"""Data frames as files of the cache, named by their content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from runner.errors import ConfigError
from runner.python.frames import Columns, cache_folder, columns_read, frame_file, frame_words, label_values

FRAME = pd.DataFrame({"text": ["a", None], "label": [1, 2], "other": [3, 4]})


def test_equal_columns_are_one_file_and_other_content_is_another(tmp_path: Path) -> None:
    words = [f"paths.cache={tmp_path}"]
    first = frame_file(FRAME, words, ("text", "label"))
    pd.testing.assert_frame_equal(pd.read_parquet(first), FRAME[["text", "label"]])
    assert frame_file(FRAME.drop(columns="other").set_index(pd.Index([7, 8])), words, ("text", "label", None)) == first
    others = [FRAME, FRAME.assign(label=[2, 1]), FRAME.astype({"label": str}), FRAME.rename(columns={"other": "x"})]
    assert len({frame_file(one, words) for one in others} | {first}) == 5
    with pytest.raises(ConfigError, match=r"no column txt in the data frame\. Its columns: text, label, other"):
        frame_file(FRAME, words, ("txt",))


def test_the_cache_is_that_of_the_words_or_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTIER_CACHE", str(tmp_path / "own"))
    assert cache_folder(["seed=1"]) == tmp_path / "own"
    assert cache_folder(["paths.cache=a", f"paths.cache={tmp_path}"]) == tmp_path


LISTS = pd.DataFrame({"text": ["a", "b", "c"], "label": [["x"], ["x", "y"], []]})


def test_lists_of_labels_are_written_and_named_by_their_content(tmp_path: Path) -> None:
    words = [f"paths.cache={tmp_path}"]
    path = frame_file(LISTS, words)
    assert [list(cell) for cell in pd.read_parquet(path)["label"]] == LISTS["label"].tolist()
    assert frame_file(LISTS.copy(), words) == path != frame_file(LISTS.iloc[::-1], words)
    long = [np.array(["O"] * 600 + [middle] + ["O"] * 600, object) for middle in ("O", "B-PER")]
    first, second = (frame_file(pd.DataFrame({"tags": [tags]}), words) for tags in long)
    assert first != second, "arrays that differ only in elements that `str` leaves out"


@pytest.mark.parametrize(("one", "other"), [
    (["['x', 'y']", "['x']"], [["x", "y"], ["x"]]),  # lists as a CSV has them, and as ast.literal_eval reads them
    (["1.5", "2.5"], [1.5, 2.5]),
])  # fmt: skip
def test_cells_that_look_alike_as_text_are_two_files(tmp_path: Path, one: list[object], other: list[object]) -> None:
    frames = [pd.DataFrame({"text": ["a", "b"], "label": pd.Series(cells, dtype=object)}) for cells in (one, other)]
    first, second = (frame_file(frame, [f"paths.cache={tmp_path}"]) for frame in frames)
    assert first != second, "the words of the first would be read instead of the second's"


PERIODS = pd.Series(pd.PeriodIndex(["2024-01", "2024-02"], freq="M"))


@pytest.mark.parametrize(("column", "names"), [
    (PERIODS, ["2024-01", "2024-02"]),
    (pd.Series(pd.to_timedelta([1, 2], unit="D")), ["1 days 00:00:00", "2 days 00:00:00"]),
    (pd.Series(pd.cut([1, 9], [0, 5, 10])), ["(0, 5]", "(5, 10]"]),
])  # fmt: skip
def test_periods_and_ranges_are_written_as_they_are_shown(tmp_path: Path, column: pd.Series, names: list[str]) -> None:
    frame = pd.DataFrame({"text": ["a", "b"], "label": column})
    path = frame_file(frame, [f"paths.cache={tmp_path}"])
    assert pd.read_parquet(path)["label"].tolist() == names, "a period would be the number of months since 1970"
    assert label_values(frame, "label") == dict(zip(names, column)), "and answers keep their type"


TWICE = pd.DataFrame([["a", 1, 2]], columns=["text", "label", "label"])
REFUSED = {
    "several columns named label": TWICE,
    "have several levels": pd.DataFrame({("text", "x"): ["a"], ("label", "y"): [1]}),
    "A column must have values of one type": pd.DataFrame({"text": ["a", "b"], "label": [1, "1"]}),
}


@pytest.mark.parametrize("message", REFUSED)
def test_a_frame_that_no_file_can_hold_is_refused_and_leaves_none(tmp_path: Path, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        frame_file(REFUSED[message], [f"paths.cache={tmp_path}"])
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(TypeError, match=r"expected a data frame, not a Series\. Try: pandas\.DataFrame"):
        frame_words(FRAME["text"], None, None, [])  # type: ignore[arg-type]


def test_labels_keep_their_type() -> None:
    assert label_values(FRAME, "label") == {"1": 1, "2": 2}
    assert label_values(LISTS, "label") == {"x": "x", "y": "y"}
    floats = pd.DataFrame({"label": [1.0, None, 2.0]})
    assert label_values(floats, "label") == {"1": 1.0, "1.0": 1.0, "2": 2.0, "2.0": 2.0}, "classes of a run are 1 and 2"
    assert label_values(pd.DataFrame({"label": [[3], (3, 5), [7]]}), "label") == {"3": 3, "5": 5, "7": 7}


def test_labels_have_the_names_that_a_run_reads() -> None:
    apart = "cafe\u0301"  # the accent as a character of its own, which a run reads in NFC
    found = label_values(pd.DataFrame({"label": [apart, " tea"]}), "label")
    assert (found["caf\u00e9"], found["tea"]) == (apart, " tea"), "answers equal the labels of the frame"
    both = pd.DataFrame({"label": [apart, "caf\u00e9"]})
    assert label_values(both, "label")["caf\u00e9"] == "caf\u00e9"
    assert label_values(pd.DataFrame({"label": [[["a"]], [["b"]]]}), "label"), "refused by the reader, with a message"


@pytest.mark.parametrize(("words", "expected"), [
    ([], Columns(("text",), ("label",))),
    (["data.text=note", "seed=1", "model=dsn"], Columns(("note",), ("label",))),
    (["data.text_pair='the answer'", "data.group=user"], Columns(("text", "the answer"), ("label",), ("user",))),
    (["data.group=shared_text", "data.label=null"], Columns(("text",), ())),
    (["data.labels=[a,b]", "data.codes=icd"], Columns(("text",), ("a", "b"), ("icd",))),
    (["data.fold_column=part", "data.fold=all"], Columns(("text",), ("label",), ("part",))),
    (["task=tags", "data.tokens=words", "data.tags=[pos]"], Columns(("words",), ("pos",))),
    (["data.audio=clip"], Columns(("clip",), ("label",))),
    (["task=span"], Columns()),
    (["data=sst2", "data.label=stars"], Columns(("sentence",), ("stars",))),
])  # fmt: skip
def test_a_command_reads_the_columns_that_its_words_name(words: list[str], expected: Columns) -> None:
    assert columns_read(words) == expected


def test_a_file_has_the_columns_that_the_words_name(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": ["a", "b"], "kind": [3, 4], "customer": ["x", "y"], "more": [1, 2]})
    words = [f"paths.cache={tmp_path}", "data.group=customer", "data.label=kind"]
    found, values = frame_words(frame, None, None, words)
    path = Path(found[1].removeprefix("data.path="))
    assert pd.read_parquet(path).columns.tolist() == ["text", "kind", "customer"] and values == {"3": 3, "4": 4}
    _, none = frame_words(frame, None, None, [words[0], "data.labels=[kind,more]"])
    assert none == {}, "labels that are names of columns"
    with pytest.raises(ConfigError, match="no column client in the data frame"):
        frame_words(frame, None, "kind", [words[0], "data.group=client"])
    with pytest.raises(ConfigError, match=r"data\.grop: no such key; did you mean data\.group"):
        frame_words(frame, None, "kind", ["data.grop=customer"])


def test_columns_may_be_named_by_digits_and_must_be_named_by_texts(tmp_path: Path) -> None:
    words, frame = [f"paths.cache={tmp_path}"], pd.DataFrame({"0": ["a", "b"], "2020": ["x", "y"]})
    found, values = frame_words(frame, "0", "2020", words)
    assert found[2:] == ["data.text=0", "data.label=2020"] and values == {"x": "x", "y": "y"}
    assert columns_read(["data.text=0", "data.label=1"]) == Columns(("0",), ("1",))
    numbered = pd.DataFrame([["a", "x"]])
    with pytest.raises(ConfigError, match=r"no column 0, 1 in .* columns: 0, 1\. Try: frame\.rename\(columns=str\)"):
        frame_words(numbered, 0, 1, words)  # type: ignore[arg-type]
