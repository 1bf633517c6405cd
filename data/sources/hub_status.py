"""Checks within seconds whether the hub answers, so that a run without a network uses the cache or fails at once."""

from __future__ import annotations

import os
import socket
import sys
from urllib.parse import urlsplit

from data.errors import FULL, REFUSED, DataError

PUBLIC = "https://huggingface.co"


def hub_endpoint() -> tuple[str, str, int]:
    """Return the hub in use as (address without credentials, host, port); raise DataError for what is no address."""
    address = os.environ.get("HF_ENDPOINT") or PUBLIC
    try:
        parts = urlsplit(address)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:  # its text, like the address, may show a password
        raise DataError(
            f"HF_ENDPOINT: expected an address and a number as its port. Try: HF_ENDPOINT={PUBLIC}"
        ) from error
    return f"{parts.scheme}://{parts.hostname}:{port}", parts.hostname or "", port


def offline_if_unreachable() -> list[str]:
    """Switch the hub's libraries to offline mode if it accepts no connection within 3 s; return notes for the user.

    Otherwise they would retry an unreachable address for half a minute.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        return []
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")):
        return []  # a proxy makes the connection, so this check cannot tell whether the hub answers
    shown, host, port = hub_endpoint()
    try:
        socket.create_connection((host, port), 3.0).close()
    except OSError:
        os.environ["HF_HUB_OFFLINE"] = "1"
        for module, attribute in (
            ("huggingface_hub.constants", "HF_HUB_OFFLINE"),
            ("datasets.config", "HF_HUB_OFFLINE"),
        ):
            if module in sys.modules:
                setattr(sys.modules[module], attribute, True)
        return [f"{shown} does not answer: only cached files can be used"]
    return []


def is_offline() -> bool:
    """Are the hub's libraries to use cached files alone?"""
    from huggingface_hub import constants

    return constants.is_offline_mode()


def first_error_line(error: Exception) -> str:
    """Return the first line of an error, at most 300 characters and without a full stop, after which messages go on.

    The name of its class if it has no text.
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300].rstrip(".")


def unwritable_cache(error: Exception) -> str:
    """Return the message about the hub's cache on a disk that is full or may not be written; "" for other errors."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError):
            where = f" ({cause.filename})" if cause.filename else ""
            if cause.errno in FULL or (cause.errno in REFUSED and where):  # a firewall refuses too, but names no file
                return f"{cause.strerror}{where}. Try: HF_HOME=<a folder with room that you may write to>"
        cause = cause.__cause__ or cause.__context__
    return ""


def why_unavailable(error: Exception) -> str:
    """Return in one line why the hub gave nothing: the status of its answer where there was one.

    The error itself may only say that nothing is cached, as its libraries do once they have tried for a while.
    """
    from huggingface_hub.errors import HfHubHTTPError

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, HfHubHTTPError):
            answer = cause.response
            wait = ": it limits the rate of requests, so try again later" if answer.status_code == 429 else ""
            return f"it answers {answer.status_code} {answer.reason_phrase}{wait}".strip()
        cause = cause.__cause__ or cause.__context__
    return first_error_line(error)
