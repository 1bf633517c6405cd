"""The time from a string to its label: which texts are asked, for how long, and that nothing else changes."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from data.inputs.sound import Sound
from data.inputs.sound_features import SoundFeatures
from data.load import load_splits
from data.settings import DataSettings
from data.splits import TokenSplit
from runner.measure.answers import WARM_UP_TEXTS, Ask, distinct_texts, time_answers, time_features
from runner.measure.settings import MeasureSettings
from runner.record.metrics import check
from tests.data.helpers import split_of
from tests.data.inputs.sounds import sound_file, tone

SETTINGS = MeasureSettings(min_time_s=0.05, rounds=3)


@dataclass(frozen=True)
class Texts:
    """Rows of two columns, in memory."""

    rows: list[tuple[Any, ...]]

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, rows: np.ndarray) -> dict[str, list[Any]]:
        return dict(zip(("text", "text_pair"), map(list, zip(*(self.rows[row] for row in rows)))))


def with_texts(*rows: tuple[Any, ...]) -> TokenSplit:
    return replace(split_of([[1]] * len(rows)), texts=Texts(list(rows)))


def test_questions_are_different_and_spread_over_the_rows() -> None:
    rows = [(f"text {i // 2}",) for i in range(100)]
    (found,) = distinct_texts(with_texts(*rows), most=21)
    assert {"text 0", "text 49"} < set(found) and len(set(found)) == len(found) == 21
    (all_of_them,) = distinct_texts(with_texts(*rows))
    assert len(all_of_them) == 50, "a repeated text is asked once"


def test_the_first_questions_which_are_all_that_a_slow_model_gets_are_from_all_parts_of_the_split() -> None:
    sorted_by_length = [("word " * (i + 1),) for i in range(400)]
    (found,) = distinct_texts(with_texts(*sorted_by_length))
    assert distinct_texts(with_texts(*sorted_by_length)) == [found], "the same for all models"
    lengths = np.array([len(text.split()) for text in map(str, found)])
    assert np.median(lengths[:40]) == pytest.approx(np.median(lengths), rel=0.2) and len(lengths) == 400


def test_pairs_and_lists_of_words_are_questions_too() -> None:
    assert sorted(zip(*distinct_texts(with_texts(("a", "b"), ("a", "c"), ("a", "b"))))) == [("a", "b"), ("a", "c")]
    assert distinct_texts(with_texts((["a", "b"],), (["a", "b"],))) == [[["a", "b"]]]


def test_rows_made_here_have_no_text() -> None:
    assert distinct_texts(split_of([[1, 2]])) == []


def test_loaded_rows_know_their_texts_in_order(tmp_path: Path) -> None:
    splits = load_splits(DataSettings(demo_rows=60), tokenizer="train", vocab_size=200, cache=tmp_path)
    split = splits.report[0]
    assert split.texts is not None and len(split.texts) == len(split)
    (text,) = split.texts.read(np.array([3]))["text"]
    again = splits.tokenizer.encode([text], None, 128).tokens
    assert (again == split.tokens[split.offsets[3] : split.offsets[4]]).all()
    taken = split.take(np.array([3])).texts
    assert taken is not None and taken.read(np.array([0]))["text"] == [text]


def test_each_text_is_asked_once_alone_and_then_with_others() -> None:
    asked: list[list[list[str]]] = []

    def load() -> Ask:
        time.sleep(0.002)
        return lambda columns: asked.append([list(cells) for cells in columns])

    texts = [f"text {i}" for i in range(40)]
    found = time_answers(load, [texts], SETTINGS)
    alone = [[[text]] for text in texts]
    assert asked == [*alone[:WARM_UP_TEXTS], *alone, [texts[:32]], [texts[32:]]]
    assert found["speed/answer_texts"] == 40 and found["speed/load_ms"] >= 2
    assert (
        found["speed/answer_us_p50"] <= found["speed/answer_us_p90"] <= found["speed/answer_us_p95"]
        and found["speed/answers_per_s"] > 0
    )
    assert all(check(name) for name in found)


def test_times_are_read_from_the_clock_in_their_units(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    clock = SimpleNamespace(perf_counter=lambda: now[0], perf_counter_ns=lambda: round(now[0] * 1e9))
    monkeypatch.setattr("runner.measure.answers.time", clock)

    def load() -> Ask:
        now[0] += 0.25
        return ask

    def ask(columns: Sequence[list[Any]]) -> None:  # a text alone takes as many ms as it says, one in a list 0.5 ms
        rows = columns[0]
        now[0] += int(rows[0]) / 1e3 if len(rows) == 1 else len(rows) / 2e3

    texts = [str(number) for number in range(1, 41)]
    found = time_answers(load, [texts, texts], MeasureSettings(min_time_s=1.0, rounds=3), together=3)
    assert found == pytest.approx({
        "speed/answer_us_mean": 20_500, "speed/answer_us_p50": 20_000, "speed/answer_us_p90": 36_000,
        "speed/answer_us_p95": 38_000, "speed/answer_texts": 40, "speed/answers_per_s": 2000, "speed/load_ms": 250,
        "speed/query_ms_p50": 1.5,
    })  # fmt: skip


def test_a_slow_model_is_asked_fewer_texts() -> None:
    found = time_answers(lambda: lambda _: time.sleep(0.04), [[str(i) for i in range(100)]], SETTINGS)
    assert 3 <= found["speed/answer_texts"] <= 5, "0.15 s are room for four"
    assert found["speed/answer_us_p50"] >= 40_000


def test_threads_random_numbers_and_the_garbage_collector_are_as_before() -> None:
    before, state = torch.get_num_threads(), torch.random.get_rng_state()

    def load() -> Ask:
        assert not gc.isenabled()
        torch.set_num_threads(3)
        torch.rand(5)
        return lambda _: torch.rand(1)

    time_answers(load, [["a", "b"]], SETTINGS)
    assert torch.get_num_threads() == before and gc.isenabled()
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("fails_in", ["load", "ask"])
def test_a_failure_is_not_hidden_and_leaves_nothing_changed(fails_in: str) -> None:
    def fail(_: object = None) -> Any:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        time_answers(fail if fails_in == "load" else lambda: fail, [["a"]], SETTINGS)
    assert gc.isenabled()


def test_the_candidates_of_a_query_are_asked_for_together() -> None:
    asked: list[list[list[str]]] = []
    found = time_answers(lambda: lambda one: asked.append(list(one)), [["q", "p"], ["a", "b"]], SETTINGS, together=5)
    assert [["q"] * 5, ["a", "b", "a", "b", "a"]] in asked and found["speed/query_ms_p50"] >= 0
    assert check("speed/query_ms_p50")


def test_the_time_of_features_is_that_of_the_input_alone() -> None:
    sound = Sound(SoundFeatures("log_mel", 16000))
    found = time_features(sound, [[sound_file(tone(440.0, 0.2))] * 3], 40, SETTINGS)
    assert found["speed/features_us_p50"] > 0 and check("speed/features_us_p50")
