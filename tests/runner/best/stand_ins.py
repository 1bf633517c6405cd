"""Plans and runs of searches that train nothing: a stand-in for the launcher with a clock of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from runner.best.agenda import Work
from runner.best.evidence import Ending
from runner.best.journal import Journal
from runner.best.search import Search
from runner.best.types import AnswerTime, Budget, Candidate, Facts, Plan, Step
from runner.experiment.outcome import Outcome
from runner.record.record import DataFacts, RunRecord

SECONDS = 30.0  # estimated, of each step


def plan_of(*steps: tuple[str, str], budget: Budget | None = None, **kinds: str) -> Plan:
    """A plan of candidates by name, each fitting and of the kind that the keyword says, or of its own name."""
    names = list(dict.fromkeys(name for name, _ in steps))
    candidates = [
        Candidate(
            name, kinds.get(name, name), (f"x={name}",), seconds=SECONDS, has_cut=("third" in dict(steps).get(name, ""))
        )
        for name in names
    ]
    return Plan(
        "0123456789", budget or Budget(steps=99), Facts(rows=5000), tuple(candidates),
        steps=tuple(Step(number, name, part, seconds=SECONDS) for number, (name, part) in enumerate(steps, 1)),
        planned=len(steps),
    )  # fmt: skip


FIVE = plan_of(*[(name, "all") for name in "abcde"])


@dataclass
class Machine:
    """A stand-in for the launcher: each run takes `seconds` of its own clock and has the score of its candidate."""

    seconds: float = SECONDS
    scores: dict[str, float] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    micros: float = 20.0
    answers: dict[str, AnswerTime] = field(default_factory=dict)  # by bundles
    begun: list[str] = field(default_factory=list)
    now: float = 1000.0
    die_before: int | None = None  # at which run, counted from 0
    error: type[BaseException] = KeyboardInterrupt
    jump: float = 0.0  # of the clock, backwards, after each run

    def tell(self) -> float:
        return self.now

    def __call__(self, works: Sequence[Work]) -> list[Ending]:
        return [self.run(work) for work in works]

    def run(self, work: Work) -> Ending:
        if self.die_before == len(self.begun):
            raise self.error
        name, part = work.candidate.name, work.step.part
        self.begun.append(name if part == "all" else f"{name} {part}")
        self.now += self.seconds - self.jump
        record = record_of(f"run-{name}", self.scores.get(name, 0.5), self.sizes.get(name, 1000), self.micros)
        if part == "third":
            return Ending(Outcome(0, replace(record, status="killed", reason="paused after epoch 1 of 3", metrics={})))
        return Ending(Outcome(0, record), answer=self.answers.get(name))


def record_of(identity: str, score: float, size: int, micros: float) -> RunRecord:
    metrics = {"val/accuracy": score, "cost/bytes_deployed": size, "speed/answer_us_p50": micros, "train/best_epoch": 2}
    data = DataFacts("classification", "test/accuracy", {}, selection="val/accuracy")
    return RunRecord(identity, identity, {}, data, "done", metrics=metrics)


def search_of(plan: Plan, folder: Path, machine: Machine, jobs: int = 1) -> Search:
    return Search(plan, folder / "search", folder, machine, jobs, machine.tell)


def journal(folder: Path) -> list[tuple[int, str]]:
    return [(done.step, done.status) for done in Journal(folder / "search").ended.values()]
