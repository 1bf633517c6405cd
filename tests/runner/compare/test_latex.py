"""The LaTeX table, checked as a compiler would: environments, braces, columns, and no special character of its own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from runner.commands import compare
from runner.compare.analyse import analyse
from runner.compare.latex import escape_latex, latex
from runner.compare.select import select_runs
from tests.runner.compare.folded import right_rows, write_fold
from tests.runner.compare.folders import write_group

COMMANDS = {
    "begin", "end", "centering", "caption", "label", "toprule", "midrule", "bottomrule", "textbf", "emph",
    "multicolumn", "pm", "small", "mu", "textless", "textgreater", "textbar", "textbackslash", "textasciitilde",
    "textasciicircum",
}  # fmt: skip


def check(text: str) -> list[list[str]]:
    """Return the cells of each line of the table; fails where a compiler would."""
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    whole = "\n".join(lines)
    assert [*re.findall(r"\\(begin|end)\{(\w+)\}", whole)] == [
        ("begin", "table"), ("begin", "tabular"), ("end", "tabular"), ("end", "table")
    ]  # fmt: skip
    bare = re.sub(r"\\[\\{}$&#%_,]", "", whole)
    assert bare.count("{") == bare.count("}") and bare.count("$") % 2 == 0
    assert set(re.findall(r"\\([a-z]+)", bare)) <= COMMANDS and not re.search(r"\\[^a-z]", bare)
    assert not re.search(r"[#%_~^]", bare)
    spec = re.search(r"\\begin\{tabular\}\{(l+r+)\}", whole)
    assert spec
    rows = [line for line in lines if line.endswith(r"\\")]
    for line in rows:
        cells = len(re.findall(r"(?<!\\)&", line)) + 1
        spanned = re.match(r"\\multicolumn\{(\d+)\}", line)
        assert (int(spanned[1]) if spanned else cells) == len(spec[1])
    return [[cell.strip() for cell in re.split(r"(?<!\\)&", line.removesuffix(r"\\"))] for line in rows]


def test_a_table_has_a_line_for_each_group_and_each_baseline(tmp_path: Path) -> None:
    known = {"baseline/majority": 0.8, "baseline/ngram": 0.7}
    write_group(tmp_path, "model=dsn", right=[150, 160], metrics=known)
    write_group(tmp_path, "model=bert-tiny", right=[180, 181], metrics=known)
    rows = check(latex(analyse(select_runs(tmp_path, []), baseline="model=dsn"), "t", None))
    assert rows[0][:3] == ["model", "accuracy (test)", r"95\,\% interval"] and rows[0][-2:] == ["difference", "$p$"]
    assert [row[:2] for row in rows[1:]] == [
        ["bert-tiny", r"\textbf{0.9025}"], ["dsn (at baseline)", "0.7750"],
        ["majority-class baseline", "0.8000"], ["n-gram baseline", "0.7000"],
    ]  # fmt: skip
    assert re.fullmatch(r"0\.\d{4}--0\.\d{4}", rows[1][2]) and rows[1][-2] == "+0.1275"


def test_names_from_outside_are_escaped_and_datasets_are_apart(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", r"data.name='50%_{#}&\end{table}$~^<b>--|'", right=[150, 160])
    write_group(tmp_path, "model=dsn", right=[100, 101], fingerprint="e" * 64, metrics={"test/examples": 200})
    text = latex(analyse(select_runs(tmp_path, [])), "100 % & more_", "why_not?")
    rows = check(text)
    assert text.count(r"\midrule") == 2 and text.count(r"\multicolumn") == 2 and text.count(r"\textbf") == 2
    assert any(r"50\%\_\{\#\}\&\textbackslash{}end\{table\}\$" in cell for row in rows for cell in row)


def caption(output: Path, metric: str | None = None) -> str:
    return (
        latex(analyse(select_runs(output, []), metric=metric), "t", None).partition("intervals: ")[2].partition(".")[0]
    )


def test_the_caption_says_what_the_intervals_are_over(tmp_path: Path) -> None:
    write_group(tmp_path / "one", "model=bert-tiny", right=[180])
    assert caption(tmp_path / "one") == "over the examples"
    write_group(tmp_path / "both", "model=dsn", right=[150, 160], metrics={"test/ece": 0.1})
    assert caption(tmp_path / "both") == "over seeds and examples"
    assert caption(tmp_path / "both", "test/ece") == "over seeds"
    write_group(tmp_path / "both", "model=bert-tiny", right=[180])
    assert caption(tmp_path / "both") == "over seeds and examples; with one seed over the examples"
    for fold in range(3):
        write_fold(tmp_path / "folds", "dsn", fold, right_rows(0.8, 1))
    assert caption(tmp_path / "folds") == "over folds, corrected for training rows that overlap"


def write_named(output: Path, name: str, place: int) -> None:
    """Write the run of a model of the user's own with this name."""
    (record,) = write_group(output, "model=dsn", f"optimizer.lr={place + 1}e-3", right=[150])
    record["config"]["model"]["name"] = name
    (output / record["identity"] / "record.json").write_text(json.dumps(record), encoding="utf-8")


def test_names_that_a_compiler_could_stumble_over(tmp_path: Path) -> None:
    names = [r"\\input{/etc/passwd}", "*starred", "[1em]", "a%b", "x_y^2", "$&#", "~{", "}", "naïve"]
    for place, name in enumerate(names):
        write_named(tmp_path, name, place)
    text = latex(analyse(select_runs(tmp_path, [])), "t", None)
    rows = check(text)
    assert len(rows) == len(names) + 1 and "lualatex" not in text
    assert not re.search(r"\\\\\n\s*[*\[]", text), "a line break takes a star or a bracket after it for its own"
    write_named(tmp_path, "模型", len(names))
    assert "% has letters that are not Latin" in latex(analyse(select_runs(tmp_path, [])), "t", None)


def test_every_special_character_is_escaped() -> None:
    assert escape_latex("a_b & 5% #1 $x$ {y} --") == r"a\_b \& 5\% \#1 \$x\$ \{y\} -{}-"
    assert escape_latex("\\~^<>|[\x1b") == (
        r"\textbackslash{}\textasciitilde{}\textasciicircum{}\textless{}\textgreater{}\textbar{}{[}\textbackslash{}x1b"
    )


def test_the_command_prints_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_group(tmp_path, "model=dsn", right=[150, 160])
    assert compare.main(["--format", "latex", f"paths.output={tmp_path}"]) == 0
    assert len(check(capsys.readouterr().out)) == 2
