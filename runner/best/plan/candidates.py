"""Finds the candidates of a plan: the variants of each kind that fit, and the others with the reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from runner.best.plan.estimate import Estimate
from runner.best.plan.overrides import (
    each_vocabulary,
    filled_words,
    most_unlabelled,
    share_of_time,
    with_inputs,
    with_rates,
)
from runner.best.plan.portfolio import Hub, Kind, Variant, read_portfolio, unmet_need
from runner.best.plan.twin import verdict
from runner.best.types import Budget, Candidate, Facts, LeftOut
from runner.errors import USER_ERRORS

MOST_CANDIDATES = 20  # most candidates that are compared: choosing among more costs more than it gains
TOLERANCE = 1.02  # tolerance of a predicted size: a candidate this far above the cap is trained, and its file decides
TRAINING = 3  # a training step takes as long as this many forward passes
PAIRED_ROWS, TEXTS_OF_PAIRS = 10_000, 4  # about the pairs of each sort in an epoch, and the texts in a pair of each
OF_TRAINING = ("optimizer.", "train.", "model.token_dropout=", "model.pairs=")  # overrides that change no shape
TASK = "task"  # the vocabulary of the tokens that the task's texts have
NEW_WORDS = 0.05  # share of new words in the selection texts, from which on the task's tokens are not enough
SECONDS_OF_TWO = 40.0  # seconds to write the large model's graph and to score and time the cascade
SOME_TEACHER = "some/teacher"  # stands for the run of a teacher that does not exist yet

Found = list[Candidate | LeftOut]
Estimating = Callable[[Sequence[str], str, float], Estimate]  # as Estimator.estimate


class CandidateFinder:
    """Goes through the portfolio once."""

    def __init__(
        self, shared: Sequence[str], facts: Facts, budget: Budget, estimate: Estimating, hub: Hub, spare: int = 0,
        *, has_folds: bool = False, has_epochs: bool = False,
    ) -> None:  # fmt: skip
        """shared: the overrides that the plan adds to every candidate, beside those of the command.

        spare: bytes that a model needs beside a file that fills the cap. has_folds: do folds select?
        has_epochs: does the command say how long to train?
        """
        self.facts, self.budget, self.estimate, self.hub, self.spare = facts, budget, estimate, hub, spare
        self.shared, self.has_folds, self.has_epochs = tuple(shared), has_folds, has_epochs
        self.beyond: list[Candidate] = []  # over a cap
        self.ceilings: set[str] = set()  # kinds with a variant above the cap already: one per kind is enough
        self.text_s: dict[str, float] = {}  # of candidates by name, as of their estimates: they may be teachers
        self.after_s: dict[str, float] = {}  # by name: seconds of a candidate whose training another one has done
        self.taught_s: dict[str, float] = {}  # by name: seconds in which the teacher of a candidate answers the texts
        self.shapes: dict[object, str] = {}  # of those that fit, by kind, shape and training: the first of each

    def find(self, kinds: Sequence[Kind] | None = None) -> Found:
        """Return candidates and what is left out, in the order of the portfolio."""
        found = Found()
        for kind in read_portfolio() if kinds is None else kinds:
            found += self.of_kind(kind, found)
        tried = at_most(found, MOST_CANDIDATES)
        return with_shared_answers(with_shared_training(tried, self.after_s), self.taught_s)

    def of_kind(self, kind: Kind, before: Found) -> Found:
        """Return the candidates of a kind; before: those of the kinds before it."""
        if reason := unmet_need(kind.needs, self.facts, self.budget, self.hub):
            return [LeftOut(kind.name, kind.name, reason)]
        first = {one.kind: one for one in reversed(before) if isinstance(one, Candidate)}
        teacher = first.get(kind.teacher or "")
        if kind.teacher and teacher is None:
            return [LeftOut(kind.name, kind.name, f"its teacher, {kind.teacher}, is not tried")]
        if kind.small and teacher:
            return [self.of_two(kind, before, teacher)]
        found, taken = Found(), 0
        for variant in kind.variants:
            own = self.largest_of(kind, variant, teacher)
            found += own
            taken += any(isinstance(one, Candidate) for one in own)
            if taken == kind.take:
                break
        return found

    def of_two(self, kind: Kind, before: Found, large: Candidate) -> Candidate | LeftOut:
        """Return a cascade: the best of the small kinds answers where it is confident, `large` the rest."""
        small = [one for one in before if isinstance(one, Candidate) and one.fits and kind.small.count(one.kind)]
        if not small:
            return LeftOut(kind.name, kind.name, f"none of its small models is tried ({', '.join(kind.small)})")
        if large.micros is not None and verdict(large.micros, self.budget.max_us):
            return LeftOut(kind.name, kind.name, f"{large.name} is fast enough by itself")
        size, cap = min(one.bytes or 0 for one in small) + (large.bytes or 0), self.budget.max_bytes
        if cap is not None and size > TOLERANCE * cap:
            return LeftOut(kind.name, kind.name, f"needs {shown_bytes(size)}, cap {shown_bytes(cap)}")
        return Candidate(kind.name, kind.name, bytes=size, seconds=SECONDS_OF_TWO, teacher=large.name, small=kind.small)

    def largest_of(self, kind: Kind, variant: Variant, teacher: Candidate | None) -> Found:
        """Return the candidates of a variant with its largest vocabulary that fits, or why the last does not.

        Numbers of tokens descend, so that the first that fits is the largest, unless the tokens of the task are more.
        These are enough where few words of the selection texts are new.
        """
        is_enough = self.facts.new_words < NEW_WORDS
        largest = Found()
        for vocabulary, one in each_vocabulary(variant):
            found = list(self.of_variant(kind, one, teacher))
            if bytes_of(found) >= bytes_of(largest):
                largest = found
            if bytes_of(found) and (vocabulary != TASK or is_enough):
                break
        return largest

    def of_variant(self, kind: Kind, variant: Variant, teacher: Candidate | None) -> Iterator[Candidate | LeftOut]:
        """Yield the candidates of a variant, one a learning rate, or the reason why there is none."""
        rows = math.inf if self.has_epochs else self.facts.train_rows
        each = list(with_rates(kind, variant, rows, self.facts))
        name = each[0][0] if len(each) == 1 else f"{kind.name} {variant.name}".strip()
        if reason := unmet_need(variant.needs, self.facts, self.budget, self.hub):
            yield LeftOut(name, kind.name, reason)
            return
        try:
            words = self._words(each[0][1])
            found = self.estimate(words, kind.work, passes_of(kind, variant, self.facts))
            further = self.estimate(words, kind.work, kind.stages).seconds if kind.stages else 0.0
        except USER_ERRORS as error:
            yield LeftOut(name, kind.name, " ".join(str(error).split()))
            return
        reason = self.over_cap(found, kind.fastest)
        if reason:
            self.beyond.append(Candidate(name, kind.name, (), found.bytes, found.micros, found.engine, fits=False))
        if reason and (not kind.is_ceiling or kind.name in self.ceilings):
            yield LeftOut(name, kind.name, reason)
            return
        training = tuple(word for word in variant.words if word.startswith(OF_TRAINING))
        same = self.shapes.setdefault((kind.name, found.shape, training), name)
        if same != name:
            yield LeftOut(name, kind.name, f"is the same model as {same} on these data")
            return
        if reason:
            self.ceilings.add(kind.name)
        each = each[:1] if self.has_folds else each  # without a cut, a second rate would take as long as the first
        taught = texts_taught(self.facts, on_fold=self.has_folds) * self.text_s[teacher.name] if teacher else 0.0
        seconds = round(found.seconds + further + taught, 1)
        share = share_of_time(found.micros, self.budget, kind.fastest)
        for one, own in each:
            self.text_s[one], self.after_s[one] = found.text_s, round(found.after_s + further, 1)
            self.taught_s[one] = taught
            filled = filled_words(own, self.budget, self.spare, share)
            yield Candidate(
                one, kind.name, (*self.shared, *filled), found.bytes, found.micros, found.engine, seconds,
                kind.has_cut, not reason, teacher.name if teacher else None,
            )  # fmt: skip

    def over_cap(self, found: Estimate, fastest: float = 1.0) -> str:
        """Return how a candidate exceeds a cap, "" if it does not or that is uncertain; fastest: as of its kind."""
        cap = self.budget.max_bytes
        if cap is not None and found.least > TOLERANCE * cap:
            return f"needs {shown_bytes(found.least)}, cap {shown_bytes(cap)}"
        if cap is not None and found.has_bundle and found.least > cap:
            return f"its bundle needs {found.least:,} bytes, {found.least - cap:,.0f} more than the cap"
        if found.micros is not None and verdict(fastest * found.micros, self.budget.max_us) is False:
            return f"answers in {fastest * found.micros:,.0f} us, cap {self.budget.max_us:,g} us"
        return ""

    def _words(self, words: Sequence[str]) -> list[str]:
        """Return the overrides of a candidate beside those of the command; a teacher is some model."""
        filled = filled_words(tuple(words), self.budget, self.spare)
        return with_inputs(filled, SOME_TEACHER, self.budget.unlabelled, on_fold=self.has_folds)


def passes_of(kind: Kind, variant: Variant, facts: Facts) -> float:
    """Return the forward passes over the texts that a kind takes besides its epochs.

    A training step counts as three.
    """
    if not kind.in_pairs:
        return kind.passes
    return TRAINING * TEXTS_OF_PAIRS * min(variant.pairs, math.ceil(PAIRED_ROWS / max(1, facts.train_rows)))


def texts_taught(facts: Facts, *, on_fold: bool) -> int:
    """Return how many texts a teacher answers for its student: the training rows and the unlabelled ones."""
    return facts.train_rows + min(most_unlabelled(on_fold=on_fold), facts.unlabelled_rows)


def at_most(found: Found, most: int) -> Found:
    """Return the same with the candidates beyond the first `most` left out."""
    candidates = [one for one in found if isinstance(one, Candidate)]
    dropped = {one.name for one in candidates[most:]}
    reason = f"more than {most} candidates"
    return [
        LeftOut(one.name, one.kind, reason) if isinstance(one, Candidate) and one.name in dropped else one
        for one in found
    ]


def with_shared_training(found: Found, after_s: Mapping[str, float]) -> Found:
    """Return the same candidates; for one that only compresses the training of another, that training takes no time.

    after_s: the seconds of each without its training, by name. Students of a teacher are trained separately.
    """
    plain = {frozenset(one.overrides): one.name for one in found if isinstance(one, Candidate)}
    shared = Found()
    for one in found:
        if isinstance(one, Candidate) and one.teacher is None:
            training = frozenset(word for word in one.overrides if not word.startswith("compression"))
            trainer = plain.get(training)
            if trainer not in (None, one.name):
                one = replace(one, trained_by=trainer, seconds=after_s[one.name])
        shared.append(one)
    return shared


def with_shared_answers(found: Found, taught_s: Mapping[str, float]) -> Found:
    """Return the same candidates; of the students of one teacher, only the first waits for its answers, as they are
    stored.

    taught_s: by name, the seconds of a candidate that its teacher takes.
    """
    asked = set[str]()
    shared = Found()
    for one in found:
        if not isinstance(one, Candidate) or one.teacher is None or one.small:
            shared.append(one)
            continue
        spared = taught_s[one.name] if one.teacher in asked else 0.0
        asked.add(one.teacher)
        shared.append(replace(one, seconds=round(one.seconds - spared, 1)))
    return shared


def bytes_of(found: Found) -> int:
    """Return the bytes of the candidates of one variant; 0 for none."""
    return max((one.bytes or 0 for one in found if isinstance(one, Candidate)), default=0)


def shown_bytes(count: float) -> str:
    """Return bytes as text: in kB of 1,000 bytes, from 10,000 kB on in MB."""
    kilobytes = count / 1000
    if kilobytes >= 10_000:
        return f"{kilobytes / 1000:,.1f} MB"
    return f"{kilobytes:,.0f} KB" if kilobytes >= 10 else f"{kilobytes:,.1f} KB"
