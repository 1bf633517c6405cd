"""The files of a report, and the page in a real browser."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from runner.compare.report import write_report
from runner.errors import ConfigError
from tests.runner.compare.folders import typed, write_group, write_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CLAIM = {"claim": "dsn is small", "source": "a page", "metric": "cost/params", "kind": "value",
         "where": {"model": "dsn"}, "value": 1000}  # fmt: skip
FILES = ["report.html", "table.md", "table.tex", "runs.csv", "groups.csv", "groups.parquet", "plots/pareto_bytes.png",
         "plots/pareto_latency.png", "plots/pareto_macs.png", "plots/seeds.png"]  # fmt: skip


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep of two models and three seeds, with its report."""
    output = tmp_path_factory.mktemp("outputs")
    tiny = {"cost/bytes_deployed": 40_000, "cost/macs": 50_000, "speed/answer_us_p50": 500.0}
    records = write_group(output, "model=dsn", right=[150, 152, 149])
    records += write_group(output, "model=bert-tiny", right=[180, 182, 181], metrics=tiny)
    records.append(write_run(output, "model=bert-mini", status="failed", reason="ValueError: </script><b>diverged"))
    folder = output / "sweeps" / "0123456789"
    written = write_report(
        typed(records), folder, title="small <or> large?", question="Which & why?", claims=[CLAIM], baseline="model=dsn"
    )
    assert sorted(path.relative_to(folder).as_posix() for path in written) == sorted(FILES)
    return folder


def test_every_file_is_there_and_whole(sweep: Path) -> None:
    assert not list(sweep.rglob("*.part"))
    for path in (sweep / "plots").iterdir():
        assert path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5000


def test_the_tables_hold_the_same_numbers(sweep: Path) -> None:
    with (sweep / "groups.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    assert [line["group"] for line in lines] == ["model=bert-tiny", "model=dsn"]
    assert float(lines[0]["mean"]) == pytest.approx(0.905)
    assert lines[0]["interval"] == "t over 3 seeds, and over 200 examples"
    ends = {name: float(lines[0][name]) for name in ("low", "high", "seeds_low", "seeds_high", "examples_low")}
    assert ends["low"] == min(ends["seeds_low"], ends["examples_low"]) and ends["high"] >= ends["seeds_high"]
    assert float(lines[0]["bootstrap_low"]) >= 0.9 and float(lines[0]["p_holm"]) < 0.05
    assert lines[0]["verdict"].startswith("better by 0.15") and lines[1]["verdict"] == "baseline"
    table = pq.read_table(sweep / "groups.parquet").to_pylist()
    assert [row["mean"] for row in table] == [float(line["mean"]) for line in lines]
    with (sweep / "runs.csv").open() as stream:
        runs = list(csv.DictReader(stream))
    assert len(runs) == 6 and {run["seed"] for run in runs} == {"0", "1", "2"}
    page = (sweep / "table.md").read_text()
    assert "| model=bert-tiny | 0.9050 |" in page and "better by 0.15" in page and "| reproduced |" in page
    assert "left out" in page and "diverged" in page


def test_the_page_asks_nothing_of_a_network(sweep: Path) -> None:
    text = (sweep / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r"(?:src|href|action)\s*=|url\(|@import|fetch\(|XMLHttpRequest", text)
    addresses = set(re.findall(r"https?://[^\s\"'<)]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}, "the name of SVG's namespace is no address to load"
    assert "default-src 'none'" in text


def test_what_records_say_cannot_become_markup(sweep: Path) -> None:
    text = (sweep / "report.html").read_text(encoding="utf-8")
    assert "<b>diverged" not in text and text.count("</script>") == 1


class Page(HTMLParser):
    """Tables and marks of a rendered page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root: dict[str, str | None] = {}
        self.rows: dict[str, list[list[str]]] = {}
        self.classes: list[str] = []
        self.section = ""
        self.cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "html":
            self.root = found
        if tag == "section":
            self.section = found["id"] or ""
        if tag == "tr":
            self.rows.setdefault(self.section, []).append([])
        if tag in ("td", "th"):
            self.cell = True
            self.rows[self.section][-1].append("")
        if tag in ("circle", "path"):
            self.classes.append(f"{self.section} {found.get('class')}")

    def handle_endtag(self, tag: str) -> None:
        self.cell = self.cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.cell:
            self.rows[self.section][-1][-1] += data


def browse(page: Path, fragment: str, profile: Path) -> tuple[Page, str]:
    """The page after its scripts ran, parsed, and what it logged."""
    text, logged = browse_text(page, fragment, profile)
    return Page(text), logged


def browse_text(page: Path, fragment: str, profile: Path) -> tuple[str, str]:
    """The page after its scripts ran, in a headless Chromium, and what it logged."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
        f"--user-data-dir={profile}", "--dump-dom", f"file://{page}{fragment}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


def test_a_browser_draws_tables_points_and_curves_without_an_error(sweep: Path, tmp_path: Path) -> None:
    page, logged = browse(sweep / "report.html", "", tmp_path)
    assert page.root.get("data-ready") == "yes" and "data-error" not in page.root and not logged
    assert [row[0] for row in page.rows["compared"]] == ["group", "model=bert-tiny", "model=dsn"]
    assert page.rows["tests"][1][1].startswith("better by 0.15")
    assert page.rows["claims"][1][3] == "reproduced"
    assert ["model.name", "bert-tiny", "dsn"] in page.rows["differences"]
    assert ["torch", "2.13.0"] in page.rows["environment"]
    assert len(page.rows["runs"]) == 1 + 6
    drawings = 2 * 3  # for wide and for narrow pages, of each cost
    assert sum(found.startswith("pareto point") for found in page.classes) == 2 * drawings
    assert page.classes.count("pareto front") == drawings
    assert sum(found.startswith("seeds point") for found in page.classes) == 6
    assert sum(found.startswith("curves curve") for found in page.classes) == 6


def test_an_address_sorts_the_table(sweep: Path, tmp_path: Path) -> None:
    titles = Page((sweep / "report.html").read_text(encoding="utf-8")).rows["compared"][0]
    found = browse(sweep / "report.html", f"#sort=-{titles.index('deployed MB')}", tmp_path)[0]
    assert [row[0] for row in found.rows["compared"][1:]] == ["model=dsn", "model=bert-tiny"]


def acted(page: Path, script: str, folder: Path) -> str:
    """The page's DOM after a visitor's actions, written as a script at its end."""
    copy = folder / "acted.html"
    text = page.read_text(encoding="utf-8").replace("</body>", f"<script>{script}</script></body>")
    copy.write_text(text, encoding="utf-8")
    return browse_text(copy, "", folder / "profile")[0]


def test_pointing_at_a_dot_shows_its_numbers(sweep: Path, tmp_path: Path) -> None:
    script = (
        "document.querySelector('#pareto circle')"
        ".dispatchEvent(new PointerEvent('pointermove', {clientX: 100, clientY: 100, bubbles: true}))"
    )
    dom = acted(sweep / "report.html", script, tmp_path)
    found = re.search(r'<div id="tip" role="status"([^>]*)>(.*?)</div>', dom, re.DOTALL)
    assert found and "hidden" not in found[1]
    assert "model=bert-tiny" in found[2] and "deployed bytes: 40,000" in found[2] and "better by" in found[2]


def test_clicking_sorts_and_chooses_the_cost(sweep: Path, tmp_path: Path) -> None:
    script = (
        "const heads = [...document.querySelectorAll('#groups th button')];"
        "const head = heads.find((button) => button.textContent === 'answer us'); head.click(); head.click();"
        "[...document.querySelectorAll('#pareto .choices button')].find((b) => b.textContent === 'time').click();"
    )
    dom = acted(sweep / "report.html", script, tmp_path)
    assert [row[0] for row in Page(dom).rows["compared"][1:]] == ["model=bert-tiny", "model=dsn"]
    assert 'aria-sort="ascending"' in dom and "us from string to label" in dom


def test_datasets_are_drawn_apart(tmp_path: Path) -> None:
    records = write_group(tmp_path, "model=dsn", right=[150, 160])
    records += write_group(tmp_path, "model=dsn", right=[170, 160], fingerprint="e" * 64)
    write_report(typed(records), tmp_path / "sweeps" / "x", title="two")
    dom = browse_text(tmp_path / "sweeps" / "x" / "report.html", "", tmp_path / "profile")[0]
    assert "demo test/accuracy (dddddd)</button>" in dom and "demo test/accuracy (eeeeee)</button>" in dom
    seeds = dom.partition('id="seeds"')[2].partition("</section>")[0]
    assert re.findall(r"<figure( hidden)?[^>]*>", seeds) == ["", " hidden"], "one of two tables is shown"
    assert (tmp_path / "sweeps" / "x" / "plots" / "seeds_2.png").is_file()


def test_a_report_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no finished run"):
        write_report([], tmp_path / "sweeps" / "x", title="nothing")


def test_half_written_points_and_numbers_that_are_none_do_not_break_a_report(tmp_path: Path) -> None:
    records = write_group(tmp_path, "model=dsn", right=[150, 160], metrics={"test/loss": float("nan")})
    points = tmp_path / records[0]["identity"] / "metrics.jsonl"
    points.write_text(points.read_text() + '{"step": 11, "train/lo')
    write_report(typed(records), tmp_path / "sweeps" / "y", title="t", metric="test/loss")
    text = (tmp_path / "sweeps" / "y" / "report.html").read_text()
    assert '<td class="number">nan</td>' in text, "a number that is none is sorted last"
    assert "NaN" not in text and "nan" not in text.replace(">nan<", "")


def test_a_sweep_whose_baseline_failed_still_gets_its_report(tmp_path: Path) -> None:
    records = write_group(tmp_path, "model=dsn", right=[150, 160])
    folder = tmp_path / "sweeps" / "z"
    write_report(typed(records), folder, title="t", baseline={"model.name": "bert-tiny"})
    assert "no tests: --baseline model.name=bert-tiny: no group matches" in (folder / "table.md").read_text()
    write_report(typed(records), folder, title="t", baseline={"model.pretrained": None, "model": "dsn"})
    assert (
        "model=dsn data=demo" in (folder / "table.md").read_text()
        and "no tests" not in (folder / "table.md").read_text()
    )
