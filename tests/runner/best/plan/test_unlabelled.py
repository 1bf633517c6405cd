from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from data.errors import DataError
from data.load import Rows
from data.stores.build_once import SharedCache
from data.text_facts import sample_texts
from runner.best.plan.unlabelled import count_unlabelled
from runner.best.types import Budget, Facts
from runner.errors import ConfigError
from tests.runner.best.conftest import DEMO, settings_of

FACTS = Facts(rows=400)


def counted(path: Path, rows: Rows, cache: SharedCache) -> Facts:
    return count_unlabelled(FACTS, rows, settings_of(*DEMO), Budget(unlabelled=str(path)), cache)


def write(path: Path, texts: list[str], column: str = "text") -> Path:
    path.write_text("\n".join([column, *(f'"{text}"' for text in texts)]) + "\n", encoding="utf-8")
    return path


def test_reported_texts_are_counted_and_left_out(demo_rows: Rows, shared_cache: SharedCache, tmp_path: Path) -> None:
    train = list(sample_texts(demo_rows.raw.splits["train"], 30))
    test = list(sample_texts(demo_rows.raw.splits["test"], 5))
    facts = counted(write(tmp_path / "more.csv", train + test), demo_rows, shared_cache)
    held = facts.reported_left_out
    assert held >= 5 and facts.unlabelled_rows == 35 - held and facts.unlabelled_digest
    assert facts.notes == (f"{held:,} of the 35 unlabelled rows have selection or reported texts: left out",)
    assert count_unlabelled(FACTS, demo_rows, settings_of(*DEMO), Budget(), shared_cache) == FACTS


def test_another_language_and_another_column_are_refused(
    demo_rows: Rows, shared_cache: SharedCache, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"100% of its words are .* \(CYRILLIC; training texts: LATIN"):
        counted(write(tmp_path / "other.csv", ["это хороший фильм", "кот"]), demo_rows, shared_cache)
    with pytest.raises(DataError, match="text"):
        counted(write(tmp_path / "column.csv", ["a film"], "body"), demo_rows, shared_cache)
    with pytest.raises(ConfigError, match="neither a file nor"):
        counted(tmp_path / "missing.csv", demo_rows, shared_cache)


@pytest.mark.parametrize(
    "word",
    ["data.labels=[pos,neg]", "data.codes=code", "data.fold_column=part", "data.group=customer", "data.label=stars"],
)
def test_texts_need_no_other_column_of_the_data(
    word: str, demo_rows: Rows, shared_cache: SharedCache, tmp_path: Path
) -> None:
    path = write(tmp_path / "more.csv", texts := list(sample_texts(demo_rows.raw.splits["train"], 10)))
    settings = settings_of(*DEMO)
    key, _, value = word.removeprefix("data.").partition("=")
    columns = value.strip("[]").split(",") if key == "labels" else value
    data = replace(settings.data, **{key: columns})
    facts = count_unlabelled(FACTS, demo_rows, replace(settings, data=data), Budget(unlabelled=str(path)), shared_cache)
    assert facts.unlabelled_rows + facts.reported_left_out == len(texts)
