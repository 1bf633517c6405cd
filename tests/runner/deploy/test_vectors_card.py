"""The page beside exported vectors has the lines that open them."""

from __future__ import annotations

import pytest

from runner.deploy.vectors_card import vectors_card
from tests.records import a_record


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("model2vec", 'model = StaticModel.from_pretrained("this folder")'),
        ("static-embedding", 'model = SentenceTransformer("this folder", device="cpu")'),
    ],
)
def test_the_card_opens_the_folder_and_says_what_it_holds(form: str, line: str) -> None:
    record = a_record(
        data={"primary": "test/accuracy", "rows": {}, "name": "d", "task": "classification", "labels": ["a|b", "c, d"]}
    )
    with_head, without = vectors_card(record, form, 16, ""), vectors_card(record, form, 16, "It compares two texts")
    assert line in with_head and "16 numbers" in with_head and "more than 32 tokens" in with_head
    assert "Columns of `scores`: `a|b`, `c, d`." in with_head and "classifier.safetensors" in with_head
    assert "The last layer is not included. It compares two texts." in without
