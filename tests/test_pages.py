"""Every path, link, command, setting and make target on a page exists, and no page is too long."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from data.settings import DataSettings
from runner.config.compose import groups
from tests.conftest import REPO
from tests.pages import pages, problems


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(REPO).as_posix())
def test_all_that_a_page_names_exists(page: Path) -> None:
    found = problems(page.relative_to(REPO).as_posix(), page.read_text(encoding="utf-8"))
    assert not found, "\n".join(found)


WRONG = {
    "a long page": "x\n" * 151,
    "a path": "`runner/gone.py`",
    "a folder": "`runner/gone/`",
    "a bare name": "`gone.py`",
    "a pattern": "`models/gone/<name>.py`",
    "a path in a block": "```\nsee runner/gone.py\n```",
    "a link": "[gone](gone/README.md)",
    "a heading": "[limits](../README.md#gone)",
    "a heading of its own": "# here\n[there](#there)",
    "a picture": "![x](../sweeps/pictures/gone.png)",
    "a verb": "`run gone`",
    "an option of a verb": "`run compare --gone`",
    "a choice": "```\nrun model=gone data=imdb   # why\n```",
    "a choice among several": "```\n$ run -m model=dsn,gone seed=0,1\n```",
    "a nested choice": "`model/readout=gone`",
    "a choice of alternatives": "`schedule=linear|gone`",
    "a method of a chain": "`run 'compression=[int8,gone]' from=<id>`",
    "a list without quotes": "`run compression=[int8] from=<id>`",
    "a key": "`run model=dsn train.gone=3`",
    "a key without its command": "`train.gone=3`",
    "a key alone": "`train.gone`",
    "a key of a method": "`compression.magnitude.bits=4`",
    "a key on a second line": "```\nrun model=dsn \\\n  train.gone=3\n```",
    "a key of the tuner": "`run -m hydra/sweeper=optuna hydra.sweeper.gone=3`",
    "a sweep": "`run -m +sweep=gone`",
    "a sweep after another command": "```\nrun list sweep && run plan +sweep=gone\n```",
    "a value that its shell takes apart": '```\nrun data=files data.path=a.csv data.label_separator=";"\n```',
    "settings that contradict each other": "`run model=bert-tiny data=imdb model.tokenizer=train`",
    "a choice of a sweep that contradicts a setting": "`run -m model=dsn,bert-tiny data=imdb model.tokenizer=train`",
    "a value of a sweep of many runs": "`run -m model=dsn data=demo train.epochs=range(1,20) train.loss=auto,listwise`",
    "a target": "`make gone`",
    "a target with a variable": "`TRIES=3 make gone`",
    "a mistake that is none": "```\n$ run model=dsn\nrun: 2 mistakes\n```",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_page_that_names_what_is_not_there_fails(text: str) -> None:
    assert len(problems("conf/README.md", text)) == 1


def test_pages_that_list_the_tasks_name_all_of_them() -> None:
    """In conf/README.md the choices of the group, in data/README.md the values of data.task."""
    values = next(one.metadata["choices"] for one in fields(DataSettings) if one.name == "task")
    for page, start, names in (
        ("conf/README.md", "| `task` |", groups()["task"]),
        ("data/README.md", "| `data.task` |", values),
    ):
        rows = (REPO / page).read_text(encoding="utf-8").splitlines()
        (row,) = [row for row in rows if row.startswith(start)]
        assert {name for name in names if f"`{name}`" not in row} == set()


def test_the_front_page_may_be_longer_but_not_heavier() -> None:
    assert not problems("README.md", "x\n" * 200)
    assert problems("README.md", "x\n" * 201)
    assert problems("README.md", "x" * 12_289)


RIGHT = (
    "`runner/cli.py`, `runner/`, `conf/data/*.yaml`, `models/readouts/<name>.py`, `cli.py`, `record.json`, `val/f1`",
    "`train.epochs`, `data.load`, `data.sources`, and in the record `data.dropped`",
    "[front](../README.md#install) [web](https://example.org/gone)",
    "`run model=dsn data=imdb optimizer.lr=... seed=0,1`, `run -m hydra/sweeper=optuna 'optimizer.lr=range(1,3)'`",
    "`compression.distil.teacher=<run id>`, `compression=[magnitude,int8]`, `model.backbone=bert-mini`, `form=whole`",
    "```\ntail -f log | run predict <id> -   # a line of JSON each\nFUZZ=0.01 make fuzz\n```",
    "```\n$ run model=dns\nrun: 1 mistake\n```",
)


@pytest.mark.parametrize("text", RIGHT)
def test_a_page_that_names_what_is_there_passes(text: str) -> None:
    assert not problems("conf/README.md", text)
