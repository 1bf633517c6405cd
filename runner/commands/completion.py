"""`run -sc install=bash`: completion of verbs, ids, keys and values in bash, zsh and fish.

    eval "$(run -sc install=bash)"      # in ~/.bashrc; zsh the same; fish: run -sc install=fish | source

The shell asks `run -sc query=<shell>` with what was typed so far, in COMP_LINE. An answer takes about 0.1 s: the files
of conf/ are read as text, and neither Hydra nor a record is loaded.
"""

from __future__ import annotations

import difflib
import os
import re

from runner.commands.help import usage
from runner.config.check_values import choices_for
from runner.config.compose import groups
from runner.config.folders import FLAGS, take_config_folders
from runner.config.outline import default_choices, settings_of, top_settings
from runner.config.plugins import named_sweeps
from runner.errors import ConfigError, refuse
from runner.record.folder import RECORD

SHELLS = {
    "bash": """\
_run_words() {
    local IFS=$'\\n'
    COMPREPLY=($(COMP_LINE="${COMP_LINE:0:$COMP_POINT}" "$1" -sc query=bash 2>/dev/null))
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} != *[=./] ]] && COMPREPLY[0]+=' '
}
COMP_WORDBREAKS=${COMP_WORDBREAKS//[=:]/}
complete -o nospace -o default -F _run_words run
""",
    "zsh": """\
_run_words() {
    local line="${(j: :)words[1,CURRENT]}"
    local -a found=("${(@f)$(COMP_LINE="$line" ${words[1]} -sc query=zsh 2>/dev/null)}")
    [[ -z "$found" ]] && { _files; return }
    compadd -Q -S '' -- ${(M)found:#*[=./]}
    compadd -Q -S ' ' -- ${found:#*[=./]}
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _run_words run
""",
    "fish": """\
complete -c run -f -a '(COMP_LINE=(commandline -cp) run -sc query=fish 2>/dev/null)'
""",
}
REMOVE = {
    "bash": "complete -r run; unset -f _run_words\n",
    "zsh": "compdef -d run; unfunction _run_words\n",
    "fish": "complete -c run -e\n",
}
OF_A_RUN = ("show", "explain", "export", "predict", "serve", "errors", "push")
OF_SEVERAL = ("diff", "compare", "blimp", "probe")
OF_SWEEPS = ("show", "diff", "compare", "blimp", "probe")
OF_SETTINGS = ("best", "plan", "data", "demo")  # verbs whose words are settings of experiments
OWN_FLAGS = ("--help", "--version", "--config-dir", "--config-path", "--cfg", "--info", "--hydra-help", "--multirun")
OF_FILES = re.compile(r"(^|[._])(path|queries|corpus|qrels|candidates|out|output|cache|unlabelled|storage)$|^--out$")


def main(words: list[str], verbs: tuple[str, ...]) -> int:
    """Print the script for a shell, or the completions at its cursor."""
    task, _, shell = words[0].partition("=")
    if task not in ("install", "uninstall", "query") or shell not in SHELLS:
        close = difflib.get_close_matches(words[0], [f"{task}={name}" for name in SHELLS], n=1) or ["install=bash"]
        return refuse([f"-sc {words[0]}: expected install, uninstall or query=bash|zsh|fish. Try: run -sc {close[0]}"])
    if task == "query":
        for found in complete(os.environ.get("COMP_LINE", ""), verbs):
            print(found)
    else:
        print(SHELLS[shell] if task == "install" else REMOVE[shell], end="")
    return 0


def complete(line: str, verbs: tuple[str, ...]) -> list[str]:
    """Return all completions of the last word of a command line, sorted."""
    typed = line.split()[1:]
    word = typed.pop() if typed and not line[-1:].isspace() else ""
    try:
        before = take_config_folders(typed)
    except ConfigError:
        before = typed
    verb = before[0] if before and before[0] in verbs else ""
    offered = set(_offers(verb, verbs, before, word, typed[-1] if typed else ""))
    return sorted(found for found in offered if found.startswith(word)) or sorted(_files(word) if word else [])


def _offers(verb: str, verbs: tuple[str, ...], before: list[str], word: str, last: str) -> list[str]:
    """Return candidates for a word; some of them may not start with it."""
    key, equals, value = word.partition("=")
    if FLAGS.get(last) or OF_FILES.search(last) or (equals and OF_FILES.search(key)) or value[:1] in ("/", "~", "."):
        return _files(word)
    if verb and verb not in OF_SETTINGS:
        return [*_options(verb), *(_names(verb, verbs, before) if not equals else []), *_flags(word)]
    found = [*_settings(before, word), *_flags(word)]
    return found + (_options(verb) if verb else [] if before else list(verbs))


def _names(verb: str, verbs: tuple[str, ...], before: list[str]) -> list[str]:
    """Return the verbs, groups, runs and sweeps that a verb may be about; none if the command names its run already."""
    if verb == "help":
        return list(verbs)
    if verb == "list":
        return ["best"] if "runs" in before else [*groups(), "sweep", "best", "blimp", "runs"]
    if verb in OF_SEVERAL or (verb in OF_A_RUN and before[-1] == verb):
        return [*_ids(before), *(named_sweeps() if verb in OF_SWEEPS else [])]
    return []


def _flags(word: str) -> list[str]:
    return list(OWN_FLAGS) if word.startswith("-") else []


def _options(verb: str) -> list[str]:
    """Return the options in the text of a verb: `key=`, `--flag`, and `key=value` for each value that is listed."""
    found: list[str] = []
    for key, values in re.findall(r"(?<![\w.])(--[\w-]+|[a-z_][\w.]*=)([\w|-]*)", usage(verb)):
        if key != "key=":  # a placeholder for any value
            found.append(key)
        if "|" in values and key.endswith("="):
            found += [f"{key}{value}" for value in values.split("|")]
    return found


def _settings(before: list[str], word: str) -> list[str]:
    """Keys, or values of a key, for a config with the choices of the preceding words."""
    key, equals, value = word.lstrip("+~").partition("=")
    sign = word[: len(word) - len(word.lstrip("+~"))]
    if equals:
        start = value[: max(value.rfind(mark) for mark in ",[|") + 1]  # the last of several values
        return [f"{sign}{key}={start}{offer}" for offer in _values(key, before)]
    keys = [name for name, setting in _known(before).items() if setting]
    parts = {name[: name.index(".", len(key)) + 1] for name in keys if "." in name[len(key) :]}
    nested = [f"{group}=" for group in groups()]
    return [*nested, *(f"{name}=" for name in keys if "." not in name[len(key) :]), *parts, "from=", f"{sign}sweep="]


def _values(key: str, before: list[str]) -> list[str]:
    """Return the values that are offered after `key=`."""
    group = key.replace(".", "/")
    if group in groups():
        return groups()[group]
    if key == "sweep":
        return list(named_sweeps())
    if key == "from":
        return _ids(before)
    choices = choices_for(key)
    known = _known(before).get(key, "")
    return [str(choice) for choice in choices] or ([known] if known and "$" not in known else [])


def _known(before: list[str]) -> dict[str, str]:
    """Return every key of a config with the choices of the preceding words, and its value."""
    chosen = default_choices()
    for word in before:
        key, _, value = word.lstrip("+~").partition("=")
        if (group := key.replace(".", "/")) in groups():
            chosen[group] = value.strip("[]")
    found = {key: setting.value for key, setting in top_settings().items()}
    for group, choice in sorted(chosen.items(), key=lambda item: "/" in item[0]):
        for name in choice.split(","):
            found |= {key: setting.value or "null" for key, setting in settings_of(group, name).items()}
    return found


def _ids(before: list[str]) -> list[str]:
    """Return the ids of the recorded runs, those of the sweeps, and the word for the newest."""
    output = next((word.partition("=")[2] for word in before if word.startswith("paths.output=")), "outputs")
    found = ["latest"]
    for place, mark in ((output, RECORD), (os.path.join(output, "sweeps"), "sweep.json")):  # noqa: PTH118
        try:
            with os.scandir(os.path.expanduser(place)) as entries:  # noqa: PTH111
                found += [e.name for e in entries if e.name[0] != "." and os.path.exists(f"{e.path}/{mark}")]  # noqa: PTH110
        except OSError:
            continue
    return found


def _files(word: str) -> list[str]:
    """Return the paths that start with the word, folders with a slash; text before a `=` is kept."""
    key, equals, typed = word.rpartition("=")
    folder, _, start = typed.rpartition("/")
    place = os.path.expanduser(folder) if folder or not typed.startswith("/") else "/"  # noqa: PTH111
    try:
        with os.scandir(place or ".") as entries:
            names = [(entry.name, entry.is_dir()) for entry in entries if entry.name.startswith(start)]
    except OSError:
        return []
    head = f"{key}{equals}{folder}{'/' if folder or typed.startswith('/') else ''}"
    return [f"{head}{name}{'/' if is_folder else ''}" for name, is_folder in names]
