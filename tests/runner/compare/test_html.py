"""The comparison as a page: what it says, and text that stays text."""

from __future__ import annotations

from pathlib import Path

from runner.compare.analyse import analyse
from runner.compare.html import report_page
from runner.compare.select import select_runs
from tests.runner.compare.folders import write_group


def page_of(output: Path, title: str = "t") -> str:
    return report_page(analyse(select_runs(output, [])), title=title, question=None, made="today")


def test_the_page_counts_its_runs_and_no_title_ends_its_script(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150, 160])
    page = page_of(tmp_path, "</script><b>")
    assert page.count("</script>") == 1 and '<h1 id="title">&lt;/script&gt;&lt;b&gt;</h1>' in page
    assert "2 runs in 1 group. today" in page and 'id="tests"' not in page and 'id="claims"' not in page


def test_few_settings_of_many_groups_go_across_and_many_settings_of_few_groups_down(tmp_path: Path) -> None:
    for rate in ("1e-3", "2e-3", "3e-3"):
        write_group(tmp_path, "model=dsn", f"optimizer.lr={rate}", right=[150])
    assert '<th scope="col">group</th><th scope="col">optimizer.lr</th>' in page_of(tmp_path)
    write_group(tmp_path / "b", "model=dsn", right=[150])
    write_group(tmp_path / "b", "model=bert-tiny", right=[160])
    assert '<th scope="col">setting</th><th scope="col">model=bert-tiny</th>' in page_of(tmp_path / "b")


def test_baselines_are_lines_and_the_group_of_the_baseline_is_marked(tmp_path: Path) -> None:
    known = {"baseline/majority": 0.6, "baseline/ngram": 0.7}
    write_group(tmp_path, "model=dsn", right=[150], metrics=known)
    write_group(tmp_path, "model=bert-tiny", right=[160], metrics=known)
    comparison = analyse(select_runs(tmp_path, []), baseline="model=dsn")
    page = report_page(comparison, title="t", question=None, made="")
    assert page.count("majority-class baseline 0.6") == page.count("n-gram baseline 0.7") == 3 + 1, "each cost, seeds"
    foot = page.partition("<tfoot>")[2].partition("</tfoot>")[0]
    assert page.count("<tfoot>") == 1 and foot.count("<tr>") == 2, "below the groups, as in the terminal"
    assert ">majority-class baseline</td>" in foot and ">0.6000</td>" in foot and ">0.7000</td>" in foot
    assert page.count('<tr class="marked">') == 2
