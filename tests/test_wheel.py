"""The wheel contains everything that `run` needs: it works from an empty folder, without this checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import REPO
from tests.runner.deploy.runs import write_run

PACKAGES = ("conf", "data", "models", "runner", "sweeps")
OF_CODE = {".py", ".yaml", ".js", ".mjs", ".html", ".css", ".json", ".txt", ""}  # "": a Dockerfile
ASK = """
import sys
import bertier, runner
from runner.cli import dispatch
assert runner.__file__.startswith(sys.argv[1]) and bertier.__file__.startswith(sys.argv[1])
assert not {"torch", "mlflow"} & set(sys.modules), "import bertier is light"
for words in (["list", "model"], ["list", "sweep"], ["predict", sys.argv[2], "a lovely film"],
              ["export", sys.argv[2], "format=page"], ["export", sys.argv[2], "format=docker"]):
    assert dispatch([*words, "paths.output=" + sys.argv[3]] if words[0] != "list" else words) == 0, words
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of this checkout's files, because a build leaves folders behind."""
    copy = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=REPO, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("this is no checkout")
    for name in listed.stdout.splitlines():
        if (REPO / name).is_file() and name.split("/")[0] not in ("tests", ".ci"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPO / name, copy / name)
    build = "import setuptools.build_meta as b; b.build_wheel('wheel')"
    done = subprocess.run([sys.executable, "-c", build], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    (found,) = (copy / "wheel").glob("bertier-*.whl")
    return found


def test_every_file_of_code_is_in_it(wheel: Path) -> None:
    root = wheel.parents[1]
    wanted = {
        path.relative_to(root).as_posix()
        for top in PACKAGES
        for path in (root / top).rglob("*")
        if path.is_file() and path.suffix in OF_CODE
    }
    wanted = {name.replace("runner/python/", "bertier/") for name in wanted}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == wanted, f"missing: {sorted(wanted - held)}; not ours: {sorted(held - wanted)}"


def test_an_installed_wheel_answers_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    installed, empty = tmp_path / "installed", tmp_path / "empty"
    empty.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    write_run(tmp_path / "outputs", "dddd", family="dsn", readout={"name": "mean"}, is_packed=True)
    command = [sys.executable, "-c", ASK, str(installed), "dddd", str(tmp_path / "outputs")]
    done = subprocess.run(
        command, cwd=empty, env=os.environ | {"PYTHONPATH": str(installed)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "bert-tiny" in done.stdout and "best_under_1mb" in done.stdout and "page.html" in done.stdout
    assert not any(empty.iterdir()), "nothing is written where the command is given"
