"""Which networks have a model.bin; what it holds is tested beside the module of each kind."""

from __future__ import annotations

import json
from pathlib import Path

from models.packed.facts import Facts
from models.packed.pack import write_packed
from runner.deploy.bundle.predict import Model
from tests.models.packed.test_fold import make, tokenizer


def test_a_packed_network_has_a_file_and_no_reason(tmp_path: Path) -> None:
    facts = Facts(("no", "yes"), 20, tokenizer=json.loads(tokenizer().backend.to_str()))
    assert write_packed(make(), tmp_path, facts) == ""
    assert Model(tmp_path).labels == ("no", "yes")


def test_another_network_has_a_reason_and_no_file(tmp_path: Path) -> None:
    reason = write_packed(make(family="bert", layers=1, heads=2, readout="cls"), tmp_path, Facts((), 20))
    assert "Bert, computes on every token" in reason and not list(tmp_path.iterdir())
