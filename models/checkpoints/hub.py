"""Fetches one file of a checkpoint from a folder or the Hugging Face hub; fails within seconds, and suggests a fix.

A local folder takes precedence over a hub id of the same name. Pickles and a repository's code are never requested.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from models.errors import ModelError
from models.settings import INIT_FROM, PRETRAINED

HUB_TIMEOUT_S = 4.0  # for requests of a file's metadata; downloads have no time limit
CURES = {
    PRETRAINED: "model.pretrained=null (random weights), model.pretrained=<another id or folder>",
    INIT_FROM: "model.init=random, model.init_from=<another id or folder>",
}


def cures_for(key: str = PRETRAINED) -> str:
    """The cure to suggest if the checkpoint in setting `key` is unavailable; key "" means a folder that a run wrote."""
    if not key:
        return "Expected a folder that a run wrote: outputs/<identity>/model"
    return f"Try one of: {CURES.get(key, f'{key}=<another id or folder>')}, HF_ENDPOINT=<a hub that has it>"


def checkpoint_label(source: str, key: str) -> str:
    """A checkpoint's name for messages, with the setting that named it, if any."""
    return f"{key}={source}" if key else source


def fetch_file(source: str, name: str, key: str = PRETRAINED) -> Path | None:
    """The path of file `name` of a hub id or folder, or None if the repository does not have it.

    key: the setting that named `source`, for messages. Raises ModelError if the repository is unavailable.
    """
    return _find_file(source, name, key, _download)


def has_file(source: str, name: str, key: str = PRETRAINED) -> bool:
    """Does a hub id or folder have file `name`? Nothing is downloaded; raises ModelError as `fetch_file` does."""
    return _find_file(source, name, key, _check_exists) is not None


def _find_file(source: str, name: str, key: str, hub: Callable[[str, str], Path]) -> Path | None:
    """The path of a folder's file, or the result of `hub` for a hub file; None if there is no such file."""
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder / name if (folder / name).is_file() else None
    if source.startswith((".", "/", "~")) or source.count("/") > 1:
        raise ModelError(f"{checkpoint_label(source, key)}: there is no such folder. {cures_for(key)}")
    import httpx2  # the HTTP client of huggingface_hub 2
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        return hub(source, name)
    except LocalEntryNotFoundError as error:
        if _is_known_absent(source, name):
            return None
        raise ModelError(
            f"{checkpoint_label(source, key)}: {_unreachable()} and {name} is not in the cache. {cures_for(key)}"
        ) from error
    except EntryNotFoundError:
        return None
    except (OSError, ValueError, httpx2.HTTPError) as error:  # all other errors of the hub client
        if isinstance(error, OSError) and error.filename:  # an error of the cache: network errors name no file
            raise ModelError(
                f"{checkpoint_label(source, key)}: {name} cannot be cached: {error.strerror} ({error.filename}). "
                "Try: HF_HOME=<a folder with room that you may write to>"
            ) from error
        raise ModelError(f"{checkpoint_label(source, key)}: {_reason(error)}. {cures_for(key)}") from error


def _download(source: str, name: str) -> Path:
    """Download a hub file into the cache if needed; use the cached copy if the hub does not answer."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    try:
        is_down = _is_down(source, name)
    except EntryNotFoundError:
        is_down = False  # the client asks again and caches that there is no such file, for when the hub is down
    return Path(hf_hub_download(source, name, local_files_only=is_down, etag_timeout=HUB_TIMEOUT_S))


def _is_known_absent(source: str, name: str) -> bool:
    """Does the cache record that the repository has no such file?"""
    from huggingface_hub import _CACHED_NO_EXIST, try_to_load_from_cache

    return try_to_load_from_cache(source, name) is _CACHED_NO_EXIST


def _check_exists(source: str, name: str) -> Path:
    """The name of a hub file, if it exists; the path of the cached copy if the hub does not answer."""
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(source, name, local_files_only=True) if _is_down(source, name) else name)


def _is_down(source: str, name: str) -> bool:
    """Is the hub unreachable? Checked first because hf_hub_download retries for over 20 s before it gives up.

    Raises the hub's error if it refuses the file.
    """
    import httpx2
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        get_hf_file_metadata(hf_hub_url(source, name), timeout=HUB_TIMEOUT_S)
    except (httpx2.TransportError, OfflineModeIsEnabled):
        return True
    except HfHubHTTPError as error:
        if error.response.status_code >= 500:
            return True
        raise
    return False


def _endpoint() -> str:
    """The URL of the hub in use, without credentials."""
    from huggingface_hub import constants

    scheme, _, rest = constants.ENDPOINT.rpartition("://")
    return f"{scheme or 'https'}://{rest.rpartition('@')[2]}"


def _unreachable() -> str:
    from huggingface_hub import constants

    return "HF_HUB_OFFLINE is set" if constants.is_offline_mode() else f"{_endpoint()} does not answer"


def _reason(error: Exception) -> str:
    """Why a repository or file was refused, in one line."""
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    if isinstance(error, GatedRepoError):
        return "is gated: accept its terms on the hub and set HF_TOKEN"
    if isinstance(error, RepositoryNotFoundError | HFValidationError):
        return f"is neither a folder nor a model on {_endpoint()} (a private one needs HF_TOKEN)"
    return f"{_endpoint()} refused: {(str(error).splitlines() or [type(error).__name__])[0][:200].rstrip('.')}"
