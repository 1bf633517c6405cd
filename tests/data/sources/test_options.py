"""Options of reading: formats by suffix, encodings, and options that a format does not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import DataError
from data.sources.options import ReadOptions, format_of, ineffective_options


@pytest.mark.parametrize(
    ("name", "expected"),
    [("d.csv", "csv"), ("D.CSV.GZ", "csv"), ("d.ndjson", "jsonl"), ("d.json.gz", "jsonl"), ("d.parquet", "parquet"),
     ("d.txt", None), ("csv", None)],
)  # fmt: skip
def test_the_suffix_tells_the_format(name: str, expected: str | None) -> None:
    assert format_of(Path(name)) == expected


def test_options_without_effect_are_told() -> None:
    values = {"encoding": "cp1252", "delimiter": ";", "quoting": "auto"}
    assert ineffective_options(["csv"], values) == []
    assert [line.partition(" ")[0] for line in ineffective_options(["jsonl"], values)] == ["delimiter=;"]
    lines = ineffective_options(["parquet"], values, "data.")
    assert [line.partition(" ")[0] for line in lines] == ["data.encoding=cp1252", "data.delimiter=;"]
    assert all("Leave it out" in line for line in lines)
    assert ineffective_options(["csv", "parquet"], values) == [], "one of the files has a use for them"


def test_only_wanted_columns_are_required_and_kept() -> None:
    options = ReadOptions({"text": "review", "text_pair": None, "label": "stars"}, prefix="data.", only_wanted=True)
    assert options.text == "review" and options.wanted == {"data.text": "review", "data.label": "stars"}
    assert options.keeps("stars") and not options.keeps("id") and ReadOptions({"text": "a"}).keeps("id")


def test_utf8_may_have_a_byte_order_mark_and_an_unknown_encoding_is_refused() -> None:
    assert (
        ReadOptions({}, encoding="UTF_8").codec == "utf-8-sig" and ReadOptions({}, encoding="cp1252").codec == "cp1252"
    )
    with pytest.raises(DataError, match=r"klingon: there is no such encoding\. Try: encoding=utf-8"):
        ReadOptions({}, encoding="klingon").codec  # noqa: B018 the property raises
