"""The screen during a sweep: a live table on a terminal, one line for each event elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.table import Table as Grid
from rich.text import Text

from data.counted import counted
from runner.record.baseline import marked
from runner.record.run_names import common, names_of_commands
from runner.record.selection import selection_score
from runner.record.status import shown_status
from runner.record.table import say_below
from runner.sanitize import escape, mask
from runner.sweep.job_log import last_log_lines
from runner.sweep.plan import Job, expected_seconds, remaining_seconds
from runner.sweep.worker import Running

if TYPE_CHECKING:
    from rich.live import Live

SHOWN = 12  # jobs in the live table at most
LOG_LINES = 8  # of a failed job
RUNNING = "running"  # the heading of the names in the live table
OF_NUMBERS = 21  # columns of the live table beside the name and the log
LOG_COLUMNS = 30  # of the last line of a log


class Table:
    """The output of a sweep on the screen."""

    def __init__(self, jobs: list[Job], slots: int, typed: Sequence[str] = ()) -> None:
        """typed: the words of the command; those that a job has unchanged do not distinguish it."""
        self.jobs, self.slots, self.typed = jobs, slots, typed
        self.console = Console(highlight=False)
        if not self.console.is_terminal:
            self.console.width = 120  # a pipe has no width of its own
        self._names: dict[int, str] = {}  # by the number of the job
        self._named = 0  # jobs that had a name so far
        self._live: Live | None = None

    def say(self, text: str) -> None:
        """Print one line."""
        self.console.print(escape(mask(text)), soft_wrap=True)

    def open(self, name: str, question: str | None = None) -> None:
        """Print the headline and the question; on a terminal the table is live from here on."""
        done = sum(job.was_done for job in self.jobs)
        again = sum(job.status in ("failed", "killed") for job in self.jobs)
        parts = [
            counted(len(self.jobs), "run"),
            f"{done} done already" if done else "",
            f"{again} to try again" if again else "",
        ]
        self.console.rule(escape(f"sweep {name}"))
        if question:
            say_below(question, self.console)
        self.say(f"{', '.join(filter(None, parts))}; {self.slots} at a time{self._left([], len(self.jobs) - done)}")
        if shared := common([job.words for job in self.jobs]):
            self.say(f"all with: {' '.join(shared)}")
        self._go_live()

    def _go_live(self) -> None:
        if self.console.is_terminal:
            from rich.live import Live

            # No refreshing thread: the process is forked for each job, and forks and threads do not mix.
            self._live = Live(console=self.console, auto_refresh=False, transient=True)
            self._live.start()

    def started(self, job: Job) -> None:
        """Print that a job has started, where there is no live table."""
        if self._live is None:
            self.say(f"started  {self._name(job)}")

    def ended(self, job: Job) -> None:
        """Print one line about a job that has ended, and why it failed, if it did."""
        counts = Counter(other.status for other in self.jobs)
        ended = counts["done"] + counts["failed"] + counts["killed"]
        took = "done already" if job.was_done else f"{job.seconds or 0:.1f} s"
        self.say(f"{shown_status(job):<8} {self._name(job)}  {score_text(job)}{took}  ({ended} of {len(self.jobs)})")
        if job.status == "failed":
            self._explain(job)

    def _explain(self, job: Job) -> None:
        peak = f"; peak memory {job.peak_bytes / 1e9:.2f} GB" if job.peak_bytes else ""
        self.say(f"         {job.reason}{peak}")
        if job.log and (text := last_log_lines(job.log, LOG_LINES)):
            self.say("\n".join(f"         | {line}" for line in text.splitlines()) + f"\n         the log: {job.log}")

    def update(self, running: Sequence[Running], waiting: int) -> None:
        """Redraw the live table."""
        if self._live is not None:
            self._live.update(self._draw(running, waiting), refresh=True)

    def _draw(self, running: Sequence[Running], waiting: int) -> Group:
        counts = Counter(job.status for job in self.jobs)
        head = ", ".join(f"{counts[name]} {name}" for name in ("done", "failed", "killed") if counts[name])
        names = [self._name(one.job) for one in running[:SHOWN]]
        room = max(self.console.width - OF_NUMBERS, 20)
        widest = max([len(RUNNING), *map(len, names)])
        widest = min(widest, max(room // 2, room - LOG_COLUMNS))  # names give way to the log, up to half the room
        grid = Grid(box=SIMPLE_HEAD, pad_edge=False)
        grid.add_column(RUNNING, no_wrap=True, max_width=widest)
        for column in ("s", "GB"):
            grid.add_column(column, no_wrap=True, justify="right")
        grid.add_column("last line of its log", no_wrap=True, max_width=room - widest)
        for name, one in zip(names, running):
            spent = f"{time.monotonic() - one.began:.0f}"
            grid.add_row(escape(name), spent, f"{one.peak_bytes / 1e9:.2f}", escape(_last(one)))
        line = f"{head or 'none done'}, {len(running)} running, {waiting} waiting{self._left(running, waiting)}"
        return Group(grid, Text(line))

    def _left(self, running: Sequence[Running], waiting: int) -> str:
        """Return the time left, in words; "" while no run has finished."""
        finished = [job for job in self.jobs if job.status == "done"]
        busy = {one.job.number for one in running}
        todo = [job for job in self.jobs if job.status != "done" and job.number not in busy][:waiting]
        seconds = remaining_seconds(todo, finished, self.slots)
        ends = [(expected_seconds(one.job, finished) or 0.0) - (time.monotonic() - one.began) for one in running]
        if seconds is None or not finished:
            return ""
        left = max(seconds, 0.0) + max([0.0, *ends])
        return f", about {duration_text(left)} left" if todo or running else ""

    def close(self) -> None:
        """Restore the terminal, and print a table of the jobs that did not finish."""
        self._end_live()
        failed = [job for job in self.jobs if job.status in ("failed", "killed")]
        if not failed:
            return
        grid = Grid(title="did not finish", title_justify="left", box=SIMPLE_HEAD)
        for column in ("what", "id", "status", "reason", "peak GB"):
            grid.add_column(column, overflow="fold", no_wrap=column in ("id", "status"))
        for job in failed:
            peak = f"{job.peak_bytes / 1e9:.2f}" if job.peak_bytes else ""
            reason = escape(job.reason or "")
            grid.add_row(escape(self._name(job)), job.identity or "", shown_status(job), reason, peak)
        self.console.print(grid)
        self.say("The same command runs these again, and nothing else.")

    def _end_live(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _name(self, job: Job) -> str:
        """Return the words of a job that the others do not share; a search adds jobs, and then all are named again."""
        if self._named < len(self.jobs):
            found = names_of_commands([other.words for other in self.jobs], self.typed)
            self._names = {other.number: name for other, name in zip(self.jobs, found)}
            self._named = len(self.jobs)
        return self._names.get(job.number) or job.label or "the run"


class SearchTable(Table):
    """The screen of a search: a line a step, with the name that the search gives it and its selection score."""

    def __init__(self, jobs: list[Job], slots: int, name_of: Callable[[Sequence[str]], str]) -> None:
        """name_of: the name of a job, from its overrides."""
        super().__init__(jobs, slots)
        self.name_of = name_of

    def open(self, name: str, question: str | None = None) -> None:
        """Print how many runs there are side by side."""
        self.say(f"search {name}, {self.slots} at a time")
        self._go_live()

    def ended(self, job: Job) -> None:
        """Print one line about a step that has ended, and why it failed or was stopped."""
        word = "to cut" if job.is_paused else STOPPED if job.status == "killed" else job.status
        took = "done already" if job.was_done else f"{job.seconds or 0:.1f} s"
        self.say(f"{word:<8} {self._name(job)}  {selection_text(job)}{took}")
        if job.status == "failed":
            self._explain(job)
        elif word == STOPPED:
            self.say(f"         {job.reason}")

    def close(self) -> None:
        """Restore the terminal; the result of the search says what did not finish."""
        self._end_live()

    def _name(self, job: Job) -> str:
        return self.name_of(job.overrides)


STOPPED = "stopped"


def selection_text(job: Job) -> str:
    """Return the score of a finished run on the selection rows; the reported ones are looked at once, at the end."""
    score = selection_score(job.record) if job.record else None
    return "" if score is None or job.record is None else f"{job.record.data.selection} {score:.4f}  "


def score_text(job: Job) -> str:
    """Return the headline metric of a finished run, marked where it is at the baseline."""
    if not job.record or job.record.headline is None:
        return ""
    primary = job.record.data.primary
    return f"{primary} {marked(f'{job.record.headline:.4f}', job.record.metrics, primary)}  "


def duration_text(seconds: float) -> str:
    """Seconds as a person would say them: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _last(running: Running) -> str:
    return last_log_lines(running.job.log, 1)[:70] if running.job.log else ""
