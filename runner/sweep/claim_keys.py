"""Finds settings that a sweep's claims name but none of its runs has, before hours are spent on runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from data.json_types import JsonObject
from runner.compare.claim_format import conditions_of
from runner.compare.select import full_key, setting_words
from runner.config.keys import closest, did_you_mean
from runner.record.identity import flatten
from runner.sweep.plan import Job


def unknown_keys(claims: Sequence[JsonObject], jobs: Sequence[Job]) -> list[str]:
    """Return one line for each such setting, with the one that it may be a typo of.

    It is no error: the command may leave out the choice that has the setting. Its claim is then not tested.
    """
    # As in a record, `compression` is also the list of the stages.
    known = [flatten(asdict(job.settings)) | {"compression": []} for job in jobs if job.settings]
    keys = sorted({key for settings in known for key in settings})
    return [
        f"no run of this sweep has the setting {key}, which a claim names{did_you_mean(closest(key, keys))}"
        for key in dict.fromkeys(_named(claims))
        if not any(full_key(key, settings) in settings for settings in known)
    ]


def _named(claims: Sequence[JsonObject]) -> Iterator[str]:
    """Yield the settings in `where` and `versus` of claims that are to be tested."""
    for claim in claims:
        for part in conditions_of(claim):
            for group in (part.get("where"), part.get("versus")):
                if not part.get("why"):
                    yield from (word.partition("=")[0] for word in setting_words(group or {}))
