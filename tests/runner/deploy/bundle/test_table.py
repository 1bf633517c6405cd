"""The tables that a bundle reads are those that training reads, row for row, and what one refuses the other refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import DataError
from data.sources.formats import read_rows
from data.sources.options import ReadOptions, format_of
from runner.deploy.bundle.table import read_table

READ = {
    "plain.csv": "text,id\nthe soup,1\n",
    "a byte order mark.csv": "\ufefftext,id\r\nthe soup,1\r\n",
    "semicolon.csv": 'text;id\n"the soup; cold";1\nwarm, too;2\n',
    "tab.csv": "text\tid\nthe soup\t1\n",
    "bars.csv": "id|text\n1|the soup\n",
    "carriage returns.csv": "text,id\rthe soup,1\r",
    "lines in quotes.csv": 'id,text\n1,"the soup\nwas ""cold"""\n2,warm\n',
    "blank lines.csv": "\n\ntext,id\nthe soup,1\n\nthe room,2\n",
    "quotes in a text.tsv": 'text\tid\n"great" soup\t1\nthe 5" room\t2\n"whole"\t3\n',
    "a quote that never ends.tsv": 'text\tid\n"the soup\t1\nthe room\t2\n',
    "all in quotes.tsv": '"text"\t"id"\n"the\tsoup"\t"1"\n',
    "commas.tsv": 'text,id\n"the soup, cold",1\n',
    "the delimiter named.csv": "sep=;\ntext;id\nthe soup;1\n",
    "nul.csv": "text\nthe\0soup\n",
    "empty texts.csv": 'text\n""\n   \nthe soup\n',
    "line separators.csv": "text,id\nthe\u2028soup\x85was\x0bcold,1\n",
    "an unnamed column.csv": ",text\n0,the soup\n",
    "unnamed columns.csv": "text,,,\nthe soup,1,2,3\n",
}
REFUSED = {
    "a comma too many.csv": "text,id\nthe soup,1\nwarm, lovely,2\n",
    "a field too few.csv": "text,id\nthe soup\n",
    "text twice.csv": "text,text\nthe soup,cold\n",
    "a delimiter at the end.csv": "text,id\nthe soup,1,\n",
    "an open quote.csv": 'text,id\n"the soup,1\nthe room,2\n',
    "something after a quote.csv": 'text\n"a" b\n',
    "another column.csv": "review\nthe soup\n",
    "a header alone.csv": "text,id\n",
    "empty.csv": "",
    "a field too many.tsv": "text\tid\nthe soup\t1\t2\n",
}


def of_bundle(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as source:
        return list(read_table(source, str(path), lambda _: ["text"]).rows)


def of_training(path: Path) -> list[dict[str, str]]:
    found = [row for _, row in read_rows(path, format_of(path) or "", ReadOptions({"text": "text"}))]
    if not found:
        raise DataError("no rows")
    return found


@pytest.mark.parametrize("name", READ)
def test_a_table_has_the_rows_that_training_reads(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(READ[name].encode())
    assert of_bundle(path) == of_training(path)


@pytest.mark.parametrize("name", REFUSED)
def test_what_training_refuses_is_refused_with_the_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(REFUSED[name].encode())
    with pytest.raises(DataError):
        of_training(path)
    with pytest.raises(ValueError, match=name):
        of_bundle(path)
