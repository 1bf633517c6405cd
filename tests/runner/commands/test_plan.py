"""`run plan`: what a sweep would do, said of one run as of several."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cli import dispatch
from runner.commands.plan import show_plan
from runner.sweep.plan import Job
from runner.sweep.settings import SweepSettings


@pytest.mark.parametrize(("seeds", "said"), [((0,), "1 run\n"), ((0, 1), "2 runs, 2 at a time\n")])
def test_one_run_has_no_number_at_a_time(seeds: tuple[int, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    show_plan([Job(seed, [f"seed={seed}"]) for seed in seeds], SweepSettings(name="pairs"), slots=2)
    assert capsys.readouterr().out.startswith(f"sweep pairs, {said}")


def test_a_word_that_is_no_setting_is_refused_with_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["plan", "latets"]) == 2
    assert capsys.readouterr().err == "run: 'latets' is not a setting, which is written key=value. Try: run --help\n"


@pytest.mark.parametrize("verb", [["plan", "model=dsn"], ["data"]])
def test_a_file_and_its_columns_may_have_any_letters(
    verb: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"film {row},{'öfke' if row % 2 else 'sevinç'}\n" for row in range(40))
    (tmp_path / "görüşler.csv").write_text(f"görüş,etiket\n{rows}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    words = ["data=files", "data.path=görüşler.csv", "data.text=görüş", "data.label=etiket", "data.positive=öfke"]
    assert dispatch([*verb, *words]) == 0
    assert "görüşler.csv" in capsys.readouterr().out
