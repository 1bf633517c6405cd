"""Check a page: the paths, links, `run` commands, settings and make targets in it exist. Nothing is run.

problems("README.md", text) -> ["line 12: `runner/gone.py`: no such path", ...]
"""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from models.compression.settings import METHODS
from runner.cli import VERBS
from runner.commands.experiment import VALUED
from runner.config.check import check_overrides
from runner.config.compose import groups, parsed
from runner.config.folders import FLAGS
from runner.schema import Command
from tests.conftest import REPO

ROOMS = ("conf", "data", "models", "runner", "sweeps", "tests", ".ci")
LINES, FRONT_LINES, FRONT_BYTES = 150, 200, 12_288  # the front page is README.md of the repository
PLACEHOLDER = re.compile(r"<[^<>]*>")
HOLE = "some_value"
MOST_RUNS = 24  # of a sweep that are all checked
SETTING = re.compile(r"\+?([a-z_]+(?:[./][a-z_0-9]+)*)=(.*)", re.S)


def pages() -> list[Path]:
    """Every page of the repository."""
    below = [path for room in ROOMS for path in (REPO / room).rglob("*.md")]
    return sorted([*REPO.glob("*.md"), *below])


def problems(name: str, text: str) -> list[str]:
    """Return one line for each thing in the page `name`, relative to the repository, that is missing or too long."""
    found = list(_length(name, text))
    fenced, followed = False, ""
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
            continue
        if fenced:
            follower = next((after for after in lines[number:] if after.strip()), "")
            checks = [*_code_line(followed + line, refused=follower.startswith("run: ")), *_room_paths(line)]
            followed = followed + line.rstrip("\\") if line.endswith("\\") else ""
            if followed:
                continue
        else:
            checks = [*_links(name, line, text)]
            for code in re.findall(r"`([^`]+)`", line):
                checks += _inline(name, code.replace("\\|", "|"))
                checks += () if "record" in line else _bare_key(code)
        found += [f"line {number}: {problem}" for problem in checks]
    return found


def _length(name: str, text: str) -> Iterator[str]:
    count, most = len(text.splitlines()), FRONT_LINES if name == "README.md" else LINES
    if count > most:
        yield f"{count} lines, at most {most}"
    if name == "README.md" and (size := len(text.encode())) > FRONT_BYTES:
        yield f"{size:,} bytes, at most {FRONT_BYTES:,}"


def _links(name: str, line: str, text: str) -> Iterator[str]:
    """Yield links to pages, pictures and headings that do not exist; links to the web are not followed."""
    for target in re.findall(r"\]\(([^)\s]+)\)", line):
        path, _, heading = target.partition("#")
        page = (REPO / name).parent / path
        if re.match(r"[a-z]+:", target):
            continue
        if not page.exists():
            yield f"({target}): no such file"
        elif heading and heading not in _headings(page.read_text(encoding="utf-8") if path else text):
            yield f"({target}): no such heading"


def _headings(text: str) -> set[str]:
    """Return the anchors of a page, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def _room_paths(line: str) -> Iterator[str]:
    """Yield the missing paths below one of ROOMS on a line of a code block."""
    for word in re.findall(rf"(?<![\w./-])(?:{'|'.join(map(re.escape, ROOMS))})/[\w<>*./-]+", line):
        yield from _path("README.md", word)


def _inline(name: str, code: str) -> Iterator[str]:
    """Yield the mistakes in a command, in settings or in a path between backticks; anything else is not checked."""
    words = code.split()
    if words[:1] in (["run"], ["make"]) or re.match(r"[A-Z_]+=\S+ make ", code):
        yield from _code_line(code, refused=False)
    elif all(SETTING.fullmatch(PLACEHOLDER.sub(HOLE, word)) for word in words):
        for word in words:
            match = SETTING.fullmatch(word.strip("'\""))
            if match and re.split("[./]", match[1])[0] in _roots() and ("." in match[1] or match[1] in groups()):
                yield from _setting(word.strip("'\""))
    elif len(words) == 1:
        yield from _path(name, code)


def _bare_key(code: str) -> Iterator[str]:
    """Yield a dotted name that looks like a setting, and is neither one nor a module."""
    is_ours = re.fullmatch(r"[a-z_]+(\.[a-z_0-9]+)+", code) and code.split(".")[0] in _roots()
    if is_ours and code not in _keys() and not re.search(r"\.(py|md|yaml|json|bin)$", code):
        module = REPO / code.replace(".", "/")
        if not (module.is_dir() or module.with_suffix(".py").is_file()):
            yield f"`{code}`: no such key"


def _path(name: str, code: str) -> Iterator[str]:
    """Yield a path that is missing from the repository and the page's folder; a bare file name may be in any folder."""
    code = code.removesuffix(".")
    ours = code.split("/")[0] in ROOMS and "/" in code
    if not (ours or re.fullmatch(r"[\w./<>*-]+\.(py|yaml|md)", code)) or "=" in code or code.startswith("outputs"):
        return
    pattern = PLACEHOLDER.sub("*", code).strip("/")
    near = (REPO / name).parent
    folders = (REPO, near, *(near.rglob("*/") if near != REPO and "/" not in pattern else ()))
    if any(folder.is_dir() and next(folder.glob(pattern), None) for folder in folders):
        return
    if "/" not in pattern and any(next((REPO / room).rglob(pattern), None) for room in ROOMS):
        return
    yield f"`{code}`: no such path"


def problems_of_command(line: str) -> list[str]:
    """Return the mistakes in the commands on a line."""
    return list(_code_line(line, refused=False))


def _code_line(line: str, refused: bool) -> Iterator[str]:
    """Yield the mistakes in the commands on a line.

    refused: the page shows that the command is refused, so it must have a mistake.
    """
    whole = re.sub(r"\s+#\s.*$", "", PLACEHOLDER.sub(HOLE, line.strip().removeprefix("$ ")))
    line = whole.rstrip("\\")
    for command in re.split(r" (?:&&|\|) ", line):
        try:
            words = shlex.split(command)
        except ValueError:
            continue
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words = words[1:]
        if words[:1] == ["make"]:
            targets = {word for word in words[1:] if "=" not in word and word != HOLE}
            yield from (f"`make {word}`: no such target" for word in sorted(targets - _targets()))
        elif words[:1] == ["run"]:
            wrong = [*_run(words[1:]), *_unquoted(command)] or [*_refused(whole, words[1:])]
            if refused and not wrong:
                yield f"`{command.strip()}` is shown as refused, and nothing is wrong with it"
            yield from () if refused else (f"`{command.strip()}`: {problem}" for problem in wrong)


def _unquoted(command: str) -> Iterator[str]:
    """Yield the settings with a bracket outside quotes, which zsh takes for a pattern of file names."""
    for word in re.sub(r"'[^']*'|\"[^\"]*\"", "", command).split():
        if re.search(r"=.*[][{}()*?]", word):
            yield f"{word} needs quotes"


def _run(words: list[str]) -> Iterator[str]:
    """Yield the mistakes in the words after `run`."""
    verb = words[0] if words and re.fullmatch("[a-z]+(-[a-z]+)?", words[0]) else ""
    if verb and verb not in VERBS and verb != HOLE:
        yield f"no verb {verb}"
        return
    module = (REPO / f"runner/commands/{verb.replace('-', '_')}.py").read_text(encoding="utf-8") if verb else ""
    usage = (REPO / f"runner/commands/usage/{verb}.txt").read_text(encoding="utf-8") if verb else ""
    module += usage.replace("+sweep=", "")
    flags_of_plan = verb in ("plan", "")
    for before, word in zip(["", *words], words):
        match = SETTING.fullmatch(word)
        if word.startswith("--") and verb and not flags_of_plan:
            if word.partition("=")[0] not in module and word.partition("=")[0] not in FLAGS:  # of every verb
                yield f"{verb} has no {word}"
        elif match and before not in VALUED and not re.search(rf'"{re.escape(match[1])}"|\b{match[1]}=', module):
            yield from _setting(word)


def _refused(command: str, words: list[str]) -> Iterator[str]:
    """Yield why `run` would refuse the words after it.

    Not examined: other verbs, commands that the page shortens or goes on with on another line, and from=<run id>.
    """
    settings = [word for word in words if word != "-m"]
    is_whole = not command.rstrip().endswith("\\") and not any(part in command for part in ("...", "$", "|"))
    if is_whole and settings and all(SETTING.fullmatch(word) and not word.startswith("from=") for word in settings):
        yield from check_overrides(settings, "-m" in words) or (_refused_runs(settings) if "-m" in words else ())


def _refused_runs(settings: list[str]) -> list[str]:
    """Return why a run of a sweep would be refused; of many runs, each value is checked beside the first of the others.

    Not examined: named sweeps, and searches, which draw their values.
    """
    found = [parsed(word) for word in settings if not word.startswith(("hydra", "seed="))]
    are_listed = [one.is_choice_sweep() or one.is_range_sweep() or not one.is_sweep_override() for one in found]
    if not all(are_listed) or any(one.key_or_group == "sweep" for one in found):
        return []
    values = [
        [f"{one.get_key_element()}={value}" for value in one.sweep_string_iterator()]
        if one.is_sweep_override()
        else [str(one.input_line)]
        for one in found
    ]
    first = [own[0] for own in values]
    runs = [list(run) for run in itertools.product(*values)]
    if len(runs) > MOST_RUNS:
        runs = [[*first[:place], value, *first[place + 1 :]] for place, own in enumerate(values) for value in own]
    return list(dict.fromkeys(problem for run in runs for problem in check_overrides(run, allow_unread=True)))


def _setting(word: str) -> Iterator[str]:
    """Yield the mistakes in the group, the choice or the key of one override."""
    match = SETTING.fullmatch(word)
    if not match:
        return
    key, value = match[1], match[2]
    group = key.replace(".", "/")
    if group in groups():
        known = {*groups()[group], HOLE, "null", "...", "local", "grid"}
        for choice in re.split(r"[,|]", re.sub(r"[\[\]\s'\"]", "", value)):
            if choice and choice not in known:
                yield f"{group}={choice}: no such choice"
    elif key == "sweep":
        if value not in {path.stem for path in (REPO / "sweeps").glob("*.yaml")} | {HOLE, "..."}:
            yield f"+sweep={value}: no such sweep"
    elif key != "from" and key not in _keys() and not key.startswith("hydra.job"):
        yield f"{key}: no such key"


@cache
def _targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([a-z-]+):", (REPO / "Makefile").read_text(encoding="utf-8"), re.M))


@cache
def _roots() -> set[str]:
    """The first parts of all keys and groups."""
    return {key.split(".")[0] for key in _keys()} | {group.split("/")[0] for group in groups()}


@cache
def _keys() -> frozenset[str]:
    """All dotted keys: of the dataclasses, of each compression method, and of the YAML files in nested groups."""
    found = set(_flat(OmegaConf.to_container(OmegaConf.structured(Command)), ""))
    for group, choices in groups().items():
        for choice in choices:
            options = _options(REPO / "conf" / group, choice)
            if group == "compression":
                found |= set(_flat({choice: options}, "compression."))
                if settings := METHODS.get(options.get("method", "")):
                    fields = OmegaConf.to_container(OmegaConf.structured(settings))
                    found |= set(_flat(fields, f"compression.{choice}."))
            elif "/" in group:
                found |= set(_flat(options, f"{group.replace('/', '.')}."))
    return frozenset(found)


def _options(folder: Path, choice: str) -> dict[str, Any]:
    """The keys of a YAML file and of the files that its `defaults` name in the same folder."""
    loaded = yaml.safe_load((folder / f"{choice}.yaml").read_text(encoding="utf-8")) or {}
    merged: dict[str, Any] = {}
    for parent in loaded.pop("defaults", []):
        if isinstance(parent, str) and parent != "_self_":
            merged |= _options(folder, parent.partition("@")[0])
    return merged | loaded


def _flat(node: Any, prefix: str) -> Iterator[str]:
    for key, value in node.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
