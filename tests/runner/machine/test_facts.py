from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from runner.machine import facts as module
from runner.machine.facts import git_state, machine_facts, torch_facts


def test_facts_are_ready_for_json_and_name_the_machine() -> None:
    facts = json.loads(json.dumps(machine_facts()))
    assert facts["python"].count(".") == 2
    assert 1 <= facts["cores"] <= facts["cores_total"]
    assert facts["memory_bytes"] > 1e8
    assert facts["versions"]["torch"] == version("torch")


def test_asking_imports_neither_torch_nor_numpy() -> None:
    code = (
        "import sys; from runner.machine.facts import machine_facts; facts = machine_facts();"
        "print(facts['torch'], 'torch' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["None", "False", "False"]


def test_loaded_torch_tells_its_threads_and_engine() -> None:
    import torch

    facts = torch_facts()
    assert facts is not None
    assert facts["threads"] == torch.get_num_threads()
    assert facts["blas"] and facts["blas"] in torch.__config__.show()
    if facts["mkl"]:
        assert any("Math Kernel Library" in line for line in facts["libraries"])
    assert facts["float32_matmul_precision"] == torch.get_float32_matmul_precision()


def test_a_package_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PACKAGES", ("no-such-package-of-ours",))
    assert module.package_versions() == {"no-such-package-of-ours": None}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    (tmp_path / "file").write_text("one", encoding="utf-8")
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "file"], [*identity, "commit", "-qm", "first"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    return tmp_path


def test_a_changed_tracked_file_makes_a_checkout_dirty(checkout: Path) -> None:
    (checkout / "untracked").write_text("", encoding="utf-8")
    commit, is_dirty = git_state(checkout)
    assert commit and len(commit) == 40 and is_dirty is False
    (checkout / "file").write_text("two", encoding="utf-8")
    assert git_state(checkout) == (commit, True)


def test_a_new_file_that_would_be_imported_makes_it_dirty_and_results_do_not(checkout: Path) -> None:
    (checkout / "outputs").mkdir()
    (checkout / "outputs" / "models").write_text("", encoding="utf-8")
    assert git_state(checkout)[1] is False
    (checkout / "models").mkdir()
    (checkout / "models" / "mine.py").write_text("", encoding="utf-8")
    assert git_state(checkout)[1] is True


def test_the_commit_of_the_users_own_working_tree_is_told_apart_from_that_of_the_code(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "experiments").mkdir()
    monkeypatch.chdir(checkout / "experiments")
    facts = machine_facts()
    assert (facts["cwd_git_commit"], facts["cwd_git_dirty"]) == git_state(checkout)
    assert facts["git_commit"] != facts["cwd_git_commit"]
    monkeypatch.chdir(module._CHECKOUT)
    facts = machine_facts()
    assert facts["git_commit"] == facts["cwd_git_commit"]


def test_a_folder_inside_somebody_elses_repository_has_no_commit(checkout: Path) -> None:
    (checkout / "site-packages").mkdir()
    assert git_state(checkout / "site-packages") == (None, None)


def test_without_git_there_is_no_commit_and_no_error(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "PATH", str(checkout))
    assert git_state(checkout) == (None, None)
