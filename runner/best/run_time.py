"""The time of an answer by the bundle that a finished run would have, which is compared with the cap of a search.

Without such a cap only the winner's bundle is timed, for information.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from data.errors import DataError
from data.load import read_rows
from data.stores.build_once import SharedCache
from runner.best.plan.twin import typical_questions
from runner.best.types import AnswerTime, Budget
from runner.deploy.answer_time import Columns, delivered, one_by_one, time_forms, time_reader
from runner.deploy.bundle import predict
from runner.deploy.exported import model_of_run
from runner.errors import ConfigError
from runner.record.data_settings import data_settings
from runner.record.record import RunRecord
from runner.tasks.make import task_of_record

BLOCK_S, FEWEST = 1.0, 20  # longer than for a random twin, whose time decides nothing near the cap


def time_run(record: RunRecord, output: Path, cache: Path, budget: Budget) -> AnswerTime:
    """Return the time of an answer to a reported text of about median length, by the bundle inside the budget.

    output: the folder of run folders. Raises ConfigError if the model or its texts are gone.
    """
    trained, questions = model_of_run(record, output / record.identity), _questions(record, cache)
    times = time_forms(
        trained, questions, budget.max_us, most_bytes=budget.max_bytes, seconds=BLOCK_S, fewest=FEWEST
    )  # fmt: skip
    engine = delivered(times, budget.max_us)
    return AnswerTime(round(times[engine], 1), engine)


def time_bundle(record: RunRecord, bundle: Path, cache: Path) -> float:
    """Return the microseconds of an answer to a reported text of about median length by a bundle on disk.

    record: of its run. It decides nothing, so it takes as short a time as that of a twin. Raises ConfigError if the
    texts are gone.
    """
    return round(time_reader(one_by_one(predict.Model(bundle)), _questions(record, cache)), 1)


def _questions(record: RunRecord, cache: Path) -> Sequence[Columns]:
    """Reported texts of about median length, each as one question."""
    try:
        rows = read_rows(data_settings(record), SharedCache(cache), task_of_record(record).target)
    except (DataError, OSError) as error:
        raise ConfigError(f"the texts of run {record.identity} cannot be read: {error}") from error
    return typical_questions(rows)
