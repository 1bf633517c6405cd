"""Searches lengths for a model's layers on rows that it was not trained on, and returns the best at each cost.

Costs are multiply-adds by formula, so the same seed finds the same lengths on any machine. With cost=latency, they are
milliseconds from this machine's latency table (timing.py), and results depend on it. In both cases, the milliseconds
of the front are measured at the end, with its configurations taking turns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from torch import nn

from models.backbones.lengths import Lengths, Mode
from models.compression.lengths.choice import Choice, within_loss
from models.compression.lengths.costs import EncoderShape, TextCosts
from models.compression.lengths.evolution import Evaluated, Genes, Point, Problem, evolve, geometric, greedy, seeds
from models.compression.lengths.timing import full_length, load_or_measure, measure_choices
from models.compression.settings.length_search import LengthSearch
from models.compression.stage import StageContext
from models.compression.structured.layer_widths import encoder_of
from models.network import Network

GRID = 1000  # with mode=ratio, lengths are searched in thousandths of a text
POINT = 0.01  # one percentage point of the score
Scores = dict[str, float]  # keys: genes as text


@dataclass(frozen=True)
class Found:
    """The result of a search: the front, cheapest first, and facts about the search."""

    choices: list[Choice]
    tried: int  # configurations that were scored
    tokens: np.ndarray  # (texts,) token counts of the search's texts


def search_lengths(
    model: nn.Module, context: StageContext, options: LengthSearch, *, mode: str = "ratio", longest: int = 512,
    known: Mapping[str, float] | None = None, keep: Callable[[Scores], None] | None = None,
) -> Found:  # fmt: skip
    """Search lengths for `model`, whose own lengths are not changed.

    mode: ratio | absolute, of the lengths; longest: tokens of the longest text, for absolute ones. known: scores from
    an interrupted search; keep: called with all scores so far after each iteration. Raises ModelError for encoders
    that are not ours.
    """
    network, encoder = cast(Network, model), encoder_of(model)
    shape, tokens = EncoderShape.of(model), token_counts(context, options)
    texts, scores = TextCosts(shape, tokens), dict(known or {})
    grid = longest if mode == "absolute" else GRID
    table = None
    if options.cost == "latency":
        table = load_or_measure(network, context, batch=options.batch, longest=int(tokens.max()))

    def at(genes: Genes) -> Lengths | None:
        return lengths_at(genes, grid, mode, len(shape.layers))

    def cost(genes: Genes) -> float:
        return texts.share(at(genes)) if table is None else table.share(at(genes), tokens)

    def score(genes: Genes) -> float:
        key = " ".join(map(str, genes))
        if key not in scores:
            encoder.lengths = at(genes)
            scores[key] = context.score(model, rows=options.rows)
        return scores[key]

    problem = Problem(shape.searched, grid, cost, score, shape.without_heads)
    with full_length(model):
        evaluated = run_search(problem, options, context, lambda: keep and keep(scores))
    points = evaluated.front()
    found = [choice_of(point, at(point.genes), texts) for point in points]
    mean = int(tokens.mean())
    times = measure_choices(network, context, [at(point.genes) for point in points], options.batch, mean)
    choices = [replace(one, ms=round(ms, 4), tokens=mean) for one, ms in zip(found, times)]
    return Found(choices, len(evaluated.points), tokens)


def shortest_share(
    model: nn.Module, context: StageContext, options: LengthSearch, *, mode: str, longest: int
) -> float:  # fmt: skip
    """The multiply-adds of the shortest lengths that `search_lengths` scores, as a share of the full model's, 0..1."""
    shape = EncoderShape.of(model)
    texts, grid = TextCosts(shape, token_counts(context, options)), longest if mode == "absolute" else GRID
    shortest = geometric(shape.searched, grid, shape.without_heads, options.drop)
    return texts.share(lengths_at(shortest, grid, mode, len(shape.layers)))


def token_counts(context: StageContext, options: LengthSearch) -> np.ndarray:
    """Token counts of the selection-split rows that the search uses, (texts,)."""
    counts = []
    for inputs, _, _ in context.batches(rows=options.rows, split="select", seed=context.seed):
        ids, mask = inputs["input_ids"], inputs.get("attention_mask")
        counts.append(np.full(len(ids), ids.shape[1]) if mask is None else mask.sum(1).cpu().numpy())
    return np.concatenate(counts)


def run_search(problem: Problem, options: LengthSearch, context: StageContext, keep: Callable[[], object]) -> Evaluated:
    """Score configurations with the search method in the settings; keep: called after each iteration."""
    generator, shortest = np.random.default_rng(context.seed), problem.geometric(options.drop)
    # In milliseconds, dropping tokens of short texts may cost more time than it saves.
    evaluated = Evaluated(problem, min(problem.cost(shortest), problem.cost(problem.full)))
    for genes in seeds(problem, options.population, options.drop):
        evaluated.add(genes)
    keep()
    say_state(evaluated, context, "geometric lengths")
    if options.method == "greedy":
        for _ in greedy(evaluated):
            keep()
        say_state(evaluated, context, "greedy cuts")
    for turn in range(options.iterations if options.method == "evolution" else 0):
        new = evolve(
            evaluated, generator, mutations=options.mutations, crossovers=options.crossovers,
            share=options.mutation_share,
        )  # fmt: skip
        keep()
        say_state(evaluated, context, f"iteration {turn + 1} of {options.iterations}")
        if not new:
            break
    return evaluated


def say_state(evaluated: Evaluated, context: StageContext, moment: str) -> None:
    """Print the progress of a search."""
    front = evaluated.front()
    context.say(
        f"{moment}: {len(evaluated.points)} configurations scored, the best at {len(front)} costs from "
        f"{front[0].cost:.2f} ({front[0].score:.4f}) to 1 ({front[-1].score:.4f})"
    )


def lengths_at(genes: Genes, grid: int, mode: str, layers: int) -> Lengths | None:
    """The lengths of a configuration; layers that are not searched drop nothing. None: no layer drops any token."""
    if all(count == grid for count in genes):
        return None
    rest = layers - len(genes)
    if mode == "absolute":
        return Lengths((*map(float, genes), *[float(genes[-1])] * rest), "absolute")
    entering = (grid, *genes[:-1])
    ratios = [round(leaving / count, 4) for count, leaving in zip(entering, genes)]
    return Lengths((*ratios, *[1.0] * rest), "ratio")


def choice_of(point: Point, lengths: Lengths | None, texts: TextCosts) -> Choice:
    """The choice of a point on the front."""
    return Choice(() if lengths is None else lengths.values, texts.share(lengths), point.score)


def front_metrics(found: Found, chosen: Choice, mode: str) -> dict[str, float]:
    """The metrics of a search and of the lengths that the model keeps."""
    full, shortest = found.choices[-1], found.choices[0]
    metrics = {
        "length/tried": float(found.tried),
        "length/choices": float(len(found.choices)),
        "length/share": chosen.share,
        "length/share_shortest": shortest.share,
        "length/share_within_point": within_loss(found.choices, POINT).share,
        "length/score": chosen.score,
        "length/score_full": full.score,
    }
    if chosen.ms and full.ms:
        metrics |= {"length/ms": chosen.ms, "length/ms_full": full.ms, "length/speedup": full.ms / chosen.ms}
    if chosen.lengths:
        lengths = Lengths(chosen.lengths, cast(Mode, mode))
        left = np.mean([lengths.kept_of(int(count)) for count in found.tokens], axis=0)
        metrics |= {f"length/tokens_{layer}": float(mean) for layer, mean in enumerate(left, 1)}
    return metrics
