"""The words of `run errors`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.commands.errors import main
from runner.errors import ConfigError
from runner.record.folder import RECORD
from tests.runner.mistakes.cases import write_case


def test_label_errors_that_were_asked_for_are_refused_where_there_are_none_to_find(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record, output = write_case(tmp_path).record, tmp_path / "out"
    path = output / record.identity / RECORD
    content = json.loads(path.read_text(encoding="utf-8"))
    content["data"] |= {"task": "regression", "labels": [], "primary": "test/spearman"}
    path.write_text(json.dumps(content), encoding="utf-8")
    words = [record.identity, f"paths.output={output}", f"paths.cache={tmp_path / 'cache'}"]
    for text in ("all", "true"):
        with pytest.raises(ConfigError, match=f"^label_errors={text}: label errors are sought where"):
            main([*words, f"label_errors={text}"])
    with pytest.raises(ConfigError, match=r"label_errors=maybe: expected true or false"):
        main([*words, "label_errors=maybe"])
    assert main(words) == 0 == main([*words, "label_errors=false"])
    assert capsys.readouterr().out.count("wrote ") == 4
