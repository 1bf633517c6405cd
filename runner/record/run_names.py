"""Short names for runs, made of the settings that distinguish them: the model first, then all others that vary.

    names_of([first, second])                                          # ["model=dsn", "model=bert-tiny"]
    name_of(record)                                                    # "dsn imdb optimizer.lr=0.01 seed=1"
    names_of_commands([["model=dsn", "seed=0"], ["model=dsn", "seed=1"]])     # ["seed=0", "seed=1"]

Tables, reports, the screen of a sweep and MLflow all take their names from here. No torch is imported.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from data.json_types import Json, JsonObject
from models.settings import FITTED
from runner.record.command import essential
from runner.record.identity import affects_identity
from runner.record.record import RunRecord

# Results depend on these, but no config holds them; they name runs only if nothing else distinguishes two.
FINGERPRINTS = ("code_version", "data.fingerprint", "tokenizer.fingerprint", "weights.fingerprint")
OF_TRAINING = ("optimizer.", "schedule.", "train.")  # settings without effect on a model that is fitted in one go
FILES = (
    "data.path",
    "data.train_path",
    "data.qrels",
)  # they may name a run but do not change it: a file may have been moved
OF_MEASURING = ("measure=", "measure.")
# How the user's files are read, which a name need not repeat.
OF_READING = ("path", "train_path", "val_path", "test_path", "text", "text_pair", "label", "tokens", "tags", "name",
              "encoding", "delimiter", "quoting", "label_separator", "labels", "find", "queries", "corpus", "qrels",
              "candidates")  # fmt: skip
OF_A_RUN = re.compile(r".*[/\\]([0-9a-f]{10})[/\\]model")  # the folder of the model that a run made
FIRST = ("model.name", "compression", "data.name")  # the settings that lead a name
ABSENT = "(absent)"  # stands in a name for a setting that others have

matters = cache(affects_identity)  # the same hundred keys are asked about for every run


def names_of(records: Sequence[RunRecord]) -> list[str]:
    """Return a name for each run: what distinguishes its group, and the seed if the group has several.

    One run alone is named by its model and its data.
    """
    settings = [settings_of(record) for record in records]
    names = distinguish(settings, [record.overrides for record in records])
    several = Counter(names)
    return [f"{name} seed={record.seed}" if several[name] > 1 else name for name, record in zip(names, records)]


def name_of(record: RunRecord, shared: Collection[str] = ()) -> str:
    """Return the name of a single run: model, data or their file, other typed settings, and the seed.

    shared: words to leave out, such as those of all runs in a list.
    """
    named = {"model", "data", "seed", "compression", "from", *(f"data.{key}" for key in OF_READING)}
    words = [word.lstrip("+") for word in essential(record.overrides) if word not in shared]
    typed = [word for word in words if word.partition("=")[0] not in named and not word.startswith(OF_MEASURING)]
    stages = [setting_text(record.compression)] if record.compression else []
    return " ".join([record.model, data_name(record), *stages, *typed, f"seed={record.seed}"])


def data_name(record: RunRecord) -> str:
    """Return the name of a run's dataset, or of its file if the user has given the data no name."""
    path = next((record.setting(key) for key in FILES if record.setting(key)), None)
    return Path(str(path)).name if path and record.dataset == "files" else record.dataset


def names_of_commands(commands: Sequence[Sequence[str]], fixed: Iterable[str] = ()) -> list[str]:
    """Return a name for each command: its words that the others do not share, or all words if nothing is left.

    For runs that have no record yet. fixed: further words to leave out, such as those of the sweep's command line.
    """
    shared = {*common(commands), *fixed}
    own = [" ".join(word.lstrip("+") for word in words if word not in shared) for words in commands]
    return [name or " ".join(words) for name, words in zip(own, commands)]


def common(commands: Sequence[Sequence[str]]) -> list[str]:
    """Return the words that all commands have, in order; none if there is only one command."""
    if len(commands) < 2:
        return []
    shared = set(commands[0]).intersection(*commands[1:])
    return [word for word in commands[0] if word in shared]


def settings_of(record: RunRecord) -> JsonObject:
    """Return all but the seed that the result of a run depends on, flat: settings and fingerprints."""
    prints = {
        "data.fingerprint": record.data.fingerprint,
        "tokenizer.fingerprint": record.tokenizer.fingerprint,
        "weights.fingerprint": record.weights.fingerprint,
    }
    if record.setting("model.tune.epochs"):
        # An encoder that is finetuned first depends on the seed, like all that is trained later.
        del prints["weights.fingerprint"]
    flat = record.settings
    kept = _kept_keys(tuple(flat), flat.get("model.family") in FITTED)
    return {key: flat[key] for key in kept} | {
        **{key: flat[key] for key in FILES if flat.get(key)},
        "data.positive": record.data.positive_name,
        "compression": record.compression,
        "code_version": record.environment.numbers,
        **{key: (found or "")[:8] for key, found in prints.items()},
    }


@cache
def _kept_keys(keys: tuple[str, ...], is_fitted: bool) -> tuple[str, ...]:
    """Return the settings among these keys that a result depends on; cached, as most of 10,000 runs have the same."""
    unused = OF_TRAINING if is_fitted else ()
    return tuple(key for key in keys if key != "seed" and matters(key) and not key.startswith(unused))


def is_unused(key: str, settings: Mapping[str, Json]) -> bool:
    """Is it a training setting of a model that is fitted without training?"""
    return settings.get("model.family") in FITTED and key.startswith(OF_TRAINING)


def varying(settings: Sequence[Mapping[str, Json]]) -> list[str]:
    """Return the keys whose values differ, sorted."""
    keys = sorted({key for one in settings for key in one})
    return [key for key in keys if _varies([one.get(key) for one in settings])]


def _varies(values: list[Json]) -> bool:
    """Do config values differ? Most settings of 10,000 runs are the same text or number, which is checked first."""
    kinds = set(map(type, values))
    if len(kinds) == 1 and not kinds & {list, dict} and values.count(values[0]) == len(values):
        return False
    return len({value_key(one) for one in values}) > 1


def distinguish(settings: Sequence[Mapping[str, Json]], commands: Sequence[Sequence[str]]) -> list[str]:
    """Return names of the fewest settings that tell these apart: FIRST, then those that were typed, then all others.

    settings: as `settings_of` gives them; equal ones get equal names. commands: what was typed for each.
    """
    chosen = naming_keys(settings, commands)
    if not chosen:
        return [f"model={one.get('model.name')} data={one.get('data.name')}" for one in settings]
    return [_name(chosen, one) for one in settings]


def naming_keys(settings: Sequence[Mapping[str, Json]], commands: Sequence[Sequence[str]]) -> list[str]:
    """Return the keys that names are made of: the first of the ranked ones that together tell these settings apart."""
    keys = ranked_keys(settings, commands)
    kinds = len({tuple(value_key(one.get(key)) for key in keys if key not in FILES) for one in settings})
    parts: list[tuple[str, ...]] = [()] * len(settings)
    chosen: list[str] = []
    for key in keys:
        finer = [(*before, value_key(one.get(key))) for before, one in zip(parts, settings)]
        if len(set(finer)) > len(set(parts)):
            parts = finer
            chosen.append(key)
        if len(set(parts)) == kinds:
            break
    return chosen


def ranked_keys(settings: Sequence[Mapping[str, Json]], commands: Sequence[Sequence[str]]) -> list[str]:
    """Return the keys whose values differ: FIRST, then those that were typed, then all others, fingerprints last.

    Of the typed ones, those come first that were typed with several values: a setting may have an effect, and so count,
    only together with another one.
    """
    typed: dict[str, set[str]] = {}
    for word in (word for words in commands for word in words):
        key, _, value = word.lstrip("+").partition("=")
        typed.setdefault(key.replace("/", "."), set()).add(value)
    return sorted(varying(settings), key=lambda key: (_rank(key, typed), key))


def _name(chosen: list[str], settings: Mapping[str, Json]) -> str:
    told = [key for key in chosen if key in settings or not (key in FILES or is_unused(key, settings))]
    return " ".join(f"{key.removesuffix('.name')}={shown_setting(key, settings)}" for key in told)


def _rank(key: str, typed: Mapping[str, Collection[str]]) -> int:
    """Rank model, compression and data first, then typed settings, then all others; fingerprints come last."""
    if key in FINGERPRINTS:
        return len(FIRST) + 3
    if key in FIRST:
        return FIRST.index(key)
    values = max(len(typed.get(name, ())) for name in (key, key.removesuffix(".name")))
    return len(FIRST) + (2 - min(values, 2))


def shown_setting(key: str, settings: Mapping[str, Json]) -> str:
    """Return a setting as it is typed; ABSENT if there is none."""
    if key not in settings:
        return ABSENT
    value = settings[key]
    if isinstance(value, str) and (made := OF_A_RUN.fullmatch(value)):
        return made[1]  # the model's folder is of no interest to a reader; `model.pretrained=<id>` finds it too
    return "none" if key == "compression" and not value else setting_text(value)


def setting_text(value: Json) -> str:
    """Return a config value as it is typed."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return f"[{','.join(setting_text(part) for part in value)}]"
    return str(value)


def value_key(value: Json) -> str:
    """Return a text that is the same for equal config values only."""
    return repr(sorted(value.items()) if isinstance(value, dict) else value)
