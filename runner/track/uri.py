"""Tracking addresses: which one is meant, how it is shown, and what is secret in it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from runner.track.settings import TrackerSettings

DATABASE = "mlflow.db"
ARTIFACTS = "mlartifacts"
HIDDEN = "***"
# Greedy up to the last "@" before a slash, so that a password with an unquoted "@" is hidden as a whole.
USER_INFO = re.compile(r"(?<=://)[^/\s\"']*@")
SECRET_QUERY = re.compile(r"(?i)([?&][\w-]*(?:password|passwd|pwd|token|secret|api_?key|signature)=)[^&\s\"'#]+")
TOKEN = re.compile(
    r"\bhf_[A-Za-z0-9]{16,}|(?<=Bearer )[\w.~+/=-]{8,}|(?<=Basic )[\w+/=]{8,}"
)  # as they stand in headers
SECRET_NAME = re.compile(r"(?i)(password|passwd|token|secret|api_?key|access_key|credentials)$")
SHORTEST = 6  # characters: a shorter secret would be found in words that are none


def mask(text: str) -> str:
    """Return the text with *** for the credentials of every address in it, access tokens, and secrets of the
    environment.
    """
    text = SECRET_QUERY.sub(rf"\1{HIDDEN}", USER_INFO.sub(f"{HIDDEN}@", text))
    text = TOKEN.sub(HIDDEN, text)
    for secret in _secrets():
        text = text.replace(secret, HIDDEN)
    return text


def masked(content: Any) -> Any:
    """Return the same lists and dictionaries with every text in them masked."""
    if isinstance(content, dict):
        return {key: masked(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [masked(value) for value in content]
    return mask(content) if isinstance(content, str) else content


def _secrets() -> list[str]:
    """Return the values of the environment's variables that are named like secrets, the longest first."""
    found = {value for name, value in os.environ.items() if SECRET_NAME.search(name) and len(value) >= SHORTEST}
    return sorted(found, key=len, reverse=True)


def resolve(settings: TrackerSettings, output: Path) -> str:
    """Return the address to use: the configured one, or that of the embedded store in the output folder.

    Relative sqlite addresses are made absolute, so that a change of directory does not scatter databases.
    """
    if settings.uri is None:
        return sqlite_uri(output / DATABASE)
    path = sqlite_path(settings.uri)
    return sqlite_uri(path) if path else settings.uri


def sqlite_uri(path: Path) -> str:
    """Return the address of an SQLite file; "%" and "?", which mean something in an address, are quoted."""
    plain = path.expanduser().resolve().as_posix()
    return "sqlite:///" + plain.replace("%", "%25").replace("?", "%3F")


def sqlite_path(uri: str) -> Path | None:
    """Return the file an sqlite address means; None if it is not one."""
    if not uri.startswith("sqlite:///"):
        return None
    return Path(unquote(uri.removeprefix("sqlite:///").split("?")[0])).expanduser().resolve()


def is_server(uri: str) -> bool:
    """Return whether the address is a tracking server rather than a database."""
    return uri.startswith(("http://", "https://"))


def without_credentials(uri: str) -> tuple[str, str | None, str | None]:
    """Return (the address without user and password, user, password) of a server address."""
    parts = urlsplit(uri)
    if "@" not in parts.netloc:
        return uri, None, None
    info, host = parts.netloc.rsplit("@", 1)
    user, _, password = info.partition(":")
    return urlunsplit(parts._replace(netloc=host)), unquote(user), unquote(password)
