"""One run from its command to its record: made, found again, made again."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path

import pytest

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import CLOSED_PIPE, ConfigError
from runner.experiment.context import RunContext
from runner.experiment.run import run
from runner.record import writer
from runner.record.folder import read_record
from runner.schema import Settings
from runner.tune.trial_pruning import Pruned

WORDS = [
    "model=dsn", "data=demo", "data.demo_rows=60", "train.epochs=2", "train.threads=1", "measure=off", "tracker=none",
]  # fmt: skip


def settings(folder: Path, *words: str) -> Settings:
    places = [f"paths.output={folder / 'outputs'}", f"paths.cache={folder / 'cache'}"]
    return resolve(compose([*WORDS, *places, *words]))


def test_a_finished_run_is_found_again_unless_it_is_forced(tmp_path: Path) -> None:
    first = run(settings(tmp_path), WORDS)
    assert first.exit_code == 0 and first.record and first.record.status == "done" and not first.was_done
    assert first.record.overrides == WORDS and first.record.headline is not None
    assert read_record(tmp_path / "outputs" / first.record.identity) == first.record, "the file says the same"
    again = run(settings(tmp_path), WORDS)
    assert again.was_done and again.record == first.record
    forced = run(settings(tmp_path, "force=true"), WORDS)
    assert forced.record and not forced.was_done and forced.record.identity == first.record.identity
    assert forced.record.metrics["test/loss"] == first.record.metrics["test/loss"], "bit for bit"


def test_resume_must_refuses_a_run_that_never_began(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="resume=must"):
        run(settings(tmp_path, "resume=must"), WORDS)
    assert not (tmp_path / "outputs").exists(), "refused before anything is written"


def test_a_search_may_end_a_run_after_an_epoch(tmp_path: Path) -> None:
    def watch(epoch: int, score: float) -> None:
        raise Pruned(f"pruned after epoch {epoch}")

    outcome = run(settings(tmp_path, "resume=never"), WORDS, RunContext(watch=watch))
    assert outcome.exit_code == 0 and outcome.record
    assert (outcome.record.status, outcome.record.reason) == ("killed", "pruned after epoch 1")
    assert outcome.record.pruned


def test_a_failure_is_recorded_with_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ValueError("no such thing")

    monkeypatch.setattr("runner.experiment.stages.evaluate", fails)
    outcome = run(settings(tmp_path), WORDS)
    assert outcome.exit_code == 1 and outcome.record and outcome.record.reason == "ValueError: no such thing"
    error = (tmp_path / "outputs" / outcome.record.identity / "error.txt").read_text(encoding="utf-8")
    assert "Traceback" in error and "no such thing" in error


def test_ctrl_c_while_the_finished_record_is_written_leaves_a_finished_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, interrupted = writer.write_json, list[str]()

    def interrupt(path: Path, content: Mapping[str, object]) -> None:
        if content.get("status") == "done" and not interrupted:
            interrupted.append("once")
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(writer, "write_json", interrupt)
    outcome = run(settings(tmp_path), WORDS)
    assert outcome.exit_code == 130 and outcome.record and interrupted
    found = read_record(tmp_path / "outputs" / outcome.record.identity)
    assert found and found.status == outcome.record.status == "done"


@pytest.mark.parametrize(
    ("end", "code", "reason"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (SystemExit(1), CLOSED_PIPE, "the reader of its output closed the pipe"),
    ],
)
def test_an_interruption_is_recorded_and_is_one_on_a_full_disk_too(
    end: BaseException, code: int, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise end

    def is_full(path: Path, content: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    def stop_full(*_: object) -> None:
        monkeypatch.setattr(writer, "write_json", is_full)
        raise end

    for watch in (stop, stop_full):
        outcome = run(settings(tmp_path, "resume=never"), WORDS, RunContext(watch=watch))
        assert outcome.exit_code == code and outcome.record
        assert (outcome.record.status, outcome.record.reason) == ("killed", reason)
