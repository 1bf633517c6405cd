"""BERTVision as a user meets it: one command tunes, freezes, keeps and trains; transfers; and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.experiment.dependencies.encoder import encoder_overrides, encoder_settings
from runner.record.folder import read_all_records
from runner.record.identity import identify
from runner.record.record import RunRecord
from tests.conftest import run_cli

SMALL = [
    "data=files", "data.text=review", "data.label=stars", "model.tokenizer=train", "model.vocab_size=120",
    "model.pretrained=null", "measure=off", "tracker=none",
]  # fmt: skip
TINY = ["model=bertvision", "model/backbone=bert-tiny", "train.epochs=2", *SMALL]


def recorded(folder: Path) -> dict[str, RunRecord]:
    """The records by model name."""
    return {record.config["model"]["name"]: record for record in read_all_records(folder / "outputs")[0]}


def test_one_command_tunes_the_encoder_in_a_run_of_its_own_and_trains_the_head(reviews: Path, tmp_path: Path) -> None:
    command = [*TINY, f"data.path={reviews}", "model.tune.epochs=0.5"]
    done = run_cli(*command, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    encoder, head = recorded(tmp_path)["bert-tiny"], recorded(tmp_path)["bertvision"]
    assert encoder.config["train"]["epochs"] == 0.5 and encoder.config["optimizer"]["lr"] == 3e-4
    assert head.weights.source.endswith(f"{encoder.identity}/model")
    metrics = head.metrics
    assert metrics["cost/params_trained"] == 128 * 16 + 16 + 128 * 3 * 16 * 2 + 2
    assert metrics["cost/params"] == metrics["cost/params_deployed"] > 400_000
    assert metrics["time/tune_s"] == encoder.metrics["time/train_s"]
    assert metrics["cost/bytes_cache"] > 0 and "GB" in done.stdout and "cost/params_trained" in done.stdout

    alone = run_cli(*encoder.overrides, cwd=tmp_path)
    assert "is finished already" in alone.stdout, "the record says how to make the tuning run"
    again = run_cli(*command, cwd=tmp_path)
    assert again.stdout.count("is finished already") == 2
    other = run_cli(*command, "model/readout=cls_layers", cwd=tmp_path)
    assert other.returncode == 0 and other.stdout.count("is finished already") == 1
    assert len(list((tmp_path / "outputs").glob("*/record.json"))) == 3
    table = run_cli("compare", cwd=tmp_path).stdout
    assert "trained" in table and "deployed" in table and f"{128 * 16 + 16 + 128 * 3 * 16 * 2 + 2:,}" in table


def test_a_finished_head_is_compressed_without_tuning_its_encoder_again(reviews: Path, tmp_path: Path) -> None:
    command = [*TINY, f"data.path={reviews}", "model.tune.epochs=0.5", "train.epochs=1"]
    assert run_cli(*command, cwd=tmp_path).returncode == 0
    finished = recorded(tmp_path)["bertvision"].identity
    options = ["compression=[int8]", f"from={finished[:8]}", "measure=off", "tracker=none"]
    done = run_cli(*options, cwd=tmp_path)
    assert done.returncode == 0 and "tuning the encoder" not in done.stdout, done.stderr
    assert len(list((tmp_path / "outputs").glob("*/record.json"))) == 3


def test_an_encoder_and_its_head_go_on_to_other_data(reviews: Path, tmp_path: Path) -> None:
    first = [*TINY, f"data.path={reviews}", "model.tune.epochs=0", "model.readout.pool=masked_mean"]
    assert run_cli(*first, cwd=tmp_path).returncode == 0
    source = recorded(tmp_path)["bertvision"].identity
    (tmp_path / "other.csv").write_text(reviews.read_text().replace("film", "book"))
    transfer = [word for word in first if not word.startswith("model.tokenizer")]
    moved = [*transfer, "data.path=other.csv", f"model.init_from={source[:6]}", "train.epochs=1"]
    done = run_cli(*moved, "model.carry=readout", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = read_all_records(tmp_path / "outputs")[0][-1]
    assert record.weights.new == ["classifier.weight", "classifier.bias"]
    assert source in record.weights.source and record.tokenizer.source == record.weights.source

    wrong = {
        "model/backbone=bert-mini": "a different architecture: layers 2 and not 4",
        "model.tokenizer=train": "a vocabulary other than",
        "model.init_from=nothing": "no run starts with 'nothing'",
    }
    before = len(list((tmp_path / "outputs").iterdir()))
    for change, message in wrong.items():
        done = run_cli(*moved, *change.split(), cwd=tmp_path)
        assert done.returncode == 2 and message in done.stderr, (change, done.stderr)
        assert "Traceback" not in done.stderr
    assert len(list((tmp_path / "outputs").iterdir())) == before, "refused before anything is written"


def test_modules_inside_a_frozen_encoder_train_without_a_cache_and_are_measured(reviews: Path, tmp_path: Path) -> None:
    command = [*TINY, f"data.path={reviews}", "model/readout=parasite", "model.tune.epochs=0", "measure=quick"]
    command += ["data.max_length=32", "train.epochs=1", "measure.baseline=null", "measure.lengths=[32]"]
    done = run_cli(*command, cwd=tmp_path)
    assert done.returncode == 0 and "activations are not kept" in done.stdout, done.stderr
    metrics = recorded(tmp_path)["bertvision"].metrics
    trained = 2 * (32 + 128 + 128 * 16 + 16 + 16 * 128 + 128) + 128 * 2 + 2
    assert metrics["cost/params_trained"] == trained < metrics["cost/params_deployed"]
    assert metrics["speed/latency_ms_p50_b1_s32"] > 0 and "cost/bytes_cache" not in metrics


REFUSED = [
    (["model/readout=parasite", "model.readout.length=8"], "Try: model.readout.length=128"),
    (["model/readout=xception"], "needs at least 4 of them; this encoder has 2"),
    (["cache.max_gb=0.00001"], "more than cache.max_gb=1e-05"),
    (["model.freeze=none"], "Try: model.freeze=encoder, or model.tune.epochs=0"),
    (["train.r_drop=1"], "R-Drop needs dropout"),
    (["model.readout.pool=max"], "expected one of flatten, masked_mean, cls"),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
def test_what_cannot_work_is_refused_before_the_encoder_is_tuned(
    change: list[str], message: str, reviews: Path, tmp_path: Path
) -> None:
    done = run_cli(*TINY, f"data.path={reviews}", *change, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert not (tmp_path / "outputs").exists()


def test_a_cache_of_another_encoder_is_refused(reviews: Path, tmp_path: Path) -> None:
    command = [*TINY, f"data.path={reviews}", "cache.path=kept", "model.tune.epochs=0"]
    assert run_cli(*command, cwd=tmp_path).returncode == 0
    assert {path.name for path in (tmp_path / "kept").iterdir() if path.is_dir()} == {"train", "val"}
    done = run_cli(*command, "seed=1", cwd=tmp_path)
    assert done.returncode == 2 and "of another encoder. Try: cache.path=null" in done.stderr
    assert len(list((tmp_path / "outputs").glob("*/record.json"))) == 1


def composed(*changes: str) -> Any:
    return resolve(compose(["model=bertvision", "data=demo", *changes]))


@pytest.mark.parametrize("backbone", ["bert-tiny", "bert-mini"])
def test_the_tuning_run_is_the_run_of_the_plain_encoder(backbone: str) -> None:
    settings = composed(
        f"model/backbone={backbone}", "seed=3", "model.tune.epochs=0.3", "train.steps=50", "compression=[int8]"
    )
    plain = resolve(compose([f"model={backbone}", "data=demo", "seed=3", "train.epochs=0.3"]))
    assert identify(encoder_settings(settings), "d", "t", "w") == identify(plain, "d", "t", "w")


def test_its_overrides_leave_out_what_is_the_heads(tmp_path: Path) -> None:
    given = ["model=bertvision", "model/readout=xception", "model.readout.kind=full", "data=demo", "optimizer.lr=1",
             "cache.dtype=fp32", "model.dropout=0.2", "train.epochs=9", "model.tune.epochs=2", "train.steps=50",
             "compression=[magnitude,int8]", "compression.magnitude.epochs=1", "density=0.5"]  # fmt: skip
    made = encoder_overrides(encoder_settings(composed(*given)), given)
    assert "data=demo" in made and "model.dropout=0.2" in made and "train.epochs=2.0" in made
    others = ("xception", "readout", "cache", "steps", "compression", "density")
    assert not any(other in word for word in made for other in others)
    again = encoder_settings(composed(*given))
    direct = resolve(compose(made))
    assert identify(again, "d", "t", "w") == identify(direct, "d", "t", "w")


def test_its_overrides_have_every_digit_of_rate_and_epochs() -> None:
    given = ["model=bertvision", "data=demo", "model.tune.epochs=0.33333333", "model.tune.lr=0.000123456789"]
    encoder = encoder_settings(composed(*given[2:]))
    direct = resolve(compose(encoder_overrides(encoder, given)))
    assert identify(encoder, "d", "t", "w") == identify(direct, "d", "t", "w")
