"""Finds a run's identity from its settings without loading its data, so that a finished sweep answers at once.

An identity covers the content of the data, so it is known only after loading. Each run leaves a small file, named by a
hash of what is known before loading: settings, version, size and time of local files, and which run is meant by a name
such as `latest`; files and hub ids of a run that it needs first count too. A changed file is read again.
Hub ids are taken to mean what is in the hub's cache; `force=true` does not use the index.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from data.calibration import calibration_file
from data.sources.sound_tables import named_files
from models.compression.settings.learn import TaughtSettings
from models.settings import is_command
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.experiment.dependencies import pretrained, teacher
from runner.experiment.dependencies.inner_run import named_overrides
from runner.experiment.unlabelled_source import unlabelled_dataset
from runner.record.folder import LATEST, RECORD
from runner.record.identity import identity_settings
from runner.record.sweep_record import SWEEP, SWEEPS
from runner.schema import Settings
from runner.version import NUMBERS

FOLDER = ".identities"
RUN_ID = re.compile("[0-9a-f]{10}")  # always means the same run
Source = tuple[str, list[tuple[str, int, int]] | str | None]  # a name; stamps of its files, or a commit of the hub
RULES = 2  # raise it when the same settings and files come to another identity: labels by value, the rarer class's F1


def key(settings: Settings, words: Sequence[str] = ()) -> str:
    """Return the key of these settings without loading data, 20 hexadecimal digits; words: the command they are from,
    which runs that it needs first share in part.
    """
    return _key(settings, sources(settings, words))


def _key(settings: Settings, found: list[Source]) -> str:
    text = json.dumps([identity_settings(settings), found, NUMBERS, RULES], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def remember(output: Path, settings: Settings, identity: str, read: list[Source], words: Sequence[str] = ()) -> None:
    """Keep the identity that these settings turned out to have; words: the command they are from.

    read: the sources before they were read. Nothing is kept if one has changed since, such as a file that was edited
    meanwhile: the identity is that of its former content. A hub id may have come into the hub's cache.
    """
    now = sources(settings, words)
    if any(source not in now for source in read if source[1] is not None):
        return
    path = output / FOLDER / _key(settings, now)
    if recall(output, path.name) == identity:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")  # only the holder of the run's folder writes this key
    part.write_text(identity, encoding="ascii")
    part.replace(path)


def recall(output: Path, name: str) -> str | None:
    """Return the identity behind a key, or None if no run with these settings has got that far."""
    try:
        return (output / FOLDER / name).read_text(encoding="ascii") or None
    except (OSError, ValueError):
        return None


def sources(settings: Settings, words: Sequence[str] = ()) -> list[Source]:
    """Return everything from outside that a run reads, with what tells one version of it from the next.

    words: the command of the run, which runs that it needs first share in part.
    """
    return list(_sources(settings, words))


def _sources(settings: Settings, words: Sequence[str]) -> Iterator[Source]:
    data, model = settings.data, settings.model
    files = {"path": data.path, "train_path": data.train_path, "val_path": data.val_path, "test_path": data.test_path,
             "qrels": data.qrels, "queries": data.queries, "corpus": data.corpus, "candidates": data.candidates,
             "codes": data.codes, "tree": data.tree, "calibration": calibration_file(data)}  # fmt: skip
    for setting, name in files.items():  # one run may select on a file that another reports
        if name:
            yield f"{setting}={name}", _stamps(Path(name).expanduser())
    if data.audio and data.source == "files":
        yield "sounds", [stamp for file in named_files(data) for stamp in _stamps(file)]
    if data.id:
        yield _dataset(data.id)
    for name in (model.pretrained, model.tokenizer, model.init_from, settings.finished):
        if name and name not in ("train", "auto") and not is_command(name):
            path = Path(name).expanduser()
            yield name, _stamps(path) if path.exists() else _revision("models", name)
    named: list[tuple[str | None, tuple[str, ...]]]
    named = [(model.pretrained, pretrained.SHARED), (model.init_from, pretrained.SHARED)]
    for stage in settings.compression.values():
        if isinstance(stage, TaughtSettings):
            named += [(stage.teacher, teacher.SHARED), (stage.augment.model, teacher.SHARED)]
            yield from _files_of([stage.teacher, stage.unlabelled, stage.augment.model])
            yield from _hub_models([stage.teacher, stage.augment.model])
            if stage.unlabelled and (dataset := unlabelled_dataset(stage.unlabelled)) and dataset.id:
                yield _dataset(dataset.id)
    output = Path(settings.paths.output).expanduser()
    for name, shared in named:
        if name and is_command(name):
            yield from _sources_of_command(name, words, shared, settings)
        elif name and (meant := _runs_meant(name, output)):
            yield name, meant


def _sources_of_command(
    command: str, words: Sequence[str], shared: Sequence[str], settings: Settings
) -> Iterator[Source]:
    """Yield the sources of a run that another one needs first; none for a mistake in it, which is reported later.

    words, settings: of the other run; shared: the groups of its command that it shares.
    """
    try:
        own = named_overrides(command, words, shared)
        inner = resolve(compose(own), words=own)
    except ValueError:
        return
    yield from _sources(replace(inner, paths=settings.paths), own)


def _dataset(name: str) -> Source:
    """Return the commit of a dataset on the hub, or the stamps of its files in a local folder."""
    folder = Path(name)  # the library `datasets` takes a folder of that name for the dataset
    return name, _stamps(folder) if folder.is_dir() else _revision("datasets", name)


def _files_of(names: list[str | None]) -> Iterator[tuple[str, list[tuple[str, int, int]]]]:
    """Yield the stamps of those names that are files or folders; a command may be longer than any path."""
    for name in names:
        if name and not is_command(name) and (path := Path(name).expanduser()).exists():
            yield name, _stamps(path)


def _hub_models(names: list[str | None]) -> Iterator[tuple[str, str | None]]:
    """Yield the commits of those names that are ids of models on the hub."""
    for name in names:
        if name and not is_command(name) and "/" in name and not Path(name).expanduser().exists():
            yield name, _revision("models", name)


def _runs_meant(name: str, output: Path) -> list[tuple[str, int, int]]:
    """Return what tells which run is meant by `latest`, by the name or id of a sweep, or by the beginning of an id."""
    if name == LATEST:
        return [stamp for path in sorted(output.glob(f"*/{RECORD}")) for stamp in _stamps(path)]
    if "/" in name or RUN_ID.fullmatch(name):
        return []
    runs = [stamp for path in sorted(output.glob(f"{name}*/{RECORD}")) for stamp in _stamps(path)]
    return runs + [stamp for path in sorted(output.glob(f"{SWEEPS}/*/{SWEEP}")) for stamp in _stamps(path)]


def _stamps(path: Path) -> list[tuple[str, int, int]]:
    """Path, size and time of a file, or of each file in a folder."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    stats = [(file, file.stat()) for file in files if file.is_file()]
    return [(str(file.absolute()), stat.st_size, stat.st_mtime_ns) for file, stat in stats]


def _revision(kind: str, name: str) -> str | None:
    """Return the commit of a hub id that the hub's cache holds, None if it holds none."""
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    try:
        return (cache / f"{kind}--{name.replace('/', '--')}" / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
