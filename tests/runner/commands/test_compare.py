"""`run compare` and `run diff` as real processes; the messages of `run explain` too."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from runner.commands.compare import compare, parse_words
from runner.errors import ConfigError
from tests.conftest import run_cli
from tests.runner.compare.folders import write_group, write_sweep


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with the runs of a sweep in outputs/."""
    found = tmp_path_factory.mktemp("work")
    output = found / "outputs"
    records = write_group(output, "model=dsn", right=[150, 152, 149])
    records += write_group(output, "model=bert-tiny", "optimizer.lr=1e-3", right=[180, 182, 181])
    claims = [
        {"claim": "dsn is as good", "metric": "test/accuracy", "kind": "difference", "where": {"model": "dsn"},
         "versus": {"model": "bert-tiny"}, "value": 0.0, "source": "a page"},
        {"claim": "on a phone", "metric": "test/accuracy", "value": 0.9, "where": {}, "why": "no phone here"},
    ]  # fmt: skip
    write_sweep(output, records, claims=claims, baseline="model=dsn", overrides=["model=dsn,bert-tiny", "data=demo"])
    return found


def test_compare_prints_groups_with_intervals_and_the_way_to_a_test(folder: Path) -> None:
    done = run_cli("compare", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (
        "model=bert-tiny" in done.stdout
        and "0.9050" in done.stdout
        and "Student's t interval over seeds" in done.stdout
    )
    assert "--baseline" in done.stdout and "p Holm" not in done.stdout


def test_compare_of_a_sweep_takes_its_baseline_and_its_claims(folder: Path) -> None:
    done = run_cli("compare", "a_sweep", "--claims", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "better by 0.15" in done.stdout and "not reproduced" in done.stdout
    assert "not testable here" in done.stdout and "no phone here" in done.stdout


def test_compare_writes_csv_and_markdown_that_other_tools_read(folder: Path) -> None:
    done = run_cli("compare", "model=dsn", "seed=0,1", "--format", "csv", cwd=folder)
    (line,) = csv.DictReader(io.StringIO(done.stdout))
    assert line["n"] == "2" and line["seeds"] == "0 1"
    done = run_cli("compare", "--format=markdown", "--baseline", "model=dsn", cwd=folder)
    assert done.stdout.startswith("# compared\n") and "| ---: |" in done.stdout


def test_compare_writes_a_report_where_it_is_told_to(folder: Path) -> None:
    done = run_cli("compare", "a_sweep", "--out", "there/report", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "Published against measured" in (folder / "there" / "report" / "report.html").read_text()
    assert "wrote" in done.stderr and (folder / "there" / "report" / "plots" / "seeds.png").is_file()


def test_a_narrow_terminal_gets_narrow_tables(folder: Path) -> None:
    done = run_cli("compare", "--baseline", "model=dsn", cwd=folder, env={"COLUMNS": "80"})
    tables = [line for line in done.stdout.splitlines() if line.startswith((" ", "m"))]
    assert (
        max(map(len, tables)) <= 80
        and "model=bert-tiny" in done.stdout
        and "…" not in done.stdout
        and "0.9050" in done.stdout
    )


BAD = [
    (["compare", "--metric", "test/acuracy"], "Try: --metric test/accuracy"),
    (["compare", "--metric", "test/mse"], "no selected run has it"),
    (["compare", "--metric", "nonsense"], "They have: "),
    (["compare", "--baseline", "model=bert"], "Groups: model=bert-tiny"),
    (["compare", "--baseline", "modle=dsn"], "did you mean model? Try: run compare --baseline model=..."),
    (["compare", "--claims"], "run compare <a sweep with claims> --claims"),
    (["compare", "--basline", "x"], "run compare --help"),
    (["compare", "--format", "pdf"], "invalid choice"),
    (["compare", "nosuch"], "Try: run compare model=dsn"),
    (["compare", "paths.output=elsewhere"], "run demo"),
    (["compare", "--out", "/proc/nowhere"], "cannot be created"),
    (["diff", "abc"], "two runs are needed, not 1"),
    (["diff", "zz", "yy"], "no run starts with 'zz'"),
    (["explain", "zz"], "no run starts with 'zz'"),
    (["explain", "paths.output=elsewhere"], "run demo"),
]


@pytest.mark.parametrize(("words", "cure"), BAD, ids=lambda words: " ".join(words) if isinstance(words, list) else "")
def test_a_mistake_is_one_message_with_the_cure_and_exit_code_2(words: list[str], cure: str, folder: Path) -> None:
    done = run_cli(*words, cwd=folder)
    assert done.returncode == 2 and cure in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("verb", ["compare", "diff", "explain"])
def test_each_verb_has_a_help(verb: str, folder: Path) -> None:
    done = run_cli(verb, "--help", cwd=folder)
    assert done.returncode == 0 and done.stdout.startswith(f"run {verb} ")


def test_diff_shows_settings_metrics_and_the_test(folder: Path) -> None:
    first = write_group(folder / "other", "model=dsn", right=[150], metrics={"test/f1": 0.75})[0]
    more = {"test/f1": 0.9, "cost/params": 4000}
    second = write_group(folder / "other", "model=dsn", "train.epochs=9", right=[180], metrics=more)[0]
    done = run_cli("diff", first["identity"][:6], second["identity"], "paths.output=other", cwd=folder, fresh=True)
    assert done.returncode == 0, done.stderr
    assert "train.epochs" in done.stdout and "optimizer.lr" not in done.stdout
    assert "cost/params " in done.stdout and "x 4" in done.stdout and "cost/macs" not in done.stdout
    assert f"test/accuracy: {second['identity']} against {first['identity']}: better by 0.1500" in done.stdout
    assert "McNemar on 200 examples" in done.stdout and "paired bootstrap on 200 examples" in done.stdout


@pytest.mark.parametrize("option", ["--baseline=model=dsn", "--metric=test/f1", "--format=csv", "--claims"])
def test_an_option_of_the_table_is_refused_beside_errors(option: str, folder: Path) -> None:
    with pytest.raises(ConfigError, match=rf"{option.partition('=')[0]} is for the table of runs"):
        compare(parse_words(["a", "b", "--errors", option, f"paths.output={folder / 'outputs'}"]))


def test_a_filter_beside_errors_is_no_run(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"'split=val' is not the id of a run\. Try: run compare A B --errors"):
        compare(parse_words(["a", "b", "split=val", "--errors", f"paths.output={folder / 'outputs'}"]))
