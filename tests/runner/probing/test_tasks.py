"""Names of tasks and of their groups."""

from __future__ import annotations

import pytest

from runner.errors import ConfigError
from runner.probing.tasks import GROUPS, GROUPS_OF_TREEBANK, GROUPS_OF_XPROBE, chosen_tasks


def test_a_group_stands_for_its_tasks_and_no_word_for_all() -> None:
    assert len(chosen_tasks([], GROUPS_OF_XPROBE)) == 9
    assert chosen_tasks(["semantic"], GROUPS_OF_XPROBE) == [*GROUPS["semantic"]]
    assert chosen_tasks(["obj_number", "surface", "obj_number"], GROUPS_OF_XPROBE) == [
        "sentence_length", "word_content", "obj_number",
    ]  # fmt: skip
    assert chosen_tasks(["structural"], GROUPS_OF_TREEBANK) == ["structural_distance", "structural_depth"]
    assert chosen_tasks(["syntactic"], GROUPS_OF_TREEBANK) == ["tree_depth", "bigram_shift"]
    with pytest.raises(ConfigError, match=r"tasks=objnumber: expected some of .*Try: tasks=sentence_length"):
        chosen_tasks(["objnumber"], GROUPS_OF_XPROBE)
