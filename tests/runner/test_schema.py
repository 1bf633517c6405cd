"""The dataclasses of the settings: every default is a value that the checks accept."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from runner.config.check_values import check_field
from runner.schema import Command, Settings


def fields_below(kind: type, prefix: str = "") -> Iterator[tuple[type, dataclasses.Field[object], str]]:
    """Each field of a dataclass and of those inside it, with the names before its own."""
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        yield kind, field, prefix
        if dataclasses.is_dataclass(default := default_of(field)):
            yield from fields_below(type(default), f"{prefix}{field.name}.")


def default_of(field: dataclasses.Field[object]) -> object:
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default


def test_every_default_is_within_its_limits() -> None:
    plain = [found for found in fields_below(Command) if not dataclasses.is_dataclass(default_of(found[1]))]
    wrong = [check_field(kind, field.name, default_of(field), prefix) for kind, field, prefix in plain]
    assert len(plain) > 200 and not list(filter(None, wrong))


def test_a_command_is_an_experiment_and_how_several_are_run() -> None:
    own = {field.name for field in dataclasses.fields(Command)} - {field.name for field in dataclasses.fields(Settings)}
    assert own == {"sweep", "density"}


def test_settings_of_two_runs_share_nothing() -> None:
    one, other = Settings(), Settings()
    one.optimizer.betas.append(0.5)
    one.compression["int8"] = None
    assert other.optimizer.betas == [0.9, 0.999] and other.compression == {}
