"""The command as a user meets it: real processes, exit codes, files."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runner.record.folder import RECORD, find_record
from runner.record.json_files import write_json
from tests.conftest import REPO, crowding, run_cli
from tests.fork_server import environment_of, fork_server
from tests.records import read, record_json, records

SMALL = [
    "data=files", "data.text=review", "data.label=stars", "model.tokenizer=train", "model.vocab_size=120",
    "train.epochs=2", "measure=off",
]  # fmt: skip


def recorded(folder: Path) -> list[dict]:  # type: ignore[type-arg]
    return list(records(folder / "outputs"))


@pytest.mark.parametrize(
    "words", [["--help"], ["list"], ["list", "model"], ["optimizer.lrr=1"], ["modle=dsn"], ["--cfg", "job"]]
)
def test_help_lists_and_mistakes_answer_fast_and_import_no_torch(words: list[str], tmp_path: Path) -> None:
    script = f"""
import sys, runner.cli
sys.argv = ["run", *{words!r}]
try:
    runner.cli.main()
finally:
    heavy = {{"torch", "transformers", "datasets", "mlflow", "pandas", "pyarrow"}} & set(sys.modules)
    assert not heavy, heavy
"""
    for _ in range(3):  # the first may have to compile the modules
        seconds, said = cpu_seconds(script, tmp_path)
        assert "AssertionError" not in said
        limit = 1.0  # on an idle machine of today
        if seconds < limit:
            break
        limit = max(limit, 6 * cpu_seconds("import hydra", tmp_path)[0])  # the yardstick of a slow or busy one
        if seconds < limit:
            break
    assert seconds < limit
    assert list(tmp_path.iterdir()) == []


def cpu_seconds(script: str, folder: Path) -> tuple[float, str]:
    """Run a script in a new interpreter: the wall time as on an idle machine, and stderr."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    env = os.environ | {"PYTHONPATH": str(REPO)}
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, env=env)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stderr


def test_help_names_every_verb(tmp_path: Path) -> None:
    from runner.cli import VERBS

    text = run_cli("--help", cwd=tmp_path).stdout
    assert all(f"run {verb}" in text for verb in VERBS)


@pytest.mark.parametrize(("set_by_user", "found"), [(None, "1"), ("2", "2")])
def test_a_verb_uses_one_thread_of_numpys_library_unless_the_user_says_otherwise(
    set_by_user: str | None, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    if set_by_user:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", set_by_user)
    code = "\n".join(
        (
            "import os, sys",
            "from runner import cli",
            "sys.argv = ['run', '--version']",
            "try:",
            "    cli.main()",
            "finally:",
            "    print(os.environ['OPENBLAS_NUM_THREADS'])",
        )
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == found


@pytest.mark.parametrize("words", [["--cfg", "job"], ["--info", "config"], ["--hydra-help"]])
def test_hydras_own_flags_work(words: list[str], tmp_path: Path) -> None:
    done = run_cli(*words, cwd=tmp_path)
    assert done.returncode == 0 and done.stdout and not done.stderr


def test_a_flag_may_stand_between_settings(tmp_path: Path) -> None:
    shown = [
        run_cli(*words, cwd=tmp_path)
        for words in (["model=dsn", "--cfg", "job", "seed=3"], ["--cfg", "job", "model=dsn", "seed=3"])
    ]
    assert [done.returncode for done in shown] == [0, 0] and shown[0].stdout == shown[1].stdout
    assert "seed: 3" in shown[0].stdout


@pytest.mark.parametrize("words", [["-m", "--cfg", "job"], ["--run", "-m", "seed=1"], ["--info", "--cfg=job"]])
def test_flags_that_exclude_each_other_are_refused(words: list[str], tmp_path: Path) -> None:
    done = run_cli(*words, cwd=tmp_path)
    assert done.returncode == 2 and "exclude each other. Try" in done.stderr and "Traceback" not in done.stderr


def test_shell_completion_offers_the_models(tmp_path: Path) -> None:
    done = run_cli("-sc", "query=bash", cwd=tmp_path, env={"COMP_LINE": "run model=b", "COMP_POINT": "11"})
    assert "model=bert-tiny" in done.stdout.split()


BAD = [
    (["doctr"], "did you mean `run doctor`?"),
    (["train"], "Verbs: best, demo"),
    (["list", "modle"], "run list model"),
    (["show", "abc"], "no recorded run"),
    (["model=bert-tinny", "seed=-1"], "2 mistakes"),
    ([*SMALL, "data.path=nothing.csv"], "no such file"),
    ([*SMALL, "data.path=reviews.csv", "data.label=star"], "Try: data.label=stars"),
    ([*SMALL, "data.path=reviews.csv", "paths.output=/proc/nowhere"], "cannot be"),
    ([*SMALL, "data.path=reviews.csv", "device=cuda"], "device=cpu"),
    ([*SMALL, "data.path=reviews.csv", "data.max_length=600"], "data.max_length=512"),
    ([*SMALL, "data.path=reviews.csv", "model.tokenizer=./no-such-folder"], "model.tokenizer=train"),
]


@pytest.mark.parametrize(("words", "expected"), BAD)
def test_mistakes_are_one_message_exit_code_2_and_write_nothing(
    words: list[str], expected: str, reviews: Path, tmp_path: Path
) -> None:
    done = run_cli(*words, cwd=tmp_path, env={"HF_HUB_OFFLINE": "1"})
    assert done.returncode == 2, done.stderr
    assert expected in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("words", ["--help", "--cfg job", "list runs"])
@pytest.mark.parametrize("is_unbuffered", [False, True])
def test_nobody_reads_the_output_or_its_disk_is_full(words: str, is_unbuffered: bool, tmp_path: Path) -> None:
    folder = tmp_path / "outputs" / "0123456789"
    folder.mkdir(parents=True)
    write_json(folder / RECORD, record_json())  # list runs prints it by rich
    env = environment_of({"PYTHONUNBUFFERED": "1" if is_unbuffered else ""})
    reading, closed = os.pipe()
    os.close(reading)
    for target, code, said in ((closed, 141, ""), (os.open("/dev/full", os.O_WRONLY), 2, "No space left on device")):
        done = subprocess.run(
            [sys.executable, "-m", "runner.cli", *words.split()], cwd=tmp_path, env=env, stdout=target,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        os.close(target)
        assert done.returncode == code and said in done.stderr and len(done.stderr.splitlines()) == bool(said)


def test_closed_standard_streams_are_like_empty_ones(tmp_path: Path) -> None:
    """`run ... >&-` ended with a traceback after its work was done, and a file could take the number of the stream."""
    code = """
import sys, runner.cli
sys.argv = ["run", "list", "model"]
try:
    runner.cli.main()
except SystemExit as end:
    with open("said", "w") as file:
        file.write(f"{end.code} {file.fileno() > 2} {sys.stdin.read()!r}")
"""
    shell = ["sh", "-c", '"$0" -c "$1" <&- >&- 2>&-', sys.executable, code]
    subprocess.run(shell, cwd=tmp_path, env=environment_of({}), check=False)
    assert (tmp_path / "said").read_text(encoding="utf-8") == "0 True ''"


def test_an_error_that_follows_ctrl_c_is_an_interruption_and_any_other_is_not(tmp_path: Path) -> None:
    """Hydra closes a file that it has not opened where Ctrl-C comes before that."""
    code = """
import sys, runner.cli
def dispatch(words):
    try:
        if words:
            raise KeyboardInterrupt
    finally:
        file.close()
runner.cli.dispatch = dispatch
runner.cli.main()
"""
    for words, expected in ((["x"], 130), ([], 1)):
        done = subprocess.run([sys.executable, "-c", code, *words], cwd=REPO, capture_output=True, text=True)
        assert done.returncode == expected and ("Traceback" in done.stderr) == (expected == 1), done.stderr


def run_without_mlflow(words: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """`run` in a new interpreter, which fails if it has imported what a run without a tracker has no use for."""
    script = f"""
import sys, runner.cli
sys.argv = ["run", *{words!r}]
try:
    runner.cli.main()
finally:
    assert not {{"mlflow", "transformers", "datasets"}} & set(sys.modules)
"""
    env = os.environ | {"PYTHONPATH": str(REPO), "COLUMNS": "160"}
    return subprocess.run([sys.executable, "-c", script], cwd=cwd, capture_output=True, text=True, env=env)


def test_a_run_without_a_tracker_imports_no_mlflow_is_recorded_found_again_and_repeated_on_demand(
    reviews: Path, tmp_path: Path
) -> None:
    words = [*SMALL, f"data.path={reviews}", "model=dsn", "tracker=none"]
    done = run_without_mlflow(words, tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "outputs" / "mlflow.db").exists()
    assert "epoch   2" in done.stdout and "test/accuracy" in done.stdout
    (record,) = recorded(tmp_path)
    folder = tmp_path / "outputs" / record["identity"]
    assert record["status"] == "done" and record["overrides"] == words
    for key in ("identity", "status", "reason", "config", "overrides", "metrics", "stages", "environment", "started",
                "ended", "schema_version"):  # fmt: skip
        assert key in record
    for name in ("test/accuracy", "val/accuracy", "time/train_s"):
        assert name in record["metrics"]
    for name in (
        "metrics.jsonl",
        "predictions-val.parquet",
        "predictions-test.parquet",
        "model/config.json",
        "model/tokenizer.json",
        "model/README.md",
    ):
        assert (folder / name).is_file()
    assert not list(tmp_path.rglob("*.part*")) and not (folder / "checkpoints").exists()

    again = run_cli(*words, "train.threads=2", cwd=tmp_path)
    assert "is finished already" in again.stdout and read(folder) == record
    forced = run_cli(*words, "force=true", cwd=tmp_path)
    assert forced.returncode == 0
    (new,) = recorded(tmp_path)
    assert new["started"] != record["started"]
    timing = ("time/", "train/examples_per_s", "train/tokens_per_s")
    same = {k: v for k, v in record["metrics"].items() if not k.startswith(timing)}
    assert same == {k: v for k, v in new["metrics"].items() if not k.startswith(timing)}, "the seed fixes everything"
    other = run_cli(*words, "seed=1", cwd=tmp_path)
    assert other.returncode == 0 and len(recorded(tmp_path)) == 2
    shown = run_cli("show", record["identity"][:4], cwd=tmp_path)
    assert shown.returncode == 0 and "test/accuracy" in shown.stdout


def test_predictions_agree_with_the_recorded_score(reviews: Path, tmp_path: Path) -> None:
    import pandas as pd

    run_cli(*SMALL, f"data.path={reviews}", "model=dsn", "tracker=none", "train.epochs=4", cwd=tmp_path)
    (record,) = recorded(tmp_path)
    table = pd.read_parquet(tmp_path / "outputs" / record["identity"] / "predictions-test.parquet")
    assert (table.label == table.prediction).mean() == pytest.approx(record["metrics"]["test/accuracy"])
    assert list(table.columns) == [
        "row", "source_row", "label", "prediction", "logit_0", "logit_1", "label_name", "prediction_name",
    ]  # fmt: skip


def test_the_recorded_model_opens_and_predicts_the_same(reviews: Path, tmp_path: Path) -> None:
    run_cli(
        *SMALL,
        f"data.path={reviews}",
        "model=bert-tiny",
        "model.pretrained=null",
        "tracker=none",
        cwd=tmp_path,
    )
    (record,) = recorded(tmp_path)
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = tmp_path / "outputs" / record["identity"] / "model"
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert model.config.id2label == {0: "1", 1: "5"}
    assert torch.isfinite(model(**tokenizer("the lovely film", return_tensors="pt")).logits).all()


def test_a_sweep_runs_every_combination_and_compares(reviews: Path, tmp_path: Path) -> None:
    words = ["-m", *SMALL, f"data.path={reviews}", "model=dsn", "tracker=none", "seed=0,1"]
    done = run_cli(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(recorded(tmp_path)) == 2 and "compared" in done.stdout


def test_a_failing_run_is_recorded_and_its_siblings_go_on(reviews: Path, tmp_path: Path) -> None:
    words = [
        "-m",
        *SMALL,
        f"data.path={reviews}",
        "model=dsn",
        "tracker=none",
        "optimizer=sgd",
        "train.clip_norm=0",
    ]
    done = run_cli(*words, "optimizer.lr=99,0.01", "train.epochs=1", "model.initializer_range=1.0",
                   "model/readout=sum", "schedule.warmup=0", "train.precision=fp32", cwd=tmp_path)  # fmt: skip
    states = sorted(record["status"] for record in recorded(tmp_path))
    assert states in (["done", "failed"], ["done", "done"])
    assert done.returncode == (1 if "failed" in states else 0)


def mirrored(folder: Path) -> list[str]:
    """The status of each run in MLflow's store."""
    if not (store := folder / "outputs" / "mlflow.db").exists():
        return []
    with sqlite3.connect(store) as connection:
        return [row[0] for row in connection.execute("select status from runs")]


def interrupted(words: list[str], cwd: Path) -> tuple[int, float]:
    """Exit code and seconds to the end of a run that gets Ctrl-C once it trains and the tracker's helper has begun."""

    def known() -> int:
        return len(list((cwd / "outputs").glob("*/mlflow.json")))

    before = known()
    process = fork_server().start("runner.cli", words, cwd, environment_of({}))
    deadline = time.monotonic() + 60
    while known() == before and time.monotonic() < deadline:
        time.sleep(0.05)
    started = time.perf_counter()
    process.send_signal(signal.SIGINT)
    code = process.wait(30)
    return code, time.perf_counter() - started


def test_ctrl_c_ends_within_two_seconds_and_is_recorded(reviews: Path, tmp_path: Path) -> None:
    words = [*SMALL, f"data.path={reviews}", "model=dsn", "train.epochs=5000"]
    for seed in range(3):  # a busy machine gets three tries at the two seconds, never at the rest
        code, seconds = interrupted([*words, f"seed={seed}"], tmp_path)
        assert code == 130
        for _ in range(600):  # the helper may finish after us
            if set(mirrored(tmp_path)) == {"KILLED"}:
                break
            time.sleep(0.1)
        assert mirrored(tmp_path) == ["KILLED"] * (seed + 1)
        limit = 2.0 * crowding()
        if seconds < limit:
            break
    assert seconds < limit
    record = recorded(tmp_path)[-1]
    assert record["status"] == "killed" and record["reason"] == "interrupted"
    assert not list(tmp_path.rglob("*.part"))


def test_after_sigkill_the_same_command_resumes_to_the_same_result(reviews: Path, tmp_path: Path) -> None:
    words = [*SMALL, f"data.path={reviews}", "model=dsn", "tracker=none", "train.epochs=120"]
    straight = run_cli(*words, "paths.output=straight", cwd=tmp_path)
    assert straight.returncode == 0
    process = fork_server().start("runner.cli", [*words, "checkpoint.every_s=0.05"], tmp_path, environment_of({}))
    end = time.monotonic() + 120
    while not list((tmp_path / "outputs").glob("*/checkpoints/*.json")) and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert recorded(tmp_path)[0]["status"] == "running"
    assert run_cli(*words, cwd=tmp_path).returncode == 0
    (resumed,) = recorded(tmp_path)
    (expected,) = records(tmp_path / "straight")
    assert resumed["resumed_from_step"] > 0 and expected["resumed_from_step"] == 0
    assert resumed["identity"] == expected["identity"]
    for name, value in expected["metrics"].items():
        if name.startswith(("test/", "val/", "train/best")):
            assert resumed["metrics"][name] == value, name


def test_two_processes_on_a_fresh_store_and_cache_both_succeed_and_run_once(reviews: Path, tmp_path: Path) -> None:
    environment = environment_of({"BERTIER_CACHE": str(tmp_path / "cache")})
    words = [*SMALL, f"data.path={reviews}", "model=dsn", "tracker.wait_s=120"]
    children = [
        fork_server().start("runner.cli", [*words, f"seed={seed}"], tmp_path, environment) for seed in (0, 1, 1)
    ]
    said = [child.communicate() for child in children]
    assert [child.wait() for child in children] == [0, 0, 0], said
    assert len(recorded(tmp_path)) == 2
    assert sum("finished already" in out for out, _ in said) == 1
    with sqlite3.connect(tmp_path / "outputs" / "mlflow.db") as store:
        assert store.execute("select status, count(*) from runs group by 1").fetchall() == [("FINISHED", 2)]


def test_doctor_reports_versions_threads_backend_hub_and_store(tmp_path: Path) -> None:
    done = run_cli("doctor", cwd=tmp_path, env={"HF_ENDPOINT": "http://127.0.0.1:9"})
    assert "engine.gemm=auto is" in done.stdout
    assert done.returncode == 1, "the hub does not answer"
    for word in ("torch", "threads", "GFLOP/s", "does not answer", "store"):
        assert word in done.stdout


def test_a_corrupt_store_does_not_lose_the_run(reviews: Path, tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "mlflow.db").write_bytes(b"not a database" * 100)
    done = run_cli(*SMALL, f"data.path={reviews}", "model=dsn", cwd=tmp_path)
    assert done.returncode == 0 and "Traceback" not in done.stdout + done.stderr
    assert recorded(tmp_path)[0]["status"] == "done" and "run sync" in done.stdout
    with pytest.raises(ValueError):
        find_record(tmp_path / "outputs", "zzz")


def test_pairs_and_regression_run_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    rows = [{"a": f"one {i}", "b": "two words here", "score": i % 7 + 0.5} for i in range(90)]
    path.write_text("\n".join(map(json.dumps, rows)))
    words = ["data=files", "data.path=pairs.jsonl", "data.text=a", "data.text_pair=b", "data.label=score",
             "model.tokenizer=train", "model=dsn", "train.epochs=1", "measure=off", "tracker=none"]  # fmt: skip
    done = run_cli(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "test/spearman" in recorded(tmp_path)[0]["metrics"]
