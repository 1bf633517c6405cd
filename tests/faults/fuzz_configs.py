"""Overrides and config files as no user would write them, at full size: 10,000 commands composed, 1,000 shown, 200 run
as processes, 300 damaged YAML files.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.config.check import check_overrides
from runner.config.compose import compose, groups, normalize_override
from runner.config.from_run import expand_from
from runner.config.keys import known_keys
from runner.config.resolve import resolve
from runner.errors import ConfigError
from tests.conftest import REPO, run_cli
from tests.faults.fuzzing import check_manners, command, damaged, files_in, has_cure, many, patience

KEYS = sorted(known_keys("compression=[distil,magnitude,int8]"))
HYDRA = [
    "hydra.run.dir", "hydra.sweep.dir", "hydra.output_subdir", "hydra.job.name", "hydra.job.chdir", "hydra.verbose",
    "hydra.searchpath", "hydra/job_logging", "hydra/launcher", "hydra/sweeper", "hydra.sweeper.n_trials", "hydra.mode",
]  # fmt: skip
NUMBERS = ["0", "-1", "1", "2.5", "1e309", "-1e309", "nan", "inf", "-0.0", "9" * 30, "1_000", "0x10", "1e-400", "007"]
VALUES = [
    "", "null", "true", "False", "???", "''", '""', "[]", "{}", "[1,2]", "{a:1}", "[[[]]]", "{a:{b:{c:1}}}", "a,b",
    "${seed}", "${nope}", "${model}", "${oc.env:NOT_THERE}", "${oc.env:HOME}", "${..}", "${", "$", "${seed:${seed}}",
    "range(3)", "range(0,1000000000)", "range(1,0)", "interval(0,1)", "interval(1,0)", "choice(1,2)", "choice()",
    "shuffle(1,2)", "sort(2,1)", "tag(log,interval(1,2))", "glob(*)", "glob([)", "int(3.5)", "float(x)", "str([1])",
    "bool(maybe)", "json_str({})", "extend_list(1)", "dsn", "auto", "../../x", "/", "~", "a\x00b", "\x1b[31mred\x1b[0m",
    "\u202eevil", "\ud800", "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "http://u:p@h", "\n", "a\nb", "x" * 5000,
    "é", "\\", "'", '"', "@", "a b", "[" * 200, "(" * 200, "{a:" * 60,
]  # fmt: skip

key = st.sampled_from([*KEYS, *KEYS, *HYDRA, *groups()]) | st.text(max_size=12)
value = st.sampled_from([*VALUES, *NUMBERS]) | st.text(max_size=20) | st.floats().map(str) | st.integers().map(str)
choice = st.sampled_from(sorted((group, name) for group, names in groups().items() for name in names))
word = st.one_of(
    st.builds("{}{}={}".format, st.sampled_from(["", "", "", "", "+", "++", "~", "@", "~~"]), key, value),
    choice.map("=".join),
    choice.map("=".join),
    st.builds(lambda pair, more: f"{pair[0]}={pair[1]}{more}", choice, value),
    st.builds("{}@{}={}".format, key, key, value),
    st.builds("compression=[{},{}]".format, *[st.sampled_from(groups()["compression"])] * 2),
    st.text(max_size=30),
)
words = st.lists(word, min_size=1, max_size=5)


@many(10_000)
@given(words, st.booleans())
def test_any_overrides_compose_or_are_refused_with_a_cure(found: list[str], multirun: bool) -> None:
    with patience():
        try:
            checked = expand_from([normalize_override(part) for part in found])
            problems = check_overrides(checked, multirun)
        except ConfigError as error:
            problems = str(error).splitlines()
        if not problems and not multirun:
            resolve(compose([part for part in checked if not part.startswith("hydra")]))
    for problem in problems:
        assert has_cure(problem), problem


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield an empty folder to start commands in."""
    folder, before = tmp_path_factory.mktemp("elsewhere"), Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


@many(1_000)
@given(words, st.sampled_from([["--cfg", "job"], ["-m", "--cfg", "job"], ["plan"], ["--cfg", "hydra"]]))
def test_the_command_shows_any_config_or_refuses_it_and_writes_nothing(
    elsewhere: Path, found: list[str], flags: list[str]
) -> None:
    given_words = [*flags, *(part for part in found if "=" in part)]
    check_manners(*command(*given_words))
    assert not files_in(elsewhere)


TINY = [
    "model=dsn",
    "data=demo",
    "data.demo_rows=60",
    "model.vocab_size=80",
    "train.steps=1",
    "measure=off",
    "tracker=none",
]
KEPT = ("data", "data.demo_rows", "train.steps", "train.epochs", "train.threads", "measure", "tracker", "paths.cache")


@many(200)
@given(st.lists(word, min_size=1, max_size=2))
def test_a_real_process_runs_or_refuses_and_writes_below_its_output_alone(elsewhere: Path, found: list[str]) -> None:
    usable = [part.encode("utf-8", "replace").decode().replace("\x00", "") for part in found if "=" in part]
    usable = [part for part in usable if not part.lstrip("+~").startswith(("hydra", "paths.output", *KEPT))]
    usable = [part for part in usable if not part.endswith(("-medium", "-base", "-large"))]  # a step takes minutes
    done = run_cli(*TINY, *usable, cwd=elsewhere, env={"HF_HUB_OFFLINE": "1"})
    check_manners(done.returncode, done.stdout, done.stderr)
    written = files_in(elsewhere)
    assert not written or done.returncode != 2, written
    assert all(path.is_relative_to(elsewhere / "outputs") and path.suffix != ".part" for path in written), written
    shutil.rmtree(elsewhere / "outputs", ignore_errors=True)


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Yield a folder whose conf/ is found before ours."""
    folder = tmp_path_factory.mktemp("edited")
    shutil.copytree(REPO / "conf", folder / "conf")
    return folder


@many(300)
@given(st.data(), st.sampled_from([["--cfg", "job"], ["list"], ["modle=x"], ["plan", "seed=0,1"]]))
def test_a_damaged_yaml_is_refused_in_a_line(edited: Path, data: st.DataObject, verb: list[str]) -> None:
    used = ["config", "model/dsn", "data/demo", "data/_shared", "optimizer/adamw", "train/default", "tracker/mlflow"]
    path = edited / "conf" / f"{data.draw(st.sampled_from(used))}.yaml"
    whole = path.read_bytes()
    path.write_bytes(
        data.draw(damaged(whole, [b": ", b"\t", b"${", b"&a *a", b"!!python/object:os.system", b"- ", b"{"]))
    )
    try:
        done = run_cli(*verb, cwd=edited)
        check_manners(done.returncode, done.stdout, done.stderr)
    finally:
        path.write_bytes(whole)
