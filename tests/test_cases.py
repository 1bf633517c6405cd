"""Every input in tests/cases.py gives the expected exit code and message.

To use other files of the same names instead, set BERTIER_CASES to their folder.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from runner.commands import predict
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import USER_ERRORS
from runner.experiment.run import run
from tests.cases import write

FAST = [
    "model=dsn", "model.tokenizer=train", "model.vocab_size=500", "measure=off", "tracker=none", "train.threads=1",
    "train.epochs=1",
]  # fmt: skip
HUB = ["data=imdb", "data.config=null", "data.task=auto", "data.metrics=[]"]
TWO = r"task: classification, 2 classes \({} \d+, {} \d+\)"
GIVEN = r"(finished already|task: classification, 2 classes)"  # some files hold identical data
MISSING = r"rows? ha(s|ve) an empty or missing text or label .*Try: data\.missing=drop"

# For training files: the exit code, and a pattern for the output.
TRAINED: dict[str, tuple[int, str]] = {
    "all.tsv": (0, GIVEN),
    "array.json": (0, GIVEN),
    "array.jsonl": (0, GIVEN),
    "bom_crlf.csv": (0, GIVEN),
    "bool.csv": (0, GIVEN),
    "c150.csv": (2, r"150 are needed, one of each class\. Try: data\.select_fraction=0\.12"),
    "case.csv": (2, "Try: data.text=Text data.label=Label"),
    "colspaces.csv": (2, r"Try: 'data\.text=\" text\"' 'data\.label=\"label \"'"),
    "comma_label.csv": (0, TWO.format(re.escape("a=b [c]"), "food, drinks")),
    "conflict.csv": (0, "texts of test occur in train"),
    "cp1252.csv": (2, "line 2 is not utf-8. Try: data.encoding=cp1252"),
    "dupcol.csv": (2, "2 columns of that name"),
    "dupcol2.csv": (2, "2 columns of that name"),
    "dupes.csv": (0, "30 of 30 texts of test occur in train"),
    "empty_last.csv": (2, MISSING),
    "float_label.csv": (2, "Try: data.task=classification, or data.task=regression"),
    "float_nan.csv": (2, MISSING),
    "ft.txt": (2, "fastText's format"),
    "html.csv": (0, GIVEN),
    "imb.csv": (0, r"fraud \d+, ok 1,9\d\d.*test/f1 \(fraud\).*0\.0000.*the model answers 'ok' to every row of test"),
    "index.csv": (0, GIVEN),
    "lead0.csv": (0, TWO.format("007", "012")),
    "mein ordner ü/ünï/daten (1),a=b.csv": (0, GIVEN),
    "mixed_num.csv": (2, "Try: data.task=classification, or data.task=regression"),
    "multi.jsonl": (0, "sets of 3 labels, 1.50 a row .*each row has a set of labels"),
    "nan_label_num.csv": (2, "rows have no gold label .*Try: data.missing=drop"),
    "nan_label_word.csv": (0, "3 classes .*'nan' is taken as a class"),
    "nan_text.csv": (0, GIVEN),
    "nested.jsonl": (2, "columns: data, meta"),
    "nfc.csv": (0, TWO.format("bar", "café")),
    "nl.tsv": (2, "in quotes, try: data.quoting=minimal"),
    "noheader.csv": (2, "has no header: its first line looks like data"),
    "none_label_word.csv": (0, "3 classes .*'None' is taken as a class"),
    "p_bin.parquet": (2, "holds binary, not text"),
    "p_bool.parquet": (0, GIVEN),
    "p_cat.parquet": (0, GIVEN),
    "p_dict.parquet": (0, GIVEN),
    "p_dot.parquet": (2, "Try: data.text=review.text data.label=y"),
    "p_dup.parquet": (2, "2 columns of that name"),
    "p_float_nan.parquet": (2, MISSING),
    "p_index.parquet": (0, GIVEN),
    "p_large.parquet": (0, GIVEN),
    "p_list.parquet": (0, "test/f1_micro .*test/subset_accuracy"),
    "p_null.parquet": (2, MISSING),
    "p_struct.parquet": (2, "columns: data"),
    "p_ts.parquet": (0, "task: classification, 2 classes"),
    "p_view.parquet": (0, GIVEN),
    "plain.csv": (0, GIVEN),
    "plain.csv.gz": (0, GIVEN),
    "quoted.tsv": (0, "are quoted, and the quotes are read as part of the texts. Try: data.quoting=minimal"),
    "quoted_nl.csv": (0, GIVEN),
    "rare1.csv": (0, r"3 classes .*rare 1\).*test has no row of 'rare'"),
    "reg.csv": (0, r"task: regression, [\d.]+ to [34]"),
    "reg_big.csv": (0, r"task: regression, 200\d+.*targets are standardised"),
    "semicolon.csv": (0, GIVEN),
    "semicolon_comma.csv": (0, GIVEN),
    "space_labels.csv": (0, GIVEN),
    "textdict.jsonl": (2, "an object; text is needed"),
    "tr.csv": (0, TWO.format("kötü", "İYİ")),
    "trailing_comma.csv": (2, "It ends with the delimiter"),
    "train_words.csv": (0, GIVEN),
    "yesno.csv": (0, GIVEN),
    "zwsp.csv": (0, GIVEN),
}

# For test files; the model is trained on plain.csv, or on overlap_train.csv.
TESTED: dict[str, tuple[int, str]] = {
    "test_nolabel.csv": (2, "has no labels, which `test` needs.*run predict <run id>"),
    "test_minus1.csv": (2, "has no labels, which `test` needs.*run predict <run id>"),
    "test_unseen.csv": (2, "the label '2' does not occur in the training rows"),
    "test_reordered.csv": (0, "texts of test occur in train"),
    "overlap_test.csv": (0, "texts of test occur in train"),
}

# For folders read like datasets from the hub; further settings follow a space.
OF_THE_HUB: dict[str, tuple[int, str]] = {
    "bool": (0, TWO.format("False", "True")),
    "emptytext": (2, "ha(s|ve) an empty or missing text .*Try: data.missing=drop"),
    "emptytext data.missing=drop": (0, "rows left out: 1 "),
    "float": (0, "task: regression, 0.6 to 2.6"),
    "minus": (2, "test has no labels.*Try: data.split=train"),
    "minus data.unlabelled=drop": (2, "test has no labels.*Try: data.split=train"),
    "multi": (0, "sets of 3 labels, 1.50 a row .*each row has a set of labels"),
    "nonefirst": (2, "have no gold label .*Try: data.missing=drop"),
    "nonefirst data.missing=drop": (0, "rows left out: "),
    "nottext": (2, "holds int64, not text"),
    "nulltext": (2, "ha(s|ve) an empty or missing text .*Try: data.missing=drop"),
    "s140": (0, TWO.format("0", "4")),
    "s140 data.label_names=[neg,pos]": (0, TWO.format("neg", "pos")),
    "script": (2, "is a loading script, and code from a hub is never run here"),
    "stars": (0, TWO.format("1", "5")),
    "stars5": (0, "5 classes .*1 36, 2 36, 3 36, 4 36, 5 36"),
    "strint": (0, TWO.format("0", "1")),
    "strs": (0, TWO.format("neg", "pos")),
    "strs data.task=regression": (2, "the label 'neg' is not a number. Try: data.task=classification"),
    "sts": (0, "task: regression, 0.0 to 4.8"),
    "testorder": (2, "the label 'c' does not occur in the training rows"),
    "trainonly": (2, "has no split 'test'.*Try: data.split=train"),
}

# For files to predict, with a model trained on plain.csv; further settings follow a space.
PREDICTED: dict[str, tuple[int, str]] = {
    "PR_UP.CSV": (0, r"\b1 row\b"),
    "pr.tsv": (0, r"\b1 row\b"),
    "plain.csv.gz": (0, "300 rows"),
    "array.json": (0, "300 rows"),
    "array.jsonl": (0, "300 rows"),
    "p_index.parquet": (0, "300 rows"),
    "pr_blank.csv": (0, "2 rows"),
    "pr_blank.jsonl": (0, "2 rows"),
    "pr_cp1252.csv": (2, "line 2 is not utf-8. Try: encoding=cp1252"),
    "pr_cp1252.csv encoding=cp1252": (0, r"\b1 row\b"),
    "pr_dupcol.csv": (2, "2 columns of that name"),
    "pr_empty.csv": (0, "3 rows"),
    "pr_header_only.csv": (2, "has no rows"),
    "pr_long.csv": (0, "2 rows, 1 of them longer than"),
    "pr_missing.csv": (2, "Try: text=review"),
    "pr_null.jsonl": (2, "nothing under 'text'"),
    "pr_num.jsonl": (0, r"\b1 row\b"),
    "pr_predcol.csv": (2, "there is a column '(p_0|prediction)' already"),
    "pr_semi.csv": (0, r"\b1 row\b"),
    "pr_short.csv": (2, "line 3 has 1 field, the header 2"),
}


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    given = os.environ.get("BERTIER_CASES")
    return Path(given) if given else write(tmp_path_factory.mktemp("cases"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working directory of the commands."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def train(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """A function that runs a training command in this process and returns its exit code and all its output."""

    def command(*words: str) -> tuple[int, str]:
        monkeypatch.chdir(home)
        try:
            code, why = run(resolve(compose([*words, *FAST])), list(words)).exit_code, ""
        except USER_ERRORS as error:
            code, why = 2, str(error)
        return code, "".join(capsys.readouterr()) + why

    return command


def check(found: tuple[int, str], expected: tuple[int, str]) -> None:
    code, said = found
    assert code == expected[0], said
    assert re.search(expected[1], " ".join(said.split())), said


@pytest.mark.parametrize("name", TRAINED)
def test_a_file_is_trained_on_or_refused(name: str, cases: Path, train: Any) -> None:
    check(train("data=files", f'data.path="{cases / name}"'), TRAINED[name])


@pytest.mark.parametrize("name", TESTED)
def test_a_file_is_tested_on_or_refused(name: str, cases: Path, train: Any) -> None:
    trained = "overlap_train.csv" if name.startswith("overlap") else "plain.csv"
    paths = (f"data.train_path={cases / trained}", f"data.test_path={cases / name}")
    check(train("data=files", *paths), TESTED[name])


@pytest.mark.parametrize("name", OF_THE_HUB)
def test_a_data_set_of_the_hub_is_trained_on_or_refused(name: str, cases: Path, train: Any) -> None:
    folder, *more = name.split()
    check(train(*HUB, f"data.id={cases / f'hub_{folder}'}", *more), OF_THE_HUB[name])


@pytest.mark.parametrize("name", PREDICTED)
def test_a_file_is_predicted_on_or_refused(
    name: str, cases: Path, home: Path, train: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    output = f"paths.output={home / 'asked'}"
    if not list(home.glob("asked/*/record.json")):
        assert train("data=files", f"data.path={cases / 'plain.csv'}", output)[0] == 0
    (record,) = home.glob("asked/*/record.json")
    file, *more = name.split()
    try:
        code, why = predict.main([record.parent.name, str(cases / file), *more, output]), ""
    except USER_ERRORS as error:
        code, why = 2, str(error)
    check((code, "".join(capsys.readouterr()) + why), PREDICTED[name])
