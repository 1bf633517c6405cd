"""Rules of the repository: which package may import which, how each YAML starts, and that every choice composes."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import data
import models
from runner.config.compose import compose, groups
from runner.config.keys import known_keys
from runner.config.resolve import resolve
from runner.errors import ConfigError
from tests.conftest import REPO
from tests.pages import problems_of_command

FORBIDDEN = {"data": {"runner", "models"}, "models": {"runner", "data"}, "runner": set()}
HEAVY = {"optuna", "torch", "transformers", "datasets", "mlflow", "pandas", "sklearn", "scipy", "pyarrow"}


def sources(package: str) -> list[Path]:
    return sorted((REPO / package).rglob("*.py"))


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("package", FORBIDDEN)
def test_dependencies_point_one_way(package: str) -> None:
    wrong = {str(p): bad for p in sources(package) if (bad := imports(p) & FORBIDDEN[package])}
    assert not wrong


def test_the_generic_package_names_are_ours() -> None:
    for package in (data, models):
        assert Path(str(package.__file__)).is_relative_to(REPO)


def test_config_modules_import_nothing_heavy() -> None:
    ours = "runner.cli, runner.config.check, runner.schema, runner.config.compose, data, models"
    code = f"import sys, {ours}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPO, check=True).stdout
    assert not HEAVY & set(loaded.split())


def every_yaml() -> list[Path]:
    return sorted((REPO / "conf").rglob("*.yaml"))


@pytest.mark.parametrize("path", every_yaml(), ids=lambda p: p.relative_to(REPO).as_posix())
def test_every_yaml_starts_with_a_command_that_uses_it(path: Path) -> None:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("# @package")]
    if path.name.startswith("_"):
        assert lines[0].startswith("# Shared by")
        return
    assert re.match(r"# run .*", lines[0])
    if path.parent.name != "conf":
        group = path.parent.relative_to(REPO / "conf").as_posix()
        words = [w.strip("[]'") for w in lines[0].replace("=", " ").replace(",", " ").split()]
        assert group in words and path.stem in words, "the command must choose this very file"


RUN_FIRST = re.compile(r"# (run .*=.*?)(?:\s{2,}.*|\s#.*)?")  # a comment with a command, and what is said about it


@pytest.mark.parametrize("path", every_yaml(), ids=lambda p: p.relative_to(REPO).as_posix())
def test_the_commands_in_a_yaml_are_not_refused(path: Path) -> None:
    lines = [found[1] for line in path.read_text(encoding="utf-8").splitlines() if (found := RUN_FIRST.fullmatch(line))]
    assert not [problem for line in lines for problem in problems_of_command(line)]


OF_A_HUB = ("minilm-l6", "ettin-17m", "modernbert-base", "deberta-v3-xsmall")  # presets that name weights
OF_SOUNDS = (
    "tiny-sound", "conv-sound", "band_convolution", "mfcc-cnn", "frames-lr", "mean-sound", "tiny_sound", "cnn",
    "frames", "sounds-means", "sounds-statistics", "sounds-cnn", "sounds-transformer", "sounds-convolution",
)  # fmt: skip
CHOICES = [(group, choice) for group, names in groups().items() for choice in names]


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_every_choice_composes_to_valid_settings(group: str, choice: str) -> None:
    words = [f"{group}=[{choice}]" if group == "compression" else f"{group}={choice}"]
    if group in ("model/readout", "compression"):
        words.append("model=bert-tiny")  # most need an encoder
    if group == "compression" and f"{group}.{choice}.teacher" in known_keys(words[0]):
        words.append(f"{group}.{choice}.teacher=some/teacher")
    if group.startswith("model") and choice in ("auto", "minilm", "frozen", "contrastive", *OF_A_HUB):
        words.append("model.pretrained=some/encoder")
    if choice == "mlm" or (group == "data" and "task: span" in (REPO / f"conf/data/{choice}.yaml").read_text()):
        words.append("model=bert-tiny")
    if choice == "span":
        words.append("data=squad")
    if choice == "files":
        words.append("data.path=some.csv")
    if (group, choice) == ("model/readout", "none"):  # for token-level tasks
        with pytest.raises(ConfigError, match="gives a vector for each token"):
            resolve(compose(words))
        return
    if (group, choice) == ("model/readout", "pair"):  # for two texts and models without attention
        words[1:] = ["model=dsn", "data=demo-pairs"]
    if (group, choice) == ("view", "codes"):
        words.append("data=icd10-severity")
    if choice in ("bi_encoder", "bi-encoder"):  # for two texts
        words.append("data=stsb")
    if (group, choice) == ("model", "static-ngram"):  # for two texts
        words.append("data=demo-pairs")
    if choice in OF_SOUNDS:
        words += ["data.audio=sound"] if group == "model" else ["model=tiny-sound", "data.audio=sound"]
    if group == "data" and "\naudio: " in (REPO / f"conf/data/{choice}.yaml").read_text():
        words.append("model=tiny-sound")
    settings = resolve(compose(words))
    named = getattr(settings, group, None)
    if hasattr(named, "name"):
        assert named.name == choice


def test_every_group_has_a_dataclass_that_lists_its_keys() -> None:
    from omegaconf import OmegaConf

    from runner.schema import Settings

    known = OmegaConf.to_container(OmegaConf.structured(Settings))
    ours = {group.split("/")[0] for group in groups() if not group.startswith("hydra/")}
    assert ours - {"experiment"} <= set(known)


def test_every_pinned_version_has_the_hash_of_its_file() -> None:
    """All but torch, whose CPU build differs by index. After changing constraints.txt: python .ci/hashes.py"""
    pins = (REPO / "constraints.txt").read_text(encoding="utf-8").lower().replace("_", "-").splitlines()
    hashed = (REPO / ".ci" / "hashes.txt").read_text(encoding="utf-8").lower().replace("_", "-").splitlines()
    found = [re.fullmatch(r"(\S+) --hash=sha256:[0-9a-f]{64}", line) for line in hashed[1:]]
    pinned = {line for line in pins if not line.startswith(("#", "torch=="))}
    assert {match[1] for match in found if match} == pinned and all(found)


def test_the_list_of_packages_names_every_folder_with_modules() -> None:
    listed = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    modules = [path for top in ("conf", "sweeps", "data", "models", "runner") for path in (REPO / top).rglob("*.py")]
    found = {path.parent.relative_to(REPO).as_posix().replace("/", ".") for path in modules}
    mapped = {"runner.python": "bertier"}  # by package-dir in pyproject.toml
    assert listed == sorted({mapped.get(name, name) for name in found})
