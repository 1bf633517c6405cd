"""SentEval's own files: what is read, what is refused, and the whole command."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import DataError
from runner.commands.probe import main
from runner.errors import ConfigError
from runner.probing import probe
from runner.probing.results import read_report
from runner.probing.senteval import read_senteval, task_file

COUNTS = {"tr": 60, "va": 12, "te": 20}
WORDS = {"PAST": "They went home .", "PRES": "They go home ."}


def lines(split: str, count: int) -> list[str]:
    """As many lines of a split, of both classes in turn."""
    labels = [*WORDS]
    return [f"{split}\t{labels[row % 2]}\t{row} times : {WORDS[labels[row % 2]]}" for row in range(count)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file past_present.txt, in SentEval's form."""
    file = tmp_path / "past_present.txt"
    file.write_text("\n".join(line for split in COUNTS.items() for line in lines(*split)) + "\n", encoding="utf-8")
    return file


def test_every_line_is_in_its_split_and_training_sentences_are_drawn(path: Path) -> None:
    found = read_senteval(path, None)
    assert {split: len(rows) for split, rows in found.items()} == {"train": 60, "select": 12, "report": 20}
    assert found["report"][1] == ("1 times : They go home .", "PRES")
    few = read_senteval(path, 10)
    assert len(few["train"]) == 10 and few["report"] == found["report"] and few == read_senteval(path, 10)
    places = [found["train"].index(row) for row in few["train"]]
    assert places == sorted(places) != [*range(10)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("tr\tPAST", r"line 93 is 'tr.tPAST', not tr, va or te"),
        ("dev\tPAST\tThey went", r"line 93 is .* not tr, va or te"),
        ("te\tFUTURE\tThey will go", r"'FUTURE' occurs in lines of te but not of tr"),
        ("tr\tFUTURE\tThey will go", r"has 3 classes, but past_present has 2"),
    ],
)
def test_a_wrong_line_is_refused(line: str, message: str, path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=message.replace(".t", ".+t") if "93 is 'tr" in message else message):
        read_senteval(path, None)


def test_a_missing_split_or_file_is_refused(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no file tree_depth.txt. Try: tasks=past_present"):
        task_file(str(path.parent), "tree_depth")
    path.write_text("\n".join(lines("tr", 10)), encoding="utf-8")
    with pytest.raises(DataError, match=r"has no line that begins with va. Try: the whole file"):
        read_senteval(path, None)
    path.write_bytes(b"tr\tPAST\t\xff\n")
    with pytest.raises(DataError, match=r"is not UTF-8"):
        read_senteval(path, None)


def test_a_folder_of_files_is_probed(
    place: Path, run_id: str, path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "EVALUATIONS", 3)
    words = [f"senteval={path.parent}", "tasks=past_present", "layers=2", "pool=mean", "seeds=0", "given=none"]
    words += ["mdl=false", "control=false", "random=false", "grid=senteval", "max_rows=40"]
    assert main([run_id, *words, f"paths.output={place / 'outputs'}", f"paths.cache={place / 'cache'}"]) == 0
    assert "past_present" in capsys.readouterr().out
    found = next((place / "outputs" / run_id / "probing").glob("senteval-linear-senteval-*.json"))
    report = read_report(found.parent, found.stem)
    assert report is not None and report.tasks[0].rows == {"train": 40, "select": 12, "report": 20}
    assert report.tasks[0].group == "semantic" and report.tasks[0].best.accuracy > 0.5
