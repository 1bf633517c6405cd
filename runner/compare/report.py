"""A comparison as files: report.html, table.md, runs.csv, groups.csv, groups.parquet and plots/*.png.

write_report(records, Path("outputs/sweeps/0123456789"), title="dsn_vs_bert_tiny", baseline="model=bert-tiny")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from data.json_types import Json, JsonObject
from data.part_file import written_whole
from runner.compare.analyse import analyse
from runner.compare.claims import judge_claims
from runner.compare.export import Line, group_records, run_records, write_csv, write_parquet
from runner.compare.html import report_page
from runner.compare.latex import latex
from runner.compare.plots import FORMATS, draw_figures
from runner.compare.rows import Comparison
from runner.compare.select import select_records
from runner.compare.table import markdown
from runner.errors import ConfigError
from runner.record.record import RunRecord
from runner.version import VERSION


def write_report(
    records: Iterable[RunRecord],
    folder: Path,
    *,
    title: str,
    question: str | None = None,
    claims: Iterable[JsonObject] = (),
    baseline: str | Mapping[str, Json] | None = None,
    metric: str | None = None,
    output: Path | None = None,
) -> list[Path]:
    """Compare the records and write all files of the report into `folder`; return their paths.

    records: finished runs; others are listed as left out. baseline: as for `analyse`; if it is not among the runs, the
    report states that and has no tests. output: the folder with the run folders, for predictions and learning
    curves; None: two levels above a folder `<output>/sweeps/<id>`, else the parent of `folder`. ConfigError if no
    record is finished.
    """
    where = output or (folder.parent.parent if folder.parent.name == "sweeps" else folder.parent)
    selection = select_records(records, where)
    if not selection.runs:
        raise ConfigError(f"no finished run to report on in {where}")
    comparison = analyse(selection, baseline=baseline, metric=metric, forgiving=True)
    comparison.claims = judge_claims(list(claims), comparison.rows)
    return write_report_files(comparison, folder, title=title, question=question, formats=("png",))


def write_report_files(
    comparison: Comparison,
    folder: Path,
    *,
    title: str,
    question: str | None = None,
    formats: Sequence[str] = FORMATS,
) -> list[Path]:
    """Write the report of a comparison; each file is written completely or not at all.

    formats: of the plots; a sweep draws only PNG at its end, since fonts inside a PDF take a second.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {folder} cannot be created: {error.strerror}. Try: --out report") from error
    groups, runs = group_records(comparison), run_records(comparison)
    made = f"Made on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC by Bertier {VERSION}."

    def csv_of(lines: list[Line], path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as stream:
            write_csv(lines, stream)

    def text(content: str) -> Callable[[Path], object]:
        return lambda path: path.write_text(content, encoding="utf-8")

    writers: dict[str, Callable[[Path], object]] = {
        "report.html": text(report_page(comparison, title=title, question=question, made=made)),
        "table.md": text(markdown(comparison, title, question)),
        "table.tex": text(latex(comparison, title, question)),
        "runs.csv": lambda path: csv_of(runs, path),
        "groups.csv": lambda path: csv_of(groups, path),
        "groups.parquet": lambda path: write_parquet(groups, path),
    }
    written = []
    for name, writer in writers.items():
        path = folder / name
        with written_whole(path) as part:
            writer(part)
        written.append(path)
    return written + draw_figures(comparison, folder / "plots", formats)
