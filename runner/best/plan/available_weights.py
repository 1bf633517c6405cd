"""Are the weights of a hub id available: in the cache, or from a hub that answers within two seconds?"""

from __future__ import annotations

import socket
from functools import cache
from pathlib import Path

from data.sources.hub_status import hub_endpoint
from models.checkpoints.read import WEIGHTS

PATIENCE_S = 2.0


class AvailableWeights:
    """Answers for hub ids and folders; each is looked up once."""

    def __init__(self) -> None:
        self._known: dict[str, bool] = {}

    def __call__(self, source: str) -> bool:
        """Are the weights of this id or folder available?"""
        if source not in self._known:
            self._known[source] = is_cached(source) or (hub_answers() and hub_has(source))
        return self._known[source]


def is_cached(source: str) -> bool:
    """Does a folder, or the hub's cache, have the weights?"""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    folder = Path(source).expanduser()
    if folder.is_dir():
        return (folder / WEIGHTS).is_file()
    try:
        return isinstance(try_to_load_from_cache(source, WEIGHTS), str)
    except HFValidationError:
        return False


@cache
def hub_answers() -> bool:
    """Does the hub accept a connection? Tried once per process, so that a dead address costs two seconds at most."""
    from huggingface_hub import constants

    if constants.is_offline_mode():
        return False
    _, host, port = hub_endpoint()
    try:
        socket.create_connection((host, port), PATIENCE_S).close()
    except OSError:
        return False
    return True


def hub_has(source: str) -> bool:
    """Does the hub have the weights under this id?"""
    import httpx2
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        get_hf_file_metadata(hf_hub_url(source, WEIGHTS), timeout=PATIENCE_S)
    except (OSError, httpx2.HTTPError, HfHubHTTPError, HFValidationError):
        return False
    return True
