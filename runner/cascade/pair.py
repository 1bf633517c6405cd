"""The two runs of a cascade, and the reasons why two runs cannot form one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runner.deploy.cascade import LARGE, MODELS, SMALL
from runner.deploy.exported import CASCADE, DESCRIPTION_FILE, ExportedModel, find_model
from runner.errors import ConfigError
from runner.record.folder import find_record, run_folder
from runner.record.record import RunRecord
from runner.tasks import task_class
from runner.tasks.make import task_of_record


@dataclass(frozen=True)
class Side:
    """One of the two runs. folder: of the run; model: as it answers in the cascade."""

    record: RunRecord
    folder: Path
    model: ExportedModel


@dataclass(frozen=True)
class Pair:
    """The small and the large run of a cascade, which are asked the same questions and give the same labels."""

    small: Side
    large: Side

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both, in the order of MODELS."""
        return self.small, self.large


def open_pair(sources: dict[str, str], output: Path, engines: dict[str, str]) -> Pair:
    """Return the named runs; raise ConfigError if the two models cannot form a cascade.

    sources: an id or a run folder by SMALL and LARGE; engines: of `find_model`.
    """
    small, large = (open_side(part, sources[part], output, engines[part]) for part in MODELS)
    check_pair(small, large)
    return Pair(small, large)


def open_side(part: str, source: str, output: Path, engine: str) -> Side:
    """Return a finished run and its model; raise ConfigError for anything else. part: SMALL or LARGE."""
    if named := run_folder(source):
        output, source = named.parent, named.name
    elif (Path(source) / DESCRIPTION_FILE).is_file():
        raise ConfigError(
            f"{part}={source}: is an export, but only runs keep the answers to calibration rows. "
            f"Try: {part}=<the id of its run>"
        )
    record = find_record(output, source)
    if record.config.get(CASCADE):
        raise ConfigError(
            f"{part}={source}: is itself a cascade, and one has two models. Try: {part}=<one of its runs>"
        )
    if record.setting("data.audio"):
        raise ConfigError(
            f"{part}={source}: reads sounds, but a cascade reads texts. Try: {part}=<the id of another run>"
        )
    if not task_class(record.data.task).has_probabilities:
        raise ConfigError(
            f"{part}={source}: its task is {record.data.task}, but a cascade needs models that answer one label per "
            f"text with probabilities. Try: {part}=<the id of a run on classes>"
        )
    if engine == "onnx-int8":
        raise ConfigError(
            f"{part}_engine=onnx-int8: the calibration rows were answered by the run's own weights, not in 8 bits. "
            f"Try: {part}_engine=onnx, or as {part}= a run with 'compression=[int8]'"
        )
    return Side(record, output / record.identity, find_model(record.identity, output, engine))


def check_pair(small: Side, large: Side) -> None:
    """Raise ConfigError for two runs that are the same, or whose inputs or answers differ."""
    one, two = small.record, large.record
    said = f"{SMALL}={one.identity} {LARGE}={two.identity}"
    if one.identity == two.identity and small.folder == large.folder:
        raise ConfigError(f"{said}: a cascade of a run with itself saves nothing. Try: {SMALL}=<a faster run>")
    if len({record.data.task for record in (one, two)}) > 1:
        raise ConfigError(f"{said}: the task of one is {one.data.task}, of the other {two.data.task}. Try: two runs on "
                          "the same data")  # fmt: skip
    if len(small.model.columns) != len(large.model.columns):
        raise ConfigError(f"{said}: one reads two texts, the other one text. Try: two runs on the same data")
    if one.data.labels != two.data.labels:
        raise ConfigError(f"{said}: {_other_labels(one, two)}. Try: two runs on the same data")
    metrics = task_of_record(two).metrics
    if task_of_record(one).metrics[0] != metrics[0]:
        raise ConfigError(f"{said}: their first scores differ, {one.data.primary} and {two.data.primary}. "
                          f"Try: a run with 'data.metrics=[{','.join(metrics)}]'")  # fmt: skip


def _other_labels(one: RunRecord, two: RunRecord) -> str:
    """Return how the labels of two runs differ, in words."""
    mine, theirs = one.data.labels, two.data.labels
    if set(mine) == set(theirs):
        return f"their labels are in another order ({', '.join(mine[:5])}; {', '.join(theirs[:5])})"
    only = [name for name in mine if name not in theirs], [name for name in theirs if name not in mine]
    told = [f"{', '.join(map(repr, names[:5]))} only in {key}" for key, names in zip(MODELS, only) if names]
    return f"their labels differ: {'; '.join(told)}"
