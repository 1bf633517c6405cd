"""Tracking addresses: resolving the setting to a store, and parsing addresses."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from runner.sanitize import mask
from runner.track.errors import TrackError
from runner.track.settings import TrackerSettings

DATABASE = "mlflow.db"
ARTIFACTS = "mlartifacts"
SCHEMES = ("", "file", "http", "https", "sqlite", "postgresql", "mysql", "mssql", "databricks", "databricks-uc", "uc")
PLUGINS = "mlflow.tracking_store"  # entry points of packages that add schemes


def address_problem(uri: str | None) -> str | None:
    """Return what is wrong with the text of an address, in one line with the cure; None for one that can be read."""
    try:
        scheme = urlsplit(uri or "").scheme.partition("+")[0]  # a database may have a driver, as in mysql+pymysql
        sqlite_path(uri or "")
    except (ValueError, RuntimeError) as error:  # such as a bracket that is not closed, or an unknown user's home
        problem = str(error).rstrip(".")
    else:
        if scheme in SCHEMES or scheme in entry_points(group=PLUGINS).names:
            return None
        problem = f"MLflow has no store for {scheme}:"
    return f"tracker.uri={mask(uri or '')}: {problem}. Try: tracker.uri=http://<host>:<port>, or sqlite:///<file>"


def resolve_uri(settings: TrackerSettings, output: Path) -> str:
    """Return the address to use: the configured one, or the embedded store in the output folder.

    Relative sqlite addresses become absolute, so that a change of directory does not scatter databases. Raises
    TrackError for an address that cannot be read.
    """
    if settings.uri is None:
        return sqlite_uri(output / DATABASE)
    if problem := address_problem(settings.uri):
        raise TrackError(problem)
    path = sqlite_path(settings.uri)
    return sqlite_uri(path) if path else settings.uri


def sqlite_uri(path: Path) -> str:
    """Return the address of an SQLite file; "%" and "?" have a meaning in an address and are quoted."""
    plain = path.expanduser().resolve().as_posix()
    return "sqlite:///" + plain.replace("%", "%25").replace("?", "%3F")


def sqlite_path(uri: str) -> Path | None:
    """Return the file of an sqlite address; None for any other address."""
    if not uri.startswith("sqlite:///"):
        return None
    return Path(unquote(uri.removeprefix("sqlite:///").split("?")[0])).expanduser().resolve()


def is_server(uri: str) -> bool:
    """Return whether the address is a tracking server rather than a database."""
    return uri.startswith(("http://", "https://"))


def split_credentials(uri: str) -> tuple[str, str | None, str | None]:
    """Return (the address without user and password, user, password) of a server address."""
    parts = urlsplit(uri)
    if "@" not in parts.netloc:
        return uri, None, None
    info, host = parts.netloc.rsplit("@", 1)
    user, _, password = info.partition(":")
    return urlunsplit(parts._replace(netloc=host)), unquote(user), unquote(password)
