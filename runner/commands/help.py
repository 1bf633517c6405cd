"""`run help [VERB]`: the overview, or one verb. Each verb has one text, runner/commands/usage/<verb>.txt.

Nothing of the verb itself is imported.
"""

from __future__ import annotations

from importlib import resources

from runner.errors import ConfigError


def main(words: list[str], overview: str, verbs: tuple[str, ...]) -> int:
    """Print the overview, or the text of the verb that is named; 0 unless there is none of that name."""
    if not words:
        print(overview, end="")
        return 0
    if len(words) > 1 or words[0] not in verbs:
        raise ConfigError(f"run help: no verb {' '.join(words)!r}. Verbs: {', '.join(verbs)}. Try: run help best")
    return show_usage(words[0])


def show_usage(verb: str) -> int:
    """Print the text of a verb; 0."""
    print(usage(verb), end="")
    return 0


def usage(verb: str) -> str:
    """Return the text of a verb: how it is written, what it does, examples, and its options with their defaults."""
    return (resources.files("runner.commands") / "usage" / f"{verb}.txt").read_text(encoding="utf-8")


def asks_for_help(words: list[str]) -> bool:
    """Is -h or --help among the words? What follows `--` is text."""
    end = words.index("--") if "--" in words else len(words)
    return any(word in ("-h", "--help") for word in words[:end])
