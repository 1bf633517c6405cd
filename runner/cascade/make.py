"""Makes a cascade: its record, which `run show` and `run compare` read, and the folder that `run predict` opens."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from data.quoting import shell_setting
from models.checkpoints.atomic import written_atomically
from runner.cascade.choose import Chosen, sentences, what_more_rows_allow
from runner.cascade.evaluate import Evaluation, evaluate, scores_on, write_answers
from runner.cascade.pair import Pair
from runner.cascade.rows import BothAnswers, read_data
from runner.cascade.timing import Times, texts_to_time, time_cascade
from runner.deploy.bundle.calibration import CALIBRATION_FILE, hash_of
from runner.deploy.cascade import CASCADE_FILE, LARGE, MODELS, SMALL, CascadePredictor, read_cascade, write_cascade
from runner.deploy.exported import CASCADE, DESCRIPTION_FILE, ExportedModel, is_replaceable, is_zip, read_export
from runner.deploy.predictors import open_predictor
from runner.errors import ConfigError
from runner.machine.facts import machine_facts
from runner.record.abandoned import held
from runner.record.calibration import CalibrationFacts
from runner.record.folder import RECORD, read_record
from runner.record.record import Environment, RunRecord
from runner.record.writer import RecordWriter
from runner.version import NUMBERS, VERSION

MEAN, THREADS = "speed/answer_us_mean", "speed/threads"
TYPICAL = "cascade/answer_us"  # the medians of both models' texts, weighted by how many there are
ABOUT = (".md", DESCRIPTION_FILE)  # endings of files that only describe a model
MOST_APART = 0.05  # of the small model's shares of reported and of calibration rows; beyond it a warning is printed


@dataclass(frozen=True)
class Measuring:
    """How long texts are timed; 0 seconds: not at all."""

    seconds: float
    threads: int


@dataclass(frozen=True)
class NewCascade:
    """Everything that a cascade depends on. words: of the command, from `cascade` on; selecting: None: not scored."""

    pair: Pair
    chosen: Chosen
    reported: BothAnswers
    words: list[str]
    selecting: BothAnswers | None = None

    def identity(self) -> str:
        """Return the ten hexadecimal digits of what is computed: weights, calibrations, threshold and rows."""
        hashes = [hash_of(side.model.weights) for side in self.pair.sides]
        wanted, rows = self.chosen.wanted, (self.chosen.rows.fingerprint, self.reported.fingerprint)
        content = [CASCADE, *hashes, self.chosen.found.threshold, vars(wanted), *rows, NUMBERS]
        content += [self.selecting.fingerprint] if self.selecting else []
        for calibration in (side.record.calibration or CalibrationFacts() for side in self.pair.sides):
            content += [calibration.temperature, calibration.power, calibration.weights, calibration.shifts]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]


def find_or_make(
    wanted: NewCascade, output: Path, cache: Path, measuring: Measuring, *, force: bool
) -> tuple[RunRecord, Path]:
    """Return the record of a cascade and its folder in `output`, made unless it exists.

    force: makes it again, which also happens if the times on so many threads are requested and missing, and if its
    models are no longer where it says that they are.
    """
    folder = output / wanted.identity()
    before = read_record(folder)
    if before and before.status == "done" and not force and is_timed(before, measuring) and has_models(folder):
        return before, folder
    found = evaluate(wanted.pair, wanted.reported, wanted.chosen)
    times, note = measure(wanted, cache, measuring)
    with held(folder):
        return record_cascade(wanted, found, times, note, folder, measuring.threads), folder


def record_cascade(
    wanted: NewCascade, found: Evaluation, times: Times | None, note: str, folder: Path, threads: int
) -> RunRecord:
    """Write a cascade, its answers and its record into a folder that this process holds; return the record.

    times, note: as measured on so many threads, or why there are none.
    """
    writer = RecordWriter.begin(folder, first_record(wanted, folder.name), None)
    models = [side.model for side in wanted.pair.sides]
    facts = {"name": writer.record.name, "command": wanted.words} | wanted.chosen.facts
    write_cascade(folder, writer.record.identity, models, facts)
    write_answers(folder, wanted.pair, wanted.reported, wanted.chosen)
    if wanted.selecting is not None:
        write_answers(folder, wanted.pair, wanted.selecting, wanted.chosen)
        writer.add_metrics(scores_on(wanted.pair, wanted.selecting, wanted.chosen))
    writer.add_metrics(found.metrics | costs_of(wanted.pair, found) | (times_of(times) if times else {}))
    if times:
        writer.add_metrics({THREADS: threads})
    writer.set_reports(found.reports)
    further = what_more_rows_allow(wanted.chosen), other_rows(wanted.chosen, found), note, warning(times)
    writer.add_notes([*sentences(facts), *filter(None, further)])
    writer.finish("done")
    return writer.record


def has_models(folder: Path) -> bool:
    """Does the folder of a cascade say where both models are, and are they there?"""
    try:
        read_cascade(folder)
    except ConfigError:
        return False
    return True


def is_timed(record: RunRecord, measuring: Measuring) -> bool:
    """Does a cascade have the requested times? Earlier versions recorded no threads; the default is 1."""
    metrics = record.metrics
    return not measuring.seconds or (MEAN in metrics and metrics.get(THREADS, 1) == measuring.threads)


def measure(wanted: NewCascade, cache: Path, measuring: Measuring) -> tuple[Times | None, str]:
    """Return the times of reported texts, or why there are none."""
    if not measuring.seconds:
        return None, ""
    rows = read_data(wanted.pair.large, wanted.reported.split, cache)
    if isinstance(rows, str):
        return None, f"no times: {rows}"
    small, large = (open_predictor(side.model, measuring.threads) for side in wanted.pair.sides)
    predictor = CascadePredictor(wanted.pair.large.model, small, large, wanted.chosen.found.threshold)
    texts = texts_to_time(rows, wanted.reported.split)
    return time_cascade(predictor, texts, measuring.seconds, measuring.threads), ""


def times_of(times: Times) -> dict[str, float]:
    """Return the metrics of measured times."""
    found = {f"cascade/{part}_us_mean": float(each.mean()) for part, each in zip(MODELS, (times.small, times.large))}
    p50, p90, p95 = (times.percentile(share) for share in (0.5, 0.9, 0.95))
    return found | {
        TYPICAL: times.typical, "cascade/formula_us_mean": times.formula, MEAN: float(times.cascade.mean()),
        "speed/answer_us_p50": p50, "speed/answer_us_p90": p90, "speed/answer_us_p95": p95,
        "speed/answer_texts": len(times.cascade),
    }  # fmt: skip


def warning(times: Times | None) -> str:
    """Return a warning if, by its mean time, a cascade saves no time; else ""."""
    if times is None or times.cascade.mean() < times.large.mean():
        return ""
    if times.small.mean() >= times.large.mean():
        return "slower than the large model alone, because the small one is no faster than it. Try: a faster small="
    return (
        "slower than the large model alone: the small one answers too few texts for the time that it takes. "
        "Try: a faster small=, or a larger at_most_loss="
    )


def other_rows(chosen: Chosen, found: Evaluation) -> str:
    """Return a warning if the small model's share shows that reported and calibration rows differ; else ""."""
    rows, share = chosen.found.rows, found.metrics["cascade/by_small"]
    expected = chosen.found.answered / rows
    chance = (expected * (1 - expected) * (1 / rows + 1 / found.rows)) ** 0.5  # standard error of the difference
    if abs(share - expected) <= max(MOST_APART, 4 * chance):
        return ""
    return (
        f"the small model answers {100 * share:.0f} % of the reported texts and {100 * expected:.0f} % of the "
        "calibration rows: the two differ, so what holds for the calibration rows may not hold for the reported ones"
    )


def costs_of(pair: Pair, found: Evaluation) -> dict[str, float]:
    """Return the sums of bytes and parameters of both models, and the mean multiply-adds of a text."""
    small, large = (side.record.metrics for side in pair.sides)
    summed = {"cost/bytes_deployed": float(sum(deployed_bytes(side.model) for side in pair.sides))}
    for name in ("cost/params", "cost/params_deployed", "cost/params_nonzero"):
        if name in small and name in large:
            summed[name] = small[name] + large[name]
    if "cost/macs" in large:
        summed["cost/macs"] = (
            small.get("cost/macs", 0.0) + (1 - found.metrics[f"{CASCADE}/by_small"]) * large["cost/macs"]
        )
    return summed


def deployed_bytes(model: ExportedModel) -> int:
    """Return the bytes of the files of a model that an answer needs: neither documentation nor weights for other
    engines.
    """
    return sum(path.stat().st_size for path in deployed_files(model))


def deployed_files(model: ExportedModel) -> list[Path]:
    """Return these files."""
    if model.engine == "numpy":
        return [path for path in (model.weights, model.weights.with_name(CALIBRATION_FILE)) if path.is_file()]
    return sorted(path for path in model.folder.iterdir() if path.is_file() and not path.name.endswith(ABOUT))


def first_record(wanted: NewCascade, identity: str) -> RunRecord:
    """Return everything known before the answers are scored: the facts of the large run without its results."""
    small, large = (side.record for side in wanted.pair.sides)
    config = large.config | {
        "model": large.config["model"] | {"name": f"{small.model}+{large.model}"},
        CASCADE: {SMALL: small.identity, LARGE: large.identity} | vars(wanted.chosen.wanted),
    }
    reported = wanted.reported
    kept = [reported, *([wanted.selecting] if wanted.selecting else [])]
    data = replace(
        large.data, selection=large.data.selection if wanted.selecting else None,
        rows={rows.split: len(rows) for rows in kept}, fingerprints={rows.split: rows.fingerprint for rows in kept},
        truncated={}, lengths={}, duplicates={}, dropped={},
    )  # fmt: skip
    return RunRecord(
        identity=identity, name=f"cascade {small.model}, {large.model} on {large.dataset}", config=config, data=data,
        overrides=wanted.words,
        environment=Environment(machine_facts(), large.environment.threads, "cpu", VERSION, NUMBERS, {}),
        tokenizer=large.tokenizer, weights=large.weights,
    )  # fmt: skip


def refuse_zip(out: Path) -> None:
    """Raise ConfigError for the name of a .zip: a cascade is copied to a folder."""
    if is_zip(out):
        cure = shell_setting("out", str(out.with_suffix("")))
        raise ConfigError(f"out={out}: a cascade is written as a folder. Try: {cure}")


def copy_cascade(folder: Path, models: tuple[ExportedModel, ExportedModel], out: Path) -> Path:
    """Write a cascade with copies of both models, so that it may be moved; return its folder, completely written.

    folder: of the cascade. Raises ConfigError for a folder that is neither empty nor an earlier copy.
    """
    place = out.expanduser().absolute()
    refuse_zip(out)
    if place.exists() and not is_replaceable(place):
        raise ConfigError(f"out={out}: is not empty and not an export, so it is not replaced. Try: another out=")
    facts = json.loads((folder / CASCADE_FILE).read_text(encoding="utf-8"))
    further = {key: value for key, value in facts.items() if key not in MODELS}
    with written_atomically(place) as part:
        copies = []
        for name, model in zip(MODELS, models, strict=True):
            (part / name).mkdir()
            copies.append(replace(model, folder=part / name))
            for path in deployed_files(model):
                shutil.copy2(path, part / name)
            described = json.dumps(copies[-1].describe(), indent=2) + "\n"
            (part / name / DESCRIPTION_FILE).write_text(described, encoding="utf-8")
        write_cascade(part, read_export(folder).identity, copies, further)
        shutil.copy2(folder / RECORD, part)
    return place
