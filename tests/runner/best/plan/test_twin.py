from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import pytest

from data.load import Rows
from data.stores.build_once import SharedCache
from runner.best.plan import twin
from runner.best.plan.draft import Drawer
from runner.best.plan.twin import describe_twin, time_twin, typical_questions, verdict
from runner.deploy.exported import with_engine
from tests.runner.best.conftest import DEMO, PAIRS, settings_of


@pytest.mark.parametrize(("micros", "fits"), [(79, True), (80, None), (125, None), (126, False)])
def test_near_the_cap_a_twin_decides_nothing(micros: float, fits: bool | None) -> None:
    assert verdict(micros, 100) is fits and verdict(micros, None) is True


def test_a_twin_is_asked_in_the_engine_of_its_files(
    demo_rows: Rows, shared_cache: SharedCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twin, "BLOCK_S", 0.01)
    settings = settings_of(*DEMO, "model=ngram", cache=shared_cache.folder)
    Drawer(demo_rows, shared_cache).draft(settings, tmp_path / "twin")
    assert with_engine(describe_twin(tmp_path / "twin", settings, demo_rows), "auto").engine == "numpy"
    assert 1 < time_twin(tmp_path / "twin", settings, demo_rows) < 50_000


def test_pairs_are_asked_with_both_texts(
    pair_rows: Rows, shared_cache: SharedCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twin, "BLOCK_S", 0.01)
    settings = settings_of(*PAIRS, "model=ngram", cache=shared_cache.folder)
    Drawer(pair_rows, shared_cache).draft(settings, tmp_path / "twin")
    assert time_twin(tmp_path / "twin", settings, pair_rows) > 1
    assert {len(question) for question in typical_questions(pair_rows)} == {2}


def test_what_an_answer_waits_for_other_processes_does_not_count() -> None:
    def ask(_question: object) -> None:
        time.sleep(0.01)
        sum(range(2000))

    assert 1 < median(twin.time_block(ask, [None])) < 5000


def test_questions_have_about_the_median_length(demo_rows: Rows) -> None:
    lengths = [len(question[0][0]) for question in typical_questions(demo_rows)]
    assert len(lengths) == twin.TEXTS and max(lengths) - min(lengths) <= 25
