"""The hub's address, and what happens when nothing answers there."""

from __future__ import annotations

import os
import sys

import httpx2
import pytest
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from data.errors import DataError
from data.sources.hub_status import first_error_line, hub_endpoint, offline_if_unreachable, why_unavailable


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_OFFLINE", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "")
    for module in ("huggingface_hub.constants", "datasets.config"):  # switched with the variable where they are loaded
        if module in sys.modules:
            monkeypatch.setattr(sys.modules[module], "HF_HUB_OFFLINE", False)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("", ("https://huggingface.co:443", "huggingface.co", 443)),
        ("http://someone:secret@mirror:8080", ("http://mirror:8080", "mirror", 8080)),
        ("http://mirror", ("http://mirror:80", "mirror", 80)),
    ],
)
def test_the_address_is_shown_without_credentials(
    address: str, expected: tuple[str, str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    assert hub_endpoint() == expected


def test_a_hub_that_does_not_answer_switches_to_the_cache_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert offline_if_unreachable() == ["http://127.0.0.1:9 does not answer: only cached files can be used"]
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    assert offline_if_unreachable() == [], "told once"


def test_a_proxy_is_left_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    assert offline_if_unreachable() == [] and not os.environ["HF_HUB_OFFLINE"]


@pytest.mark.parametrize("address", ["http://mirror:secret", "http://mirror:99999", "http://[::1"])
def test_what_is_no_address_is_refused_without_showing_it(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    with pytest.raises(DataError, match=r"Try: HF_ENDPOINT=https://huggingface\.co$") as refused:
        hub_endpoint()
    assert "secret" not in str(refused.value)


def test_an_error_without_text_is_told_by_its_name() -> None:
    assert first_error_line(ValueError("one\ntwo")) == "one" and first_error_line(TimeoutError()) == "TimeoutError"
    assert len(first_error_line(ValueError("x" * 999))) == 300


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (500, "it answers 500 Internal Server Error"),
        (429, "it answers 429 Too Many Requests: it limits the rate of requests, so try again later"),
    ],
)
def test_the_status_that_a_hub_answered_with_is_found_behind_what_its_libraries_say(status: int, said: str) -> None:
    answer = httpx2.Response(status, request=httpx2.Request("HEAD", "http://mirror/file"))
    try:
        try:
            raise LocalEntryNotFoundError("no file here") from HfHubHTTPError("refused", response=answer)
        except LocalEntryNotFoundError:
            raise FileNotFoundError("no data file at /here/owner/name") from None
    except FileNotFoundError as error:
        assert why_unavailable(error) == said
    assert why_unavailable(FileNotFoundError("no data file\nat all")) == "no data file"
    assert why_unavailable(ConnectionError("no answer.")) == "no answer", "the message goes on after a full stop"
