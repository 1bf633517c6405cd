"""Finds foreign packages that hide ours, whose names are general: a file models.py beside a script would be imported
first.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

# By package: a file that only ours has.
MARKS = {
    "conf": "config.yaml",
    "data": "stores/build_once.py",
    "models": "checkpoints/transformers_config.py",
    "runner": "sanitize.py",
}


def shadowed() -> str:
    """Return one line about a foreign package that hides ours, with the cure; "" if none does."""
    for name, mark in MARKS.items():
        try:
            spec = find_spec(name)
        except ValueError:  # a module without a spec, such as one made by hand
            spec = None
        places = list(spec.submodule_search_locations or []) if spec else []
        if any((Path(place) / mark).is_file() for place in places):
            continue
        if spec is None:
            return f"bertier needs its package {name!r}, which is missing. Try: pip install --force-reinstall bertier"
        found = spec.origin or ", ".join(places)
        return (
            f"bertier needs its package {name!r}, but Python finds another one first: {found}. "
            "Try: rename that file or folder, or start Python in another folder"
        )
    return ""
