"""The time of an answer by the bundle that a finished run would have, which is compared with the cap of a search."""

from __future__ import annotations

from pathlib import Path

from data.errors import DataError
from data.load import read_rows
from data.stores.build_once import SharedCache
from runner.best.plan.twin import typical_questions
from runner.best.types import AnswerTime, Budget
from runner.deploy.answer_time import delivered, time_forms
from runner.deploy.exported import model_of_run
from runner.errors import ConfigError
from runner.record.data_settings import data_settings
from runner.record.record import RunRecord
from runner.tasks.make import task_of_record

BLOCK_S, FEWEST = 1.0, 20  # longer than of a random twin, which decides nothing near the cap


def time_run(record: RunRecord, output: Path, cache: Path, budget: Budget) -> AnswerTime:
    """Return the time of an answer to a reported text of about median length, by the bundle inside the budget.

    output: the folder of run folders. Raises ConfigError where the model or its texts are gone.
    """
    trained = model_of_run(record, output / record.identity)
    try:
        rows = read_rows(data_settings(record), SharedCache(cache), task_of_record(record).target)
    except (DataError, OSError) as error:
        raise ConfigError(f"the texts of run {record.identity} cannot be read: {error}") from error
    times = time_forms(
        trained, typical_questions(rows), budget.max_us, most_bytes=budget.max_bytes, seconds=BLOCK_S, fewest=FEWEST
    )  # fmt: skip
    engine = delivered(times, budget.max_us)
    return AnswerTime(round(times[engine], 1), engine)
