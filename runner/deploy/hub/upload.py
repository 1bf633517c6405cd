"""`run push ID NAME`: uploads a folder of `format=hub` with huggingface_hub, as one commit, private unless said.

The token is that of `hf auth login` or HF_TOKEN; it is handed to huggingface_hub and to nothing else.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import ConfigError
from runner.sanitize import HIDDEN, mask

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

NAME = re.compile(r"(?:[\w.-]{1,96}/)?[\w.-]{1,96}")  # user/name, or a name of the token's own user
# Files of an earlier push that would contradict the new ones where the new folder lacks them.
STALE = re.compile(r"(?:onnx(?:_int8)?/.+|[^/]+\.(?:safetensors|bin|json|txt))")
NO_XET = re.compile(r"404.*/xet-write-token/")  # the address that is asked first is not there
NO_TOKEN = (
    "no token for the hub was found. Make one with write access (on the hub: Settings, Access Tokens), then: "
    "hf auth login, or HF_TOKEN=<token> before the command"
)


def check_name(name: str) -> None:
    """Raise ConfigError for a text that cannot be the name of a repository."""
    if not NAME.fullmatch(name) or ".." in name or "--" in name or name.endswith(".git"):
        raise ConfigError(f"run push: {name!r} is not a repository name. Try: run push <id> <user>/<name>")


def find_token() -> str:
    """Return the token of this user; raise ConfigError if there is none."""
    from huggingface_hub import get_token

    token = get_token()
    if not token:
        raise ConfigError(f"run push: {NO_TOKEN}")
    return token


def upload_folder(folder: Path, name: str, token: str, *, is_private: bool, message: str) -> str:
    """Upload all files of a folder as one commit and return the address of the repository.

    is_private: of a new repository; nothing is uploaded to a public one unless it is False. Files of
    an earlier push that the folder does not have are removed. Raises ConfigError if the hub refuses or does not answer.
    """
    import httpx2  # what huggingface_hub talks HTTP with
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=token)
    try:
        where = api.create_repo(name, private=is_private, exist_ok=True)
        if is_private and not api.repo_info(where.repo_id).private:
            raise ConfigError(f"run push: {where.repo_id} exists and is public. Try: private=false, or another name")
        _commit(api, where.repo_id, folder, message)
    except (HfHubHTTPError, httpx2.HTTPError, OSError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"run push: {api.endpoint}: {reason(error, token)}") from error
    return str(where)


def _commit(api: HfApi, name: str, folder: Path, message: str) -> None:
    """Upload the files; by LFS storage if the hub has no Xet storage, which huggingface_hub takes for granted."""
    from huggingface_hub import constants

    try:
        api.create_commit(name, _operations(api, name, folder), commit_message=message)
    except ConnectionError as error:
        if not NO_XET.search(str(error)):
            raise
        before, constants.HF_HUB_DISABLE_XET = constants.HF_HUB_DISABLE_XET, True
        try:
            api.create_commit(name, _operations(api, name, folder), commit_message=message)
        finally:
            constants.HF_HUB_DISABLE_XET = before


def _operations(api: HfApi, name: str, folder: Path) -> list[CommitOperationAdd | CommitOperationDelete]:
    """Return every file of the folder, and the removal of what an earlier push left."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    stale = [path for path in api.list_repo_files(name) if STALE.fullmatch(path) and path not in files]
    return [
        *(CommitOperationAdd(path_in_repo=path, path_or_fileobj=str(file)) for path, file in files.items()),
        *(CommitOperationDelete(path_in_repo=path) for path in stale),
    ]


def reason(error: Exception, token: str) -> str:
    """Return one line on why an upload failed, with the cure.

    The token, which an address or a header may contain, is masked.
    """
    status = vars(error).get("response")
    code = status.status_code if status is not None else None
    cure = {
        401: "the token is not valid. Try: hf auth login",
        403: "the token may not write there. Make one with write access, or name a repository of yours",
        404: "no such user or organisation, or the token may not see it",
        413: "the hub says that the files are too large",
        429: "the hub limits the rate of requests. Try again later",
    }
    told = " ".join(str(error).split()).replace(token, HIDDEN)[:300]
    return cure.get(code or 0) or mask(f"{told or type(error).__name__}. Is HF_ENDPOINT right, and the network up?")
