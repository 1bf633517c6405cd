"""The command that a message suggests to send missing runs to their store."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from runner.record.next_step import output_words
from runner.track.settings import TrackerSettings


def sync_command(settings: TrackerSettings, output: Path) -> str:
    """Return the command that sends the runs below `output` to a store; without a name and a password in its URI."""
    words = [f"tracker.uri={re.sub('//[^/]*@', '//', settings.uri)}"] if settings.uri else []
    if settings.experiment != TrackerSettings().experiment:
        words.append(f"tracker.experiment={settings.experiment}")
    return " ".join(["run sync", *map(shlex.quote, words), *output_words(output)])
