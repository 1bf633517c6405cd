from __future__ import annotations

from pathlib import Path

import pytest

from data.load import Rows
from data.stores.build_once import SharedCache
from data.text_facts import sample_texts
from runner.best.plan import twin
from runner.best.plan.draft import Drawer
from runner.best.plan.twin import length_of, time_twin, typical_questions, verdict
from tests.runner.best.conftest import DEMO, PAIRS, settings_of


@pytest.mark.parametrize(("micros", "fits"), [(79, True), (80, None), (125, None), (126, False)])
def test_near_the_cap_a_twin_decides_nothing(micros: float, fits: bool | None) -> None:
    assert verdict(micros, 100) is fits and verdict(micros, None) is True


def test_a_twin_is_asked_by_the_bundle_of_its_files(demo_rows: Rows, shared_cache: SharedCache, tmp_path: Path) -> None:
    settings = settings_of(*DEMO, "model=ngram", cache=shared_cache.folder)
    Drawer(demo_rows, shared_cache).draft(settings, tmp_path / "twin")
    (found,) = time_twin(tmp_path / "twin", settings, demo_rows, 100.0).items()
    assert found[0] == "numpy" and 1 < found[1] < 50_000


def test_pairs_are_asked_with_both_texts(pair_rows: Rows, shared_cache: SharedCache, tmp_path: Path) -> None:
    settings = settings_of(*PAIRS, "model=ngram", cache=shared_cache.folder)
    Drawer(pair_rows, shared_cache).draft(settings, tmp_path / "twin")
    assert time_twin(tmp_path / "twin", settings, pair_rows, None)["numpy"] > 1
    assert {len(question) for question in typical_questions(pair_rows)} == {2}


def test_questions_are_different_and_of_about_the_median_length(
    demo_rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twin, "TEXTS", 20)
    texts = [question[0][0] for question in typical_questions(demo_rows)]
    assert set(texts) <= set(sample_texts(demo_rows.raw.splits[demo_rows.report[0]]))
    lengths = [length_of((text,)) for text in texts]
    assert len(set(texts)) == len(texts) <= 20 and max(lengths) - min(lengths) <= 25
    assert abs(lengths[0] - lengths[-1]) >= abs(lengths[0] - lengths[1]), "the nearest to it first"
