"""YAML files of ours and of the user, read without Hydra."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file; OSError, UnicodeDecodeError or yaml.YAMLError where it cannot be read.

    libyaml, where PyYAML has it, takes an eighth of the time.
    """
    import yaml

    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
