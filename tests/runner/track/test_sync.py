from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runner.record.added_metrics import add_metrics
from runner.track import sync
from runner.track.connection import MlflowTarget, connect
from runner.track.errors import TrackError
from runner.track.settings import TrackerSettings
from runner.track.sync import sync_run
from tests.runner.track.folders import CLOCK, add_points, state, write_record, write_run

SETTINGS = TrackerSettings()


def runs(target: MlflowTarget) -> list[Any]:
    return list(target.client.search_runs([target.experiment_id], order_by=["attributes.start_time"]))


def history(target: MlflowTarget, name: str) -> list[tuple[int, float]]:
    points = target.client.get_metric_history(runs(target)[-1].info.run_id, name)
    return [(point.step, point.value) for point in points]


def files(target: MlflowTarget, folder: str | None = None) -> list[str]:
    return sorted(item.path for item in target.client.list_artifacts(runs(target)[-1].info.run_id, folder))


def test_a_finished_run_is_mirrored_whole(output: Path, target: MlflowTarget) -> None:
    assert sync_run(write_run(output / "abc"), SETTINGS, target) == "created"
    (run,) = runs(target)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "dsn imdb seed=3")
    assert run.info.start_time == CLOCK * 1000
    assert run.info.end_time == run.info.start_time + 60_000
    assert run.data.params["model.width"] == "0.125"
    assert run.data.params["model.pretrained"] == "null"
    assert run.data.params["compression"] == "{}"
    wanted = {
        "identity": "abc",
        "model": "dsn",
        "data": "imdb",
        "seed": "3",
        "status": "done",
        "code_version": "1.0",
    }
    assert run.data.tags.items() >= wanted.items()
    assert run.data.tags["mlflow.source.name"] == "run model=dsn data=imdb"
    assert run.data.tags["mlflow.source.git.commit"] == "c0ffee"
    assert history(target, "at_step/train_loss") == [(step, 1.0 / step) for step in range(1, 5)]
    assert history(target, "test/accuracy") == [(0, 0.75)], "without a curve it is drawn as a bar"
    (used,) = run.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("imdb", "f" * 16)
    assert json.loads(used.dataset.profile) == {"rows": {"train": 90, "test": 10}}
    assert files(target) == ["plots", "report.html", "run"] and files(target, "plots") == ["plots/curves.png"]
    others = ["log.txt", "metrics.jsonl", "model", "predictions-test.parquet", "record.json"]
    assert files(target, "run") == [f"run/{name}" for name in others]
    assert files(target, "run/model") == ["run/model/config.json", "run/model/model.safetensors"]
    assert state(output / "abc").items() >= {"points": 4, "artifacts": True, "status": "done"}.items()


def test_a_second_sync_adds_nothing(output: Path, target: MlflowTarget) -> None:
    folder = write_run(output / "abc")
    sync_run(folder, SETTINGS, target)
    before, when = (
        target.client.get_run(state(folder)["run_id"]).to_dictionary(),
        (folder / "mlflow.json").stat(),
    )
    assert sync_run(folder, SETTINGS, connect(SETTINGS, output)) == "unchanged"
    assert target.client.get_run(state(folder)["run_id"]).to_dictionary() == before
    assert (folder / "mlflow.json").stat().st_mtime_ns == when.st_mtime_ns
    assert len(history(target, "at_step/train_loss")) == 4


def test_pages_that_are_written_after_the_run_follow_once(output: Path, target: MlflowTarget) -> None:
    folder = write_run(output / "abc")
    sync_run(folder, SETTINGS, target)
    (folder / "errors.html").write_text("<p>mistakes</p>", encoding="utf-8")
    (folder / "errors.csv").write_text("row\n1\n", encoding="utf-8")
    assert [sync_run(folder, SETTINGS, target) for _ in range(2)] == ["updated", "unchanged"]
    assert files(target) == ["errors.html", "plots", "report.html", "run"] and "run/errors.csv" in files(target, "run")
    (folder / "errors.html").write_text("<p>more</p>", encoding="utf-8")
    assert sync_run(folder, TrackerSettings(artifacts="record"), target) == "unchanged"
    assert sync_run(folder, SETTINGS, target) == "updated"
    stored = target.client.download_artifacts(runs(target)[-1].info.run_id, "errors.html", str(output))
    assert Path(stored).read_text() == "<p>more</p>"


def test_a_running_run_grows_point_by_point_until_it_ends(output: Path, target: MlflowTarget) -> None:
    folder = write_record(output / "abc", status="running", ended=None, metrics={})
    assert sync_run(folder, SETTINGS, target) == "created"
    assert runs(target)[0].info.status == "RUNNING"
    add_points(folder, range(1, 3))
    assert sync_run(folder, SETTINGS, target) == "updated"
    assert len(history(target, "at_step/train_loss")) == 2
    with (folder / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 3, "time": 17')  # the run is in the middle of this line
    assert sync_run(folder, SETTINGS, target) == "unchanged"
    with (folder / "metrics.jsonl").open("a") as stream:
        stream.write('67323048.0, "train/loss": 0.5}\n')
    write_record(folder)
    assert sync_run(folder, SETTINGS, target) == "updated"
    assert history(target, "at_step/train_loss") == [(1, 1.0), (2, 0.5), (3, 0.5)]
    assert [run.info.status for run in runs(target)] == ["FINISHED"]


@pytest.mark.parametrize(("status", "shown"), [("done", "FINISHED"), ("failed", "FAILED"), ("killed", "KILLED")])
def test_each_end_of_a_run_is_shown_as_such(output: Path, target: MlflowTarget, status: str, shown: str) -> None:
    sync_run(write_record(output / "abc", status=status, reason="because"), SETTINGS, target)
    assert runs(target)[0].info.status == shown
    assert runs(target)[0].data.tags["reason"] == "because"


def test_a_resumed_run_goes_on_in_its_mirror(output: Path, target: MlflowTarget) -> None:
    folder = write_record(output / "abc", status="killed", reason="interrupted", metrics={})
    add_points(folder, range(1, 5))
    sync_run(folder, SETTINGS, target)
    assert runs(target)[0].data.tags["reason"] == "interrupted"
    (folder / "metrics.jsonl").unlink()  # back to the checkpoint after step 2, then other lines
    add_points(folder, range(1, 3))
    add_points(folder, range(3, 7), **{"train/loss": 9.0}, time=CLOCK + 100)
    write_record(folder, status="running", ended=None, metrics={})
    sync_run(folder, SETTINGS, target)
    assert [run.info.status for run in runs(target)] == ["RUNNING"]
    write_record(folder, ended="2026-01-02T03:09:05+00:00")
    sync_run(folder, SETTINGS, target)
    (run,) = runs(target)
    assert run.info.status == "FINISHED" and "reason" not in run.data.tags
    assert run.data.metrics["at_step/train_loss"] == 9.0
    assert {(step, 9.0) for step in range(3, 7)} <= set(history(target, "at_step/train_loss"))


@pytest.mark.parametrize("status", ["killed", "running"])  # Ctrl-C, kill -9
def test_points_that_a_resumed_run_logs_again_are_in_mlflow_once(
    output: Path, target: MlflowTarget, status: str
) -> None:
    ended = "2026-01-02T03:04:30+00:00" if status == "killed" else None
    folder = write_record(output / "abc", status=status, ended=ended)
    add_points(folder, range(1, 5), **{"train/examples_per_s": 5.0})
    sync_run(folder, SETTINGS, target)
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "metrics.jsonl").write_text("".join(lines[:2]), encoding="utf-8")  # the checkpoint is after step 2
    write_record(folder, status="running", ended=None)
    for steps in (range(3, 5), range(5, 7)):  # the same values, at other times
        sync_run(folder, SETTINGS, target)
        for step in steps:
            add_points(folder, range(step, step + 1), **{"train/examples_per_s": 5.0, "time": CLOCK + 100 + step})
    sync_run(folder, SETTINGS, target)
    write_record(folder, ended="2026-01-02T03:09:05+00:00")
    sync_run(folder, SETTINGS, target)
    assert history(target, "at_step/train_loss") == [(step, 1.0 / step) for step in range(1, 7)]
    assert history(target, "detail/train/examples_per_s") == [(step, 5.0) for step in range(1, 7)]


def test_a_forced_rerun_supersedes_the_older_one(output: Path, target: MlflowTarget) -> None:
    folder = write_run(output / "abc")
    sync_run(folder, SETTINGS, target)
    write_record(folder, started="2026-01-03T00:00:00+00:00", ended="2026-01-03T00:01:00+00:00")
    assert sync_run(folder, SETTINGS, target) == "created"
    older, newer = runs(target)
    assert older.data.tags["superseded"] == "true"
    assert "superseded" not in newer.data.tags
    assert state(folder)["run_id"] == newer.info.run_id
    assert len(history(target, "at_step/train_loss")) == 4


def test_a_lost_mlflow_json_makes_no_duplicate(output: Path, target: MlflowTarget) -> None:
    folder = write_run(output / "abc")
    sync_run(folder, SETTINGS, target)
    (folder / "mlflow.json").unlink()
    sync_run(folder, SETTINGS, target)
    assert len(runs(target)) == 1
    assert len(history(target, "at_step/train_loss")) == 4
    assert len(history(target, "test/accuracy")) == 1
    assert state(folder)["points"] == 4


def test_a_lost_store_is_filled_again(output: Path, empty_store: Path, target: MlflowTarget) -> None:
    folder = write_run(output / "abc")
    sync_run(folder, SETTINGS, target)
    other = TrackerSettings(uri=f"sqlite:///{output}/other.db")
    (output / "other.db").write_bytes(empty_store.read_bytes())
    second = connect(other, output)
    assert sync_run(folder, other, second) == "created"
    assert len(history(second, "at_step/train_loss")) == 4


def test_labels_with_any_characters_are_mirrored(output: Path, target: MlflowTarget) -> None:
    names = {"c#": "sharp", "n/a": "other"}
    folder = write_run(output / "abc", config={"words": {"label_names": names, "named": {"0": "no", "1": "yes"}}})
    assert sync_run(folder, SETTINGS, target) == "created"
    (run,) = runs(target)
    assert json.loads(run.data.params["words.label_names"]) == names
    assert run.data.params["words.named.1"] == "yes"


def test_a_run_deleted_in_mlflow_is_left_alone(output: Path, target: MlflowTarget) -> None:
    folder = write_run(output / "abc")
    sync_run(folder, SETTINGS, target)
    target.client.delete_run(state(folder)["run_id"])
    assert sync_run(folder, SETTINGS, target) == "unchanged"
    assert runs(target) == []


def test_values_that_are_not_finite_are_left_out_and_named(output: Path, target: MlflowTarget) -> None:
    folder = write_record(output / "abc", metrics={"test/loss": float("nan"), "test/accuracy": 0.5})
    add_points(folder, range(1, 2), **{"train/grad_norm": float("inf")})
    sync_run(folder, SETTINGS, target)
    (run,) = runs(target)
    assert set(run.data.metrics) == {"at_step/train_loss", "at_step/train_lr", "test/accuracy"}
    assert run.data.tags["non_finite"] == "test/loss, train/grad_norm"


def test_a_run_that_has_learned_nothing_has_a_tag_until_it_has(output: Path, target: MlflowTarget) -> None:
    folder = write_run(output / "cafecafe00")
    for score, tag in ((0.5, "true"), (0.9, None)):
        write_record(folder, metrics={"test/accuracy": score, "baseline/majority": 0.5})
        sync_run(folder, TrackerSettings(), target)
        (run,) = [run for run in runs(target) if run.data.tags["identity"] == "cafecafe00"]
        assert run.data.tags.get("at_baseline") == tag


def test_more_params_points_and_text_than_one_call_takes_are_sent(output: Path, target: MlflowTarget) -> None:
    config = {"model": {"name": "dsn"}, "many": {f"k{i}": i for i in range(250)}, "long": "x" * 7000}
    folder = add_points(write_record(output / "abc", config=config), range(1, 1201))
    sync_run(folder, SETTINGS, target)
    (run,) = runs(target)
    assert len(run.data.params) == 259
    assert len(run.data.params["long"]) == 6000
    assert len(history(target, "at_step/train_loss")) == 1200


def test_no_credential_reaches_mlflow_or_the_folder(output: Path, target: MlflowTarget) -> None:
    uri = "http://me:secret@host:5000"
    folder = write_record(output / "abc", config={"tracker": {"uri": uri}}, overrides=[f"tracker.uri={uri}"])
    sync_run(folder, SETTINGS, target)
    (run,) = runs(target)
    assert run.data.params["tracker.uri"] == "http://***@host:5000"
    assert "secret" not in json.dumps(run.to_dictionary())
    copy = target.client.download_artifacts(run.info.run_id, "run/record.json", str(output))
    assert "secret" not in Path(copy).read_text()
    assert "secret" not in (folder / "mlflow.json").read_text()


@pytest.mark.parametrize(("choice", "expected"), [("record", ["run/record.json"]), ("none", [])])
def test_artifacts_are_as_many_as_asked_for(
    output: Path, target: MlflowTarget, choice: str, expected: list[str]
) -> None:
    sync_run(write_run(output / "abc"), TrackerSettings(artifacts=choice), target)
    assert [name for folder in files(target) for name in files(target, folder)] == expected
    assert state(output / "abc")["artifacts"] is (choice == "record")


@pytest.mark.parametrize("after_s", [9, 9999])  # before and after the end of the run: a clock that was set back
def test_a_final_value_is_shown_over_a_point_of_its_step(output: Path, target: MlflowTarget, after_s: int) -> None:
    folder = write_record(output / "abc", metrics={"train/tokens_per_s": 7.0, "train/epoch": 3.0})
    points = {"train/tokens_per_s": 6.0, "train/epoch": 3.0}
    add_points(folder, range(9, 10), **points, time=CLOCK + after_s)
    sync_run(folder, SETTINGS, target)
    assert runs(target)[0].data.metrics["detail/train/tokens_per_s"] == 7.0
    assert history(target, "detail/train/epoch") == [(9, 3.0)]  # an equal value is not repeated


def test_a_folder_without_a_record_is_told(output: Path, target: MlflowTarget) -> None:
    with pytest.raises(TrackError, match=r"not a run folder: it has no record.json"):
        sync_run(output, SETTINGS, target)


def test_a_deleted_experiment_is_told_with_a_way_out(output: Path, target: MlflowTarget) -> None:
    target.client.delete_experiment(target.experiment_id)
    with pytest.raises(TrackError, match=r"'bertier' was deleted. Try: tracker.experiment="):
        connect(SETTINGS, output)


def test_metrics_that_were_measured_after_the_run_are_sent_once_and_again_when_they_change(
    output: Path, target: MlflowTarget
) -> None:
    folder = write_run(output / "abc")
    sync_run(folder, SETTINGS, target)
    started = json.loads((folder / "record.json").read_text())["started"]
    add_metrics(folder, started, {"pairs/blimp_pll": 0.6})
    assert sync_run(folder, SETTINGS, target) == "updated"
    assert sync_run(folder, SETTINGS, target) == "unchanged"
    assert history(target, "pairs/blimp_pll") == [(0, 0.6)]
    add_metrics(folder, started, {"pairs/turblimp_word": 0.7})
    assert sync_run(folder, SETTINGS, target) == "updated"
    assert (history(target, "pairs/blimp_pll")[-1], history(target, "pairs/turblimp_word")) == ((0, 0.6), [(0, 0.7)])
    add_metrics(folder, "another start", {"pairs/blimp_pll": 0.9})
    assert sync_run(folder, SETTINGS, target) == "updated", "what was measured of other weights is none of this run"
    assert history(target, "pairs/blimp_pll")[-1] == (0, 0.6)


def test_a_run_that_ended_while_its_mirror_waited_stays_finished(
    output: Path, target: MlflowTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, attempt = write_run(output / "abc", status="running"), sync.attempt

    def wait_for_another(*arguments: Any) -> str:
        monkeypatch.setattr(sync, "attempt", attempt)
        write_record(folder, status="done")
        sync_run(folder, SETTINGS, target)
        return attempt(*arguments)

    monkeypatch.setattr(sync, "attempt", wait_for_another)
    sync_run(folder, SETTINGS, target)
    (run,) = runs(target)
    assert (run.info.status, state(folder)["status"]) == ("FINISHED", "done")


@pytest.mark.parametrize("refusals", [1, 2])
def test_a_dataset_that_another_run_inserts_at_that_moment_is_sent_again(
    output: Path, target: MlflowTarget, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    from mlflow.exceptions import MlflowException

    folder, log_inputs, calls = write_run(output / "abc"), target.client.log_inputs, list[str]()

    def insert(run_id: str, **given: Any) -> None:
        calls.append(run_id)
        if len(calls) <= refusals:
            raise MlflowException("UNIQUE constraint failed: datasets.experiment_id, datasets.name, datasets.digest")
        log_inputs(run_id, **given)

    monkeypatch.setattr(target.client, "log_inputs", insert)
    if refusals == 2:
        with pytest.raises(TrackError, match="UNIQUE constraint failed"):
            sync_run(folder, SETTINGS, target)
        return
    sync_run(folder, SETTINGS, target)
    (run,) = runs(target)
    assert run.info.status == "FINISHED" and len(run.inputs.dataset_inputs) == 1 and state(folder)["problem"] is None
