"""The saved model that a run id, the beginning of one, or a folder names."""

from __future__ import annotations

from pathlib import Path

from runner.errors import ConfigError
from runner.record.folder import find_record


def folder_of(init_from: str, output: str, key: str = "model.init_from") -> Path:
    """Return the saved model of a run id (or its beginning) or a folder; raise ConfigError about `key` if there is
    none.
    """
    folder = Path(init_from).expanduser()
    if not folder.is_dir():
        root = Path(output).expanduser()
        try:
            record = find_record(root, init_from)
        except ConfigError as error:
            raise ConfigError(f"{key}={init_from}: no such folder, and {error}") from error
        folder = root / record.identity
    found = folder / "model" if (folder / "model").is_dir() else folder
    if not (found / "config.json").is_file():
        raise ConfigError(
            f"{key}={init_from}: {found} holds no saved model. Try: the id of a finished run (run show), or "
            "a folder like outputs/<id>/model"
        )
    return found.absolute()
