"""The splits of a dataset of sounds, from the hub or from files: each sound is a separate file, decoded by soundfile.

run data=files data.path=clips.csv data.audio=path data.label=kind     # paths relative to the folder of clips.csv
"""

from __future__ import annotations

from pathlib import Path

from data.errors import DataError
from data.inputs.log_mel import KINDS
from data.inputs.sound_file import soundfile
from data.settings import DataSettings
from data.sources.hub_status import offline_if_unreachable
from data.sources.raw import RawData
from data.sources.sound_checks import notes_on_sounds, sound_facts, usable_rows
from data.sources.sound_split import SoundSplit
from data.sources.sound_tables import file_tables, hub_tables
from data.stores.build_once import SharedCache
from data.targets.base import ColumnTarget
from data.targets.choice import column_target

NO_SOUND = "no sound that can be used"  # the reason given for dropped rows


def is_sounds(settings: DataSettings) -> bool:
    """Return whether the settings name a column of sounds."""
    return settings.audio is not None


def check_reader(settings: DataSettings, tokenizer: str) -> None:
    """Raise DataError if a text model would read sounds or an audio model texts; checks only the settings.

    tokenizer: the value of model.tokenizer.
    """
    if is_sounds(settings) and tokenizer not in KINDS and not Path(tokenizer).expanduser().is_dir():
        raise DataError(
            f"data.audio={settings.audio}: these are sounds, but model.tokenizer={tokenizer} reads texts. "
            "Try: model=tiny-sound, or data.audio=null"
        )
    if tokenizer in KINDS and not is_sounds(settings):
        raise DataError(
            f"model.tokenizer={tokenizer} reads sounds, but data={settings.name} has texts. "
            "Try: data.audio=<the column of the sounds>, data=esc10, or a model of texts such as model=bert-tiny"
        )


def read_sounds(settings: DataSettings, cache: SharedCache, target: str = "auto") -> RawData:
    """Read the splits that the settings name; DataError, with the rows, for sounds that cannot be used.

    target: the name of the target, as in `column_target`.
    """
    if settings.source not in ("hub", "files"):
        raise DataError(f"data.audio={settings.audio}: data={settings.name} has only texts. Try: data=esc10")
    soundfile()
    notes = list(offline_if_unreachable()) if settings.source == "hub" else []
    tables = hub_tables(settings) if settings.source == "hub" else file_tables(settings, cache, notes)
    found: ColumnTarget | None = None
    splits, dropped, facts = dict[str, SoundSplit](), dict[str, int](), []
    for name, table in tables.items():
        facts.append(sound_facts(table.contents(), table.digests, settings, table.where, cache))
        rows = usable_rows(facts[-1], table.numbers, table.names, settings, table.where)
        column = table.labels(rows)
        found = found or column_target(settings, column, table.where, target)
        labels, kept = found.read(column, settings, name, table.where)
        dropped[f"{name}: {NO_SOUND}"] = len(table.numbers) - len(rows)
        dropped[f"{name}: no gold label"] = len(rows) - len(kept)
        rows = rows[kept]
        splits[name] = SoundSplit(
            table.table, labels, rows, table.numbers[rows], digests=table.digests, samples=facts[-1].samples,
            seconds=facts[-1].seconds,
        )  # fmt: skip
    assert found is not None, "train is always read"
    dropped = {what: count for what, count in dropped.items() if count}
    return RawData(found, {**splits}, dropped, [*notes, *notes_on_sounds(facts, settings), *found.notes])
