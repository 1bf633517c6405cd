"""Warnings about recorded costs that contradict the obvious reading of a table: one function for each kind.

    "int8 slower than fp32 here", "sparse but not smaller"

The records are the only source; nothing is measured again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from data.counted import counted
from runner.compare.axes import SIZE, TIME
from runner.compare.rows import Comparison, Row
from runner.compare.select import Run
from runner.record.baseline import no_better_than_ngrams
from runner.record.record import Environment

SPARSE = 0.9  # below this share of non-zero parameters a model counts as sparse
DENSE_BYTES = 4  # bytes of a parameter in fp32
CLEARLY = 1.05  # latencies within 5 % count as equal
MOST = 5  # sentences from one check
NOISY = 1.5  # p90/p50 of the same input, as in runner/record/metrics.py


def cost_warnings(comparison: Comparison) -> list[str]:
    """Return the warnings of all checks, in the order of the checks; at most MOST of each."""
    checks = (
        compressed_but_slower, sparse_but_not_smaller, smaller_but_slower, packed_smaller_than_file,
        vocabulary_larger_than_weights, noisy_latency, machines_differ, backends_differ, constant_answers,
        diverged_runs, beaten_by_ngrams,
    )  # fmt: skip
    found = []
    for look in checks:
        sentences = list(look(comparison))
        found += sentences[:MOST]
        if len(sentences) > MOST:
            found.append(f"... and {len(sentences) - MOST} more like the last one")
    return found


def compressed_but_slower(comparison: Comparison) -> Iterator[str]:
    """Yield compressed groups that are slower than the same group without compression."""
    for row, plain in _compressed(comparison.rows):
        mine, other = row.costs.get(TIME), plain.costs.get(TIME)
        if mine and other and mine > CLEARLY * other:
            chain = "+".join(row.group.settings["compression"])
            precision = plain.group.settings.get("train.precision", "uncompressed")
            times = f"{_time_text(comparison, mine)} against {_time_text(comparison, other)}"
            yield f"{chain} slower than {precision} here: {times} ({row.group.name})"


def sparse_but_not_smaller(comparison: Comparison) -> Iterator[str]:
    """Yield groups with many zero parameters whose file is as large as a dense one."""
    plain_of = {id(row): plain for row, plain in _compressed(comparison.rows)}
    for row in comparison.rows:
        total, nonzero, file = (row.costs.get(f"cost/{n}") for n in ("params", "params_nonzero", "bytes_file"))
        if not total or nonzero is None or file is None or nonzero > SPARSE * total:
            continue
        plain = plain_of.get(id(row))
        dense = plain.costs.get("cost/bytes_file", 0.0) if plain else DENSE_BYTES * total
        packed = row.costs.get(SIZE, file)  # of a model.bin, which is smaller than the weights it was made from
        if min(file, packed) >= 0.95 * dense:
            yield (
                f"sparse but not smaller: {row.group.name} has {1 - nonzero / total:.0%} zeros "
                f"but a file of {file / 1e6:.2f} MB ({file / total:.1f} bytes per parameter, zeros included)"
            )


def smaller_but_slower(comparison: Comparison) -> Iterator[str]:
    """Yield groups with fewer bytes than the baseline but a longer time to answer."""
    bases = {row.examples: row for row in comparison.rows if row.is_baseline}
    for row in comparison.rows:
        base = bases.get(row.examples)
        if row.is_baseline or base is None:
            continue
        size, base_size = row.costs.get(SIZE), base.costs.get(SIZE)
        time, base_time = row.costs.get(TIME), base.costs.get(TIME)
        if size and base_size and time and base_time and size < base_size and time > CLEARLY * base_time:
            yield (
                f"smaller but slower: {row.group.name} takes {size / base_size:.0%} of the bytes "
                f"and {time / base_time:.0%} of the time of {base.group.name}"
            )


def packed_smaller_than_file(comparison: Comparison) -> Iterator[str]:
    """Yield groups whose saved file is much larger than their packed size."""
    for row in comparison.rows:
        packed, file = row.costs.get("cost/bytes_packed"), row.costs.get("cost/bytes_file")
        if packed and file and file > 2 * packed and file - packed > 100_000:  # small files are mostly header
            yield f"{row.group.name}: {packed / 1e6:.2f} MB packed, but a file of {file / 1e6:.2f} MB"


def vocabulary_larger_than_weights(comparison: Comparison) -> Iterator[str]:
    """Yield groups whose vocabulary and config take more bytes than their weights."""
    for row in comparison.rows:
        deployed, weights = row.costs.get("cost/bytes_deployed"), row.costs.get("cost/bytes_file")
        if row.group.settings.get("data.audio"):
            continue  # a model of sounds has no vocabulary; its other files describe the features
        if deployed and weights and deployed - weights > weights:
            yield (
                f"{row.group.name}: its vocabulary and config files are larger than its weights, "
                f"{(deployed - weights) / 1e6:.2f} MB against {weights / 1e6:.2f} MB (try model.tokenizer=train with a "
                "smaller model.vocab_size, or model=ngram, which stores no words)"
            )


def noisy_latency(comparison: Comparison) -> Iterator[str]:
    """Yield one warning about groups whose latency varies so much that the median is doubtful."""
    if comparison.latency is None:
        return
    cell = comparison.latency.removeprefix("speed/latency_ms_p50_")
    noisy = [row for row in comparison.rows if row.costs.get(f"speed/noise_{cell}", 0.0) > NOISY]
    if noisy:
        worst = max(row.costs[f"speed/noise_{cell}"] for row in noisy)
        names = "; ".join(row.group.name for row in noisy[:5]) + (" ..." if len(noisy) > 5 else "")
        yield f"noisy latency (p90/p50 up to {worst:.1f}; do not rank by it above {NOISY}): {names}"


def machines_differ(comparison: Comparison) -> Iterator[str]:
    """Yield a warning where one table holds times from several kinds of machine."""
    facts = {run.record.environment.processor for group in comparison.groups for run in group.runs}
    if len(facts) > 1 and comparison.time:
        yield (
            f"timed on {len(facts)} kinds of machine ({'; '.join(sorted(facts))}): "
            "compare speed/speedup_*, the ratio to the reference model, not times"
        )


def backends_differ(comparison: Comparison) -> Iterator[str]:
    """Yield a warning where runs of one table used several matrix backends or thread counts."""
    tables: dict[tuple[str, str], list[Run]] = {}
    for row in comparison.rows:
        tables.setdefault((row.metric, row.examples), []).extend(row.group.runs)
    ways: Counter[str] = Counter()
    for runs in tables.values():
        counts = Counter(way for run in runs if (way := _computed(run.record.environment)))
        if len(counts) > 1:
            ways += counts
    if ways:
        named = "; ".join(f"{way}: {counted(count, 'run')}" for way, count in sorted(ways.items()))
        yield (
            f"computed with several matrix backends or thread counts ({named}): the last digits of a product differ "
            "between them, and training amplifies that, as another seed would"
        )


def constant_answers(comparison: Comparison) -> Iterator[str]:
    """Yield groups with runs that predict the same for every example."""
    for row in comparison.rows:
        name = f"{row.metric.partition('/')[0]}/constant_predictions"
        stuck = [str(run.seed) for run in row.group.members if run.metrics.get(name)]
        if stuck:
            yield f"{row.group.name}: the same prediction for every example ({_seeds_of(stuck)})"


def diverged_runs(comparison: Comparison) -> Iterator[str]:
    """Yield groups with runs that ended no better than guessing."""
    for row in comparison.rows:
        stuck = [str(run.seed) for run in row.group.members if run.metrics.get("train/diverged")]
        if stuck:
            runs = f"{len(stuck)} of {len(row.group.members)} runs"
            yield f"{row.group.name}: learned nothing in {runs} ({_seeds_of(stuck)})"


def beaten_by_ngrams(comparison: Comparison) -> Iterator[str]:
    """Yield groups that are larger, slower and not better than the n-gram model of their data."""
    for row in comparison.rows:
        runs = [run for run in row.group.members if run.record.data.primary == row.metric]
        if sentence := no_better_than_ngrams([run.metrics for run in runs], row.metric):
            yield f"{row.group.name}: {sentence}"


def _compressed(rows: list[Row]) -> Iterator[tuple[Row, Row]]:
    """Yield each compressed row with the row that has the same settings without compression."""
    compressed = [row for row in rows if row.group.settings["compression"]]
    if not compressed:
        return
    plain = {_uncompressed(row): row for row in rows if not row.group.settings["compression"]}
    for row in compressed:
        if found := plain.get(_uncompressed(row)):
            yield row, found


def _uncompressed(row: Row) -> str:
    return repr(sorted((k, str(v)) for k, v in row.group.settings.items() if not k.startswith("compression")))


def _time_text(comparison: Comparison, value: float) -> str:
    """Return a time that the groups are ranked by, with its unit."""
    return f"{value:.2f} ms" if comparison.time == comparison.latency else f"{value:,.0f} us"


def _computed(environment: Environment) -> str:
    """Return how the matrix products of a run were computed; "" if the record does not say."""
    gemm, threads = environment.gemm, environment.threads
    said = [gemm] if gemm else []
    said += [counted(threads, "thread")] if threads else []
    return ", ".join(said)


def _seeds_of(seeds: list[str]) -> str:
    """Return the seeds of some runs, each once: several folds may have the same."""
    return f"seed {', '.join(dict.fromkeys(seeds))}"
