"""A request is either a question or one line that says what is wrong with it."""

from __future__ import annotations

import pytest

pytest.importorskip("fastapi")

from starlette.exceptions import HTTPException

from runner.deploy.service import parse_question


def test_a_request_is_parsed() -> None:
    question = parse_question(b'{"texts": ["a", "b"], "pairs": ["c", "d"], "truncate": true}', 2, True)
    assert (question.texts, question.pairs, question.truncate) == (["a", "b"], ["c", "d"], True)


@pytest.mark.parametrize(
    ("body", "is_pair", "status", "reason"),
    [
        (b"{", False, 400, "not JSON"),
        (b'{"texts": []}', False, 422, "texts"),
        (b'{"text": ["a"]}', False, 422, 'Expected {"texts": ["..."]}'),
        (b'{"texts": ["a", "b", "c"]}', False, 413, "at most 2"),
        (b'{"texts": ["a"], "pairs": ["b"]}', False, 422, "texts without pairs"),
        (b'{"texts": ["a", "b"], "pairs": ["c"]}', True, 422, "as many pairs as texts"),
    ],
)
def test_a_malformed_request_is_refused_in_one_line(body: bytes, is_pair: bool, status: int, reason: str) -> None:
    with pytest.raises(HTTPException) as refused:
        parse_question(body, 2, is_pair)
    assert refused.value.status_code == status and reason in refused.value.detail and "\n" not in refused.value.detail
