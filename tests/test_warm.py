from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import run_cli
from tests.warm import environment_of, nursery


def test_what_a_library_sets_in_the_process_of_the_tests_does_not_reach_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KMP_DUPLICATE_LIB_OK", "True")  # as scikit-learn does
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # as a test does for its commands
    found = environment_of({"NAME": "value"})
    assert "KMP_DUPLICATE_LIB_OK" not in found
    assert (found["HF_HUB_OFFLINE"], found["NAME"]) == ("1", "value")
    assert run_cli("--help", cwd=tmp_path).args == ["runner.cli", "--help"], "a fork, not a new interpreter"


def test_a_variable_that_libraries_read_on_import_needs_a_new_interpreter() -> None:
    assert nursery().suits(environment_of({})) and nursery().suits(environment_of({"HF_HOME": "elsewhere"}))
    assert not nursery().suits(environment_of({"OMP_NUM_THREADS": "7"}))
