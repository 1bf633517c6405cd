"""Codes without their tree, a tree without codes, and labels that few rows keep where there are none."""

from __future__ import annotations

import pytest

from data.settings import DataSettings
from runner.config.check_codes import code_conflicts
from runner.config.compose import compose
from runner.config.resolve import resolve


def test_a_dataset_with_codes_and_one_without_them_are_no_mistake() -> None:
    assert code_conflicts(DataSettings()) == []
    for name in ("data=icd10-severity", "data=imdb"):
        assert code_conflicts(resolve(compose([name, "data.labelled_rows=500"])).data) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (DataSettings(source="files", codes="icd"), "no tree gives those. Try: data.tree=<a file with"),
        (DataSettings(source="files", tree="t.csv"), "no column holds the codes of its nodes. Try: data.codes="),
        (DataSettings(codes="icd", tree="t.csv"), "data=demo has no codes. Try: data=icd10-severity"),
        (DataSettings(label=None, labelled_rows=5), "data.label=null reads no labels. Leave it out"),
    ],
)
def test_mistakes_are_named_with_a_cure(data: DataSettings, message: str) -> None:
    (found,) = code_conflicts(data)
    assert message in found
