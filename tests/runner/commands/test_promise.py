"""The options of a promise: what they ask for, and every way of asking for nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner.commands.promise import PROMISE_OPTIONS, check_promised_length, promise_to_keep, wanted_promise
from runner.deploy.exported import find_model
from runner.deploy.promise import WantedPromise
from runner.errors import ConfigError
from tests.runner.deploy.promised import write_promising_run


def wanted(**options: str) -> WantedPromise | None:
    return wanted_promise("predict", PROMISE_OPTIONS | options)


def test_the_options_become_shares_of_errors() -> None:
    assert wanted() is None
    assert wanted(reject="0.05") == WantedPromise(0.05)
    fraud = wanted(precision_at_least="0.95", **{"class": "fraud, spam,fraud"})
    assert fraud == WantedPromise(0.05, ("fraud", "spam"))
    assert fraud and fraud.words == "precision_at_least=0.95 class=fraud,spam"


@pytest.mark.parametrize(
    ("options", "cure"),
    [
        ({"reject": "5"}, "reject=5: expected a share between 0 and 1. Try: reject=0.05"),
        ({"reject": "0"}, "Try: reject=0.05"),
        ({"reject": "1"}, "Try: reject=0.05"),
        ({"reject": "nan"}, "Try: reject=0.05"),
        ({"reject": "few"}, "Try: reject=0.05"),
        ({"precision_at_least": "95", "class": "a"}, "Try: precision_at_least=0.95"),
        ({"precision_at_least": "0.9"}, "go together. Try: precision_at_least=0.9 class=<label>"),
        ({"class": "a"}, "Try: precision_at_least=0.95 class=a"),
        ({"reject": "0.05", "precision_at_least": "0.9", "class": "a"}, "Leave one out"),
    ],
)
def test_what_is_no_promise_is_refused_with_a_cure(options: dict[str, str], cure: str) -> None:
    with pytest.raises(ConfigError) as refused:
        wanted(**options)
    assert cure in str(refused.value)


@pytest.mark.parametrize(("options", "cure"), [({"length": 0.5}, "length="), ({"max_ms": 2.0}, "max_ms=")])
def test_a_promise_at_other_lengths_is_refused_by_the_name_of_the_option(options: dict[str, float], cure: str) -> None:
    check_promised_length("serve", WantedPromise(0.05), length=None, max_ms=None)
    check_promised_length("serve", None, **options)
    with pytest.raises(ConfigError, match=rf"run serve: reject=0\.05: .* Leave {cure} out$"):
        check_promised_length("serve", WantedPromise(0.05), **options)


def test_a_promise_is_of_the_run_and_not_of_a_graph_in_8_bits(tmp_path: Path) -> None:
    write_promising_run(tmp_path, "dddd")
    exported = find_model("dddd", tmp_path, "auto")
    assert promise_to_keep(exported, None) is None
    promise = promise_to_keep(exported, WantedPromise(0.05))
    assert promise and promise["models"] == 1 and promise["answered"] > 100
    with pytest.raises(ConfigError, match=r"not in 8 bits. Try: engine=auto"):
        promise_to_keep(replace(exported, engine="onnx-int8"), WantedPromise(0.05))
    (exported.folder / "deploy.json").write_text("{}", encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"is an export, and a promise is made when it is written. Try: run export dddd"
    ):
        promise_to_keep(exported, WantedPromise(0.05))
