"""The result of a search as lines of at most 80 columns: the winner, what it is compared with, how to deploy it."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from data.counted import counted
from data.settings import ALL_FOLDS
from runner.best.choice.choose import by_time, cost_of
from runner.best.choice.draws import sign_of
from runner.best.choice.history import select_split, times_reported
from runner.best.choice.left_out import left_out
from runner.best.choice.optimism import corrected_interval
from runner.best.choice.reported import Gap, gap_between, interval_of, is_at_majority, verdict_on
from runner.best.plan.candidates import shown_bytes
from runner.best.types import Choice, Conclusion, Scored
from runner.compare.pareto import pareto_front
from runner.deploy.exported import CASCADE
from runner.record.baseline import MAJORITY
from runner.record.next_step import output_words
from runner.record.record import RunRecord
from runner.record.shown_costs import ANSWER, SIZES, score_text
from runner.statistics.scores import Score, as_rows
from runner.tasks import baseline_name

WIDTH, NAME, LABEL = 80, 28, 16  # columns: of a line, of a model's name, of a word before a value
ENGINES = {  # which form of the model the judged time belongs to, by engine
    "onnx": ", by the graph in the bundle", "onnx-int8": ", by the graph in the bundle, in 8 bits",
    "torch": ", in torch: there is no bundle",
}  # fmt: skip
NGRAMS = ("ngram", "char_ngram")  # kinds of baselines that are always shown


@dataclass(frozen=True)
class Ending:
    """A search with a winner, and the facts needed to print it, each looked up once."""

    conclusion: Conclusion
    choice: Choice
    score: Score
    record: RunRecord  # of the winner
    output: Path  # the folder of the run folders

    @property
    def winner(self) -> Scored:
        """The winner on the selection rows."""
        return next(one for one in self.conclusion.scored if one.name == self.choice.winner)

    def gap_to(self, name: str) -> Gap | None:
        """Return how far the winner is ahead of another candidate on the reported rows, both trained on the same."""
        on_folds = self.conclusion.on_folds
        own, other = on_folds.get(self.choice.winner, self.record), self.beside(name)
        return None if other is None else gap_between(own, other, self.output)

    def beside(self, name: str) -> RunRecord | None:
        """Return the record of another candidate; with folds, of its training on all of them but one."""
        return self.conclusion.on_folds.get(name) or self.conclusion.records.get(name)

    def better(self, one: Scored) -> float:
        """Return a score on the selection rows, signed so that higher is better."""
        return sign_of(self.score) * one.score


def show_result(conclusion: Conclusion) -> list[str]:
    """Return the lines of a finished search."""
    choice, score = conclusion.choice, conclusion.score
    record = conclusion.records.get(choice.winner) if choice else None
    if choice is None or score is None or record is None:
        reason = conclusion.result.stopped or "no candidate is finished"
        return [*wrapped(f"no winner: {reason}"), *_work(conclusion, None), *_left_out(conclusion)]
    ending = Ending(conclusion, choice, score, record, Path(conclusion.result.folder).parent.parent)
    return [
        *_winner(ending), *_verdicts(ending), "", *_beside(ending), "", *_work(conclusion, ending),
        *_left_out(conclusion), "", *_next(ending),
    ]  # fmt: skip


def wrapped(text: str, indent: int = 0) -> list[str]:
    """Return a text as lines; the second and further ones are indented by two more columns."""
    return textwrap.wrap(text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2))


def _row(label: str, text: str) -> list[str]:
    return textwrap.wrap(f"  {label:<{LABEL}}{text}", WIDTH, subsequent_indent=" " * (LABEL + 2))


def _winner(ending: Ending) -> Iterator[str]:
    """Yield the winner with its costs and its two scores."""
    budget, metrics, primary = ending.conclusion.plan.budget, ending.record.metrics, ending.record.data.primary
    yield from wrapped(f"best: {ending.choice.winner}")
    cap = "" if budget.max_bytes is None else f" of {shown_bytes(budget.max_bytes)}"
    yield from _row("size", f"{shown_bytes(_bytes(ending))}{cap}")
    if (micros := _micros(ending)) is not None:
        cap = "" if budget.max_us is None else f" of {budget.max_us:,g} us"
        what = "mean of both models' medians" if ending.record.config.get(CASCADE) else "median"
        yield from _row(
            "an answer", f"{micros:,.0f} us{cap}, {what}, one text at a time on this machine{_answered_by(ending)}"
        )
    if (interval := interval_of(ending.record)) is not None:
        rows = f"on {interval.over} not used to choose: the number to report"
        yield from _row(primary, f"{metrics[primary]:.4f}  [{interval.low:.4f}, {interval.high:.4f}]  {rows}")
    yield from _row(f"{_chosen_by(ending)}/{ending.score.name}", _selection(ending, has_number=interval is not None))
    yield from _row("why", "; ".join(ending.choice.reasons))


def _chosen_by(ending: Ending) -> str:
    return "folds" if ending.conclusion.plan.folds else select_split(ending.record)


def _selection(ending: Ending, *, has_number: bool) -> str:
    """Return the score on the selection rows, and the same corrected for selection."""
    winner, count, rows = ending.winner, len(ending.winner.answers[0]), as_rows(ending.score.units)
    text = f"{winner.score:.4f}  chosen on these {count:,} {rows}"
    corrected = ending.conclusion.result.corrected
    if corrected is None:
        return text
    low, high = corrected_interval(ending.conclusion.scored, ending.score, ending.conclusion.plan.budget, corrected)
    if has_number:
        return f"{text}; {corrected:.4f} [{low:.4f}, {high:.4f}] corrected for that"
    return f"{corrected:.4f}  [{low:.4f}, {high:.4f}]  estimate from the {rows} it was chosen on, corrected ({text})"


def _verdicts(ending: Ending) -> Iterator[str]:
    """Yield warnings: the winner is not clearly ahead of simpler models, or may not reach at_least."""
    primary, least = ending.record.data.primary, ending.conclusion.plan.budget.at_least
    interval = interval_of(ending.record)
    if least is not None and interval is not None:
        is_lower = sign_of(ending.score) < 0
        found = verdict_on(least, interval, is_lower_better=is_lower)
        missed = " (the whole interval is above it)" if is_lower else " (the whole interval is below it)"
        why = missed if found == "does not hold" else ENDS_OF[found]
        yield from _row("", f"at_least={least:g} {found} on the reported rows{why}")
    if is_at_majority(ending.record.metrics, primary):
        name = baseline_name(ending.record.data.task)
        yield from wrapped(f"It is not significantly better than a model that learns nothing ({name}).", 2)
    ngram = _best_ngram(ending)
    if ngram is None:
        return
    if _is_ngram(ending.winner):
        is_alone = len(ending.conclusion.scored) == 1
        rest = "no other candidate is finished" if is_alone else "nothing that fits was enough ahead of it"
        yield from wrapped(f"An n-gram model won: {rest}.", 2)
    elif (gap := ending.gap_to(ngram.name)) is not None and not gap.is_ahead:
        yield from wrapped(f"It is not significantly ahead of the n-gram model ({_difference(gap)}).", 2)


ENDS_OF = {
    "holds": " (the whole interval reaches it)",
    "cannot tell": " (it lies within the interval)",
}


def _beside(ending: Ending) -> Iterator[str]:
    """Yield the table of the winner and the models it is compared with: encoders in torch, if time has no cap."""
    metrics, primary = ending.record.metrics, ending.record.data.primary
    yield from wrapped(f"{primary} of the winner and its alternatives:")
    yield f"{'':<{NAME}} {'size':>9} {'answer':>9} {'score':>7}  winner ahead by"
    cheaper = "next faster" if by_time(ending.conclusion.plan.budget) else "next smaller"
    found = {cheaper: next_cheaper(ending), "ceiling": _ceiling(ending), "n-gram": _best_ngram(ending)}
    shown = {ending.choice.winner}
    is_timed_in_torch = _is_graph(ending) and ending.conclusion.plan.budget.max_us is None
    micros = ending.winner.micros if is_timed_in_torch else _micros(ending)
    own = replace(ending.winner, bytes=round(_bytes(ending)), micros=micros)
    yield from _line(ending.choice.winner, own, metrics.get(primary), None)
    for what, one in found.items():
        if one is None or one.name in shown:
            continue
        shown.add(one.name)
        other = ending.beside(one.name)
        score = other.metrics.get(primary) if other else None
        yield from _line(f"{what}: {one.name}", one, score, ending.gap_to(one.name))
    folds = ending.conclusion.plan.folds
    if folds and len(shown) > 1:
        yield from wrapped(
            f"The winner is trained on all rows, the others on {folds - 1} of {folds} folds, and so is the winner for "
            "the differences.", 2
        )  # fmt: skip
    if MAJORITY in metrics:
        yield from _line(baseline_name(ending.record.data.task), None, metrics[MAJORITY], None)


def _line(name: str, one: Scored | None, score: float | None, gap: Gap | None) -> Iterator[str]:
    size = shown_bytes(one.bytes) if one else "-"
    answer = f"{one.micros:,.0f} us" if one and one.micros is not None else "-"
    if len(name) > NAME:
        yield name[:WIDTH]
        name = ""
    number = "-" if score is None else score_text(score)
    yield f"{name:<{NAME}} {size:>9} {answer:>9} {number:>7}  {_difference(gap) if gap else ''}".rstrip()


def _difference(gap: Gap) -> str:
    return f"{gap.better:+.3f} [{gap.low:+.3f},{gap.high:+.3f}]"


def next_cheaper(ending: Ending) -> Scored | None:
    """Return the best candidate that costs less than the winner: the next one on the front of score and cost."""
    budget, winner = ending.conclusion.plan.budget, ending.winner
    cheaper = [one for one in ending.conclusion.scored if cost_of(one, budget)[0] < cost_of(winner, budget)[0]]
    front = pareto_front([(ending.better(one), cost_of(one, budget)[0]) for one in cheaper])
    return cheaper[front[-1]] if front else None


def _ceiling(ending: Ending) -> Scored | None:
    """Return the best candidate above the cap, if its score is higher than the winner's."""
    beyond = [one for one in ending.conclusion.others if ending.better(one) > ending.better(ending.winner)]
    return max(beyond, key=ending.better, default=None)


def _best_ngram(ending: Ending) -> Scored | None:
    found = [one for one in ending.conclusion.scored if _is_ngram(one)]
    return max(found, key=ending.better, default=None)


def _work(conclusion: Conclusion, ending: Ending | None) -> Iterator[str]:
    """Yield how many candidates and runs there were, and how often these rows have been used."""
    result, spent = conclusion.result, _duration(conclusion.seconds)
    were = counted(result.compared, "setting was", "settings were")
    yield from wrapped(f"{were} scored on the selection rows, in {spent}")
    yield from wrapped(result.stopped or f"{result.done} of {counted(result.planned, 'step')} done")
    if ending is not None and (times := times_reported(ending.output, ending.record, result.key)) > 1:
        yield from wrapped(
            f"the reported rows have now been reported {times} times: with each search judged on them, a good score "
            "on them means less"
        )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _left_out(conclusion: Conclusion) -> Iterator[str]:
    """Yield what was not chosen or not tried, and why."""
    found = left_out(conclusion)
    if found:
        yield "left out"
    for text in found:
        yield from wrapped(text, 2)


def _next(ending: Ending) -> Iterator[str]:
    """Yield how to use the winner."""
    result = ending.conclusion.result
    if result.problem:
        yield from wrapped(f"no bundle: {result.problem}")
    if result.agreement is not None and result.agreement < 1:
        yield from wrapped(
            f"the bundle's graph is rounded: for {result.agreement:.1%} of the reported rows it gives the run's answer"
        )
    served = " ".join([ending.record.identity, *output_words(ending.output)])
    yield "next"
    if result.bundle:
        texts = '"a text" "a second text"' if ending.conclusion.plan.facts.is_pair else '"a text"'
        bundle = shlex.quote(str(from_here(Path(result.bundle))))
        is_pair = ending.record.config.get(CASCADE)  # a cascade has no bundle that answers without Bertier
        yield f"  run predict {bundle} {texts}" if is_pair else f"  python {bundle}/predict.py {texts}"
        # The graph answers faster than the run in torch; a model of all rows is calibrated in its bundle alone.
        is_apart = _is_graph(ending) or ending.record.setting("data.fold") == ALL_FOLDS
        served = bundle if is_apart else served
    yield f"  run serve {served}"


def from_here(path: Path) -> Path:
    """Return a path as it is typed in the current folder."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _is_ngram(one: Scored) -> bool:
    """Is it a linear model on n-grams?"""
    return NGRAMS.count(one.kind) > 0


def _is_graph(ending: Ending) -> bool:
    """Is the bundle an ONNX graph, answered by onnxruntime, while the run itself answers in torch?"""
    return ending.conclusion.result.agreement is not None


def _answered_by(ending: Ending) -> str:
    """Return which form of the model was timed; "" for a packed model, which has only one."""
    if (engine := ending.conclusion.result.engine) is not None:
        return ENGINES.get(engine, "")
    return ", by the run in torch; the graph in the bundle may be faster or slower" if _is_graph(ending) else ""


def _bytes(ending: Ending) -> float:
    """Return the bytes of the files that are deployed: of the bundle, else of the run."""
    known = ending.conclusion.result.bundle_bytes
    return ending.record.metrics.get(SIZES[0], float(ending.winner.bytes)) if known is None else float(known)


def _micros(ending: Ending) -> float | None:
    """Return the time of an answer: as judged in the search, else as recorded."""
    if (judged := ending.conclusion.result.micros) is not None:
        return judged
    return ending.winner.micros if ending.winner.micros is not None else ending.record.metrics.get(ANSWER)
