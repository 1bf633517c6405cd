"""The values that the parts of a search exchange, and store in plan.json and journal.jsonl.

Standard library only: the check of a command and `run best --plan` read these without torch or numpy.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self, get_args, get_origin

from data.json_types import JsonObject

if TYPE_CHECKING:
    from runner.record.record import RunRecord
    from runner.statistics.answers import Answers
    from runner.statistics.scores import Score


class Stored:
    """A frozen dataclass that is stored as a JSON object; dataclasses and tuples inside it are restored as such."""

    def to_json(self) -> JsonObject:
        """Return the object that is written."""
        return asdict(self)  # type: ignore[call-overload]

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the value in a JSON object; unknown keys are left out. Raises TypeError, KeyError, ValueError."""
        kinds = typing.get_type_hints(cls, localns={"Answers": object})
        known = {one.name for one in fields(cls)}  # type: ignore[arg-type]
        return cls(**{name: restored(kinds[name], value) for name, value in content.items() if name in known})


def restored(kind: Any, value: Any) -> Any:
    """Return a JSON value as its annotation says: tuples, dataclasses, and optional ones of both."""
    options = [option for option in get_args(kind) if option is not types.NoneType]
    if get_origin(kind) is types.UnionType or get_origin(kind) is typing.Union:
        return value if value is None or len(options) != 1 else restored(options[0], value)
    if get_origin(kind) is tuple:
        return tuple(restored(options[0], item) for item in value)
    if isinstance(kind, type) and issubclass(kind, Stored):
        return kind.from_json(value)
    return value


@dataclass(frozen=True)
class Budget(Stored):
    """The cost that a model may have and the time that may be searched for it; None: no limit. 1 kB is 1,000 bytes."""

    max_kb: float | None = None  # cost/bytes_deployed
    max_us: float | None = None  # of an answer by the bundle, on this machine; of two models as one cascade/answer_us
    minutes: float | None = None  # of search; None with `steps`, or without an end
    steps: int | None = None  # number of steps to do, instead of a clock
    jobs: int | None = None  # runs side by side
    goal: str | None = None  # the score to reach; None: the one that selects epochs
    at_least: float | None = None  # find the smallest (or fastest) that reaches this score
    prefer: str = "cap"  # cap | small
    unlabelled: str | None = None  # a file of further texts

    @property
    def max_bytes(self) -> float | None:
        """The cap in bytes."""
        return None if self.max_kb is None else self.max_kb * 1000


@dataclass(frozen=True)
class Candidate(Stored):
    """One model that may win, as overrides added to those of the command."""

    name: str  # unique in the plan: the settings that vary, such as "ngram n=3"
    kind: str  # the stem of its file in conf/best/
    overrides: tuple[str, ...] = ()  # with the names that `with_inputs` fills in
    bytes: int | None = None  # predicted: cost/bytes_deployed, or those of its bundle where that is known and has more
    micros: float | None = None  # time for an answer by the bundle of its random twin, measured
    engine: str | None = None  # of that bundle; torch: there can be none
    seconds: float = 0.0  # of one run on all rows, estimated
    has_cut: bool = False  # trained in epochs: one cut after a third of the steps, ranked within its kind
    fits: bool = True  # inside the caps as predicted; False: only an upper bound and a teacher
    teacher: str | None = None  # the name of the candidate that must be finished first
    trained_by: str | None = None  # the candidate with the same overrides but no compression, whose training is reused
    small: tuple[str, ...] = ()  # kinds of which the best finished model answers first, and `teacher` the rest


@dataclass(frozen=True)
class LeftOut(Stored):
    """A candidate that the plan does not try, and why."""

    name: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Step(Stored):
    """One piece of work between two readings of the clock: a run of a candidate, or a part of it."""

    number: int
    candidate: str  # its name
    part: str = "all"  # all | third (up to the cut) | rest (after it) | fold | final (on all rows, of the winner)
    fold: int | None = None
    repeat: int | None = None
    seconds: float = 0.0  # estimated

    @property
    def is_timed(self) -> bool:
        """Is the time per answer judged after this step? With folds, only after the first one."""
        return not self.fold and not self.repeat

    @property
    def is_repeat(self) -> bool:
        """Does it train on folds drawn once more, for a candidate that already has a score?"""
        return bool(self.repeat)


@dataclass(frozen=True)
class Facts(Stored):
    """The facts of the data that decide what is tried, from one pass over the table."""

    rows: int = 0  # labelled, to train on and to select by: all but the reported ones
    classes: int | None = None  # None: numbers are predicted
    smallest_class: int | None = None  # rows
    words_median: float = 0.0  # a text
    words_p95: float = 0.0
    words_mean: float = 0.0
    tokens_p95: float = 0.0  # tokens that a text has at least: its words, or its letters without spaces between words
    max_length: int = 0  # data.max_length, which some kinds exceed for long texts; 0: the command sets it
    is_pair: bool = False
    unlabelled_rows: int = 0  # of the file `unlabelled`, those left out because they are reported not counted
    majority: float | None = None  # share of the largest class
    train_rows: int = 0  # to train on, where a held-out split selects
    select_rows: int = 0
    report_rows: int = 0  # of the headline split
    is_cut: bool = False  # is the selection split a part of the training rows?
    has_spaces: bool = True  # are words separated by spaces?
    new_words: float = 0.0  # share of the words of selection texts that no training text has
    scripts: tuple[str, ...] = ()  # script of most letters, such as LATIN
    repeated: int = 0  # training rows whose text another one has
    reported_left_out: int = 0  # unlabelled rows that were left out
    unlabelled_digest: str | None = None  # of that file's content
    notes: tuple[str, ...] = ()  # what the user is told once

    def exceeded_by(self, tokens: int) -> bool:
        """Do 5 % of the texts have more words than data.max_length, and does a model of `tokens` read more of them?"""
        return self.tokens_p95 > self.max_length > 0 and tokens > self.max_length


@dataclass(frozen=True)
class Plan(Stored):
    """The steps of a search in their order; made before any training, and followed wherever plan.json exists."""

    key: str  # ten hexadecimal digits
    budget: Budget
    facts: Facts
    candidates: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...] = ()
    steps: tuple[Step, ...] = ()
    planned: int = 0  # the steps that fit in 70 % of the time; the rest is the reserve, in order
    folds: int = 0  # 0: selection on a held-out split
    repeats: int = 1

    def candidate(self, name: str) -> Candidate:
        """Return the candidate of that name."""
        return next(one for one in self.candidates if one.name == name)

    def small_of(self, candidate: Candidate) -> list[Candidate]:
        """Return the candidates of which the best answers first where two models are one."""
        return [one for one in self.candidates if candidate.small.count(one.kind)]

    def siblings(self, name: str) -> list[Candidate]:
        """Return the candidates of the same kind as the one of that name, including itself."""
        by_kind: dict[str, list[Candidate]] = {}
        for one in self.candidates:
            by_kind.setdefault(one.kind, []).append(one)
        return by_kind[self.candidate(name).kind]


@dataclass(frozen=True)
class AnswerTime:
    """How long an answer takes, and the engine of the bundle that gives it; torch: there can be no bundle."""

    micros: float
    engine: str


@dataclass(frozen=True)
class Done(Stored):
    """How a step ended: one line of journal.jsonl."""

    step: int
    status: str  # done | skipped (by a rule) | refused (over a cap) | unfinished (stopped) | late (not begun) | failed
    run: str | None = None  # its id
    reason: str | None = None
    score: float | None = None  # on the selection rows
    bytes: int | None = None  # cost/bytes_deployed
    micros: float | None = None  # of an answer: judged once, never taken again
    seconds: float | None = None
    clock: float | None = None  # of the search, when the step ended
    epochs: float | None = None  # until the weights that were kept
    candidate: str | None = None  # of a last training on all rows, or of a refused bundle: no step of the plan
    engine: str | None = None  # of the bundle whose time it is; torch: there can be none; None: it is the run's own


@dataclass(frozen=True)
class Scored:
    """A finished candidate on the selection rows, or with its out-of-fold answers pooled by row."""

    name: str
    kind: str
    bytes: int
    micros: float | None
    position: int  # in the plan
    answers: tuple[Answers, ...]  # one a repeat of the folds; one where a split was held out
    score: float


@dataclass(frozen=True)
class Choice(Stored):
    """Which candidate won and why."""

    winner: str  # its name
    reasons: tuple[str, ...] = ()
    tie_with: str | None = None  # the candidate of the highest score, where a smaller one won the tie


@dataclass(frozen=True)
class Result(Stored):
    """How a search ended: best.json. Paths are as the command gave them."""

    key: str
    status: str  # done | stopped (by the clock or by steps) | interrupted
    stopped: str | None  # "stopped after step 14 of 22", and why
    winner: str | None  # name of the candidate; None: no candidate is finished
    run: str | None  # its id
    overrides: tuple[str, ...] = ()  # of the winner, so that it can be run again by itself
    folder: str = ""  # of the search
    bundle: str | None = None
    sha256: str | None = None  # of the model's file in the bundle; of a cascade see `hash_of_cascade`
    bundle_bytes: int | None = None  # of its files that an answer needs
    micros: float | None = None  # of an answer, where it was judged; else by the graph in the bundle
    engine: str | None = None  # that answers in this time, as in the journal
    agreement: float | None = None  # of an encoder's graph: the share of reported rows that it answers as the run does
    problem: str | None = None  # why there is no bundle
    metrics: Mapping[str, float] = field(default_factory=dict)  # of the winner's record
    corrected: float | None = None  # the selection score without the optimism of choosing
    compared: int = 0  # settings ever scored on the selection rows
    done: int = 0  # steps
    planned: int = 0


@dataclass(frozen=True)
class Conclusion:
    """Everything known at the end of a search, for printing."""

    plan: Plan
    result: Result
    choice: Choice | None  # None: no candidate is finished
    score: Score | None  # that candidates were compared by
    scored: tuple[Scored, ...]  # finished candidates inside the caps, in the order of the plan
    others: tuple[Scored, ...]  # finished ones outside of the caps: ceilings, teachers, and those that were refused
    records: Mapping[str, RunRecord]  # of finished candidates by their names; of the winner that of the run deployed
    ended: tuple[tuple[str, str, str], ...]  # candidates without a score, or refused: name, status, reason
    seconds: float  # of the search, in all of its attempts
    on_folds: Mapping[str, RunRecord] = field(default_factory=dict)  # with folds: of each candidate on the same rows
