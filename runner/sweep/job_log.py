"""The end of a job's log, short enough for the screen."""

from __future__ import annotations

from pathlib import Path

LINE = 200  # characters of one line at most


def last_log_lines(log: Path, count: int) -> str:
    """Return the last lines of a log.

    After a crash, return the first lines of its report, which starts with the innermost call.
    """
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    crash = next((place for place, line in enumerate(lines) if line.startswith("Fatal Python error")), None)
    shown = lines[-count:] if crash is None else lines[crash : crash + count]
    return "\n".join(line[:LINE] for line in shown)
