"""`from=<run id>`: compression stages on the model of a finished run, without training it again.

The command line of that run is taken over, so that data, tokenizer and measuring are the same; words that are typed
beside `from=` replace its words. Nothing heavy is imported.
"""

from __future__ import annotations

from pathlib import Path

from data.quoting import hydra_setting
from runner.config.overrides import parse_override
from runner.config.recipes import OF_PRESET, target_of
from runner.config.sized import BY_ROWS, ENCODERS, PRESET, TABLE, USUAL
from runner.errors import ConfigError
from runner.record.folder import find_record
from runner.record.model_folder import folder_of
from runner.record.record import RunRecord
from runner.record.status import shown_status

FROM = "from="
FIXED = f"train.recipe={PRESET}"
# Settings that the new run does not take over.
DROPPED = (
    "train.recipe",
    "model.recipes",
    "compression",
    "density",
    "view",
    "finished",
    "force",
    "resume",
    "paths",
    "tracker",
    "checkpoint",
    "sweep",
)

# Settings that may be given with from=, as they do not change the model: those of training and of the tokenizer, which
# must be the model's own.
TAKEN = (
    "model.freeze", "model.name", "model.special_tokens", "model.token_dropout", "model.tokenizer",
    "model.unknown_tokens", "model.vocab_size", "model.vocabulary",
)  # fmt: skip
NAMES = {f"model/{part}": f"model.{part}.name" for part in ("embedding", "readout")}
NAMES |= {"model": "model.name", "model/backbone": "model.backbone"}


def expand_from(words: list[str]) -> list[str]:
    """Return the words with `from=<id>` replaced by the command of that run.

    Raises ConfigError if there is no such run, and for words that would change its model.
    """
    named = [word for word in words if word.startswith(FROM)]
    if not named:
        return words
    identity, rest = named[-1].removeprefix(FROM), [word for word in words if word not in named]
    if not any(word.startswith("compression=") for word in rest):
        raise ConfigError(f"from={identity} is for a compression stage. Try: run 'compression=[int8]' from={identity}")
    output = _output_of(rest)
    record = find_record(Path(output).expanduser(), identity)
    if record.status != "done":
        raise ConfigError(f"from={identity}: run {record.identity} is {shown_status(record)}. Name a finished one")
    folder = folder_of(record.identity, output, "from")
    if refused := [word for word in rest if _is_fixed(word, record)]:
        raise ConfigError(
            f"from={identity}: its model stays as it is, so {' '.join(refused)} would have no effect. "
            "Leave that out, or train such a model: without from="
        )
    typed = {word.partition("=")[0] for word in rest}
    before = [word for word in record.overrides if _is_kept(word.partition("=")[0].lstrip("+~"), typed)]
    before += _recipe_of(record, typed)
    before += _readout_of(record, typed.union(word.partition("=")[0] for word in before))
    return [*before, *rest, hydra_setting("finished", str(folder))]


def _is_fixed(word: str, record: RunRecord) -> bool:
    """Would a word change the model of a finished run, which is opened from its folder?"""
    key, _, value = word.partition("=")
    if not key.startswith(("model.", "model/")) and key != "model":
        return False
    found = record.setting(NAMES.get(key, key))
    is_same = word in record.overrides or value.lower() == ("null" if found is None else str(found).lower())
    return key not in TAKEN and not is_same


def _output_of(words: list[str]) -> str:
    """Return the folder of run folders that the words name, which Hydra's quotes may enclose."""
    given = next((word for word in reversed(words) if word.startswith("paths.output=")), "")
    override, _ = parse_override(given)
    return str(override.value()) if override else given.partition("=")[2] or "outputs"


def _recipe_of(record: RunRecord, typed: set[str]) -> list[str]:
    """Return the words for the settings that train.recipe=auto or sized chose for a run, to replace that word."""
    chosen = record.recipe.chosen.split() if record.recipe else []
    if record.setting("model.family") in ENCODERS or any(word.startswith(TABLE) for word in record.overrides):
        named = {target_of(word) for word in (*record.overrides, *chosen)}
        usual = {key: record.setting(f"model.recipe.{name}") for name, key in OF_PRESET.items()} | USUAL
        now = {key: record.setting(key) for key in BY_ROWS if key not in named}
        chosen += [f"{key}={value}" for key, value in now.items() if value not in (None, usual[key])]
    kept = [word for word in chosen if _is_kept(word.partition("=")[0], typed)]
    return [*kept, FIXED] if FIXED in record.overrides and "train.recipe" not in typed else kept


def _readout_of(record: RunRecord, named: set[str]) -> list[str]:
    """Return the word for the readout of a run without attention on pairs that its command left to the default.

    The default was `mean` before it became `pair`, and the model in the folder is as it was trained.
    """
    found = [record.setting(f"model.{key}") for key in ("family", "readout.name")]
    is_pair = record.setting("data.text_pair") is not None
    return ["model/readout=mean"] if is_pair and found == ["dsn", "mean"] and "model/readout" not in named else []


def _is_kept(key: str, typed: set[str]) -> bool:
    """Is this a setting to take over? Never one of Hydra's, which could call any function: a record may come from
    someone else.
    """
    if key.startswith(("hydra", "-")):
        return False
    return key not in typed and not any(key == name or key.startswith(f"{name}.") for name in DROPPED)
