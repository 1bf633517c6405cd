"""The bytes of random twins against those of trained models, for every family, on single texts and on pairs."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.load import Rows
from data.stores.build_once import SharedCache
from runner.best.bundle import write_bundle
from runner.best.plan.draft import Drawer
from runner.best.plan.twin import describe_twin
from runner.deploy.reader_files import bundle_bytes
from runner.experiment.run import run
from runner.record.record import RunRecord
from tests.runner.best.conftest import DEMO, PAIRS, settings_of

FEW_STEPS = ("train.steps=3", "measure=off", "baseline.ngram=off", "train.threads=1")
TRAINED = ("model.tokenizer=train", "model.vocab_size=150")
BERT = ("model=bert-tiny", "model.pretrained=null", "model.hidden=32", "model.intermediate=64", *TRAINED)
SINGLE = {
    "ngram at its cap": ("model=ngram", "model.max_kb=2", "model.min_df=1"),
    "characters": ("model=ngram", "model.max_kb=3", "model.min_df=1", "model.characters=[2,4]"),
    "folded": ("model=dsn", "model.norm=none", *TRAINED, "compression=[int8]"),
    "stored in 16 bits": (*BERT, "model.layers=1", "compression=[compact]", "compression.compact.qat_epochs=0.1"),
    "computed in 16 bits": (*BERT, "model.layers=1", "compression=[bf16]"),
    "folded to two scores": ("model=dsn", "model.norm=none", *TRAINED, "calibration=vector"),
}
TWO = {
    "ngram": ("model=ngram",),
    "table": ("model=dsn", *TRAINED, "compression=[int8]"),
}
LEAST = 500  # bytes that may differ; of n-grams below the cap LEAST_FITTED, since their weights are guessed
LEAST_FITTED = 2000


def trained(words: tuple[str, ...], output: Path, cache: SharedCache) -> RunRecord:
    record = run(settings_of(*words, f"paths.output={output}", cache=cache.folder), [*words]).record
    assert record is not None and record.status == "done"
    return record


def check(words: tuple[str, ...], rows: Rows, cache: SharedCache, folder: Path, least: int = LEAST) -> RunRecord:
    """Train a candidate; its record, after a look at its bytes against those of its twin, in folder/twin."""
    drawn = Drawer(rows, cache).draft(settings_of(*words, cache=cache.folder), folder / "twin")
    record = trained((*words, *FEW_STEPS), folder / "outputs", cache)
    real = int(record.metrics["cost/bytes_deployed"])
    assert abs(drawn.bytes - real) <= max(0.02 * real, least)
    assert drawn.least <= max(1.02 * real, real + 100), "a model that fits would be refused"
    return record


def check_bundle(words: tuple[str, ...], rows: Rows, cache: SharedCache, folder: Path) -> None:
    """As `check`, and the bundle of the twin has the bytes of the one that a winner gets."""
    record = check(words, rows, cache, folder)
    planned = bundle_bytes(describe_twin(folder / "twin", settings_of(*words), rows), int8=False)
    written = write_bundle(record, folder / "outputs", folder / "bundle").size
    assert planned is not None and written is not None and planned == pytest.approx(written, abs=200)  # of calibrations


@pytest.mark.parametrize("words", SINGLE.values(), ids=SINGLE)
def test_bytes_of_single_texts(
    words: tuple[str, ...], demo_rows: Rows, shared_cache: SharedCache, tmp_path: Path
) -> None:
    check((*DEMO, *words), demo_rows, shared_cache, tmp_path)


@pytest.mark.parametrize("name", TWO)
def test_bytes_of_pairs(name: str, pair_rows: Rows, shared_cache: SharedCache, tmp_path: Path) -> None:
    least = LEAST_FITTED if name == "ngram" else LEAST
    check((*PAIRS, *TWO[name]), pair_rows, shared_cache, tmp_path, least)


def test_a_bundle_in_4_bits(demo_rows: Rows, shared_cache: SharedCache, tmp_path: Path) -> None:
    words = (*DEMO, *BERT, "model.layers=1", "compression=[int4]")
    check_bundle(words, demo_rows, shared_cache, tmp_path)


def test_a_bundle_of_a_checkpoint_with_the_tokens_that_stay(
    demo_rows: Rows, shared_cache: SharedCache, tmp_path: Path
) -> None:
    settings = settings_of(*DEMO, *BERT, "model.layers=1")
    whole = Drawer(demo_rows, shared_cache).draft(settings, tmp_path / "encoder")  # random weights are weights
    start = ("model=auto", "model/readout=mean", f"model.pretrained={tmp_path / 'encoder'}", "model.vocabulary=100")
    check_bundle((*DEMO, *start, "compression=[int8]"), demo_rows, shared_cache, tmp_path)
    assert sum(file.stat().st_size for file in (tmp_path / "twin").iterdir()) < whole.bytes


def test_a_draft_has_the_work_of_a_text(demo_rows: Rows, shared_cache: SharedCache, tmp_path: Path) -> None:
    drawn = Drawer(demo_rows, shared_cache).draft(settings_of(*DEMO, *BERT), tmp_path / "twin")
    per_token = 2 * (4 * 32 * 32 + 2 * 32 * 64)  # of two layers, without attention itself
    assert 5 < drawn.tokens < 100 and drawn.width == 32
    assert drawn.macs == pytest.approx(per_token * drawn.tokens, rel=0.3)
