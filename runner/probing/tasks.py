"""The probing tasks that have names, and their groups; any other data set with classes can be probed as well.

Source: Conneau et al. 2018, arXiv 1805.01070. Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping

from runner.errors import ConfigError

SURFACE, SYNTACTIC, SEMANTIC = "surface", "syntactic", "semantic"
GROUPS: dict[str, tuple[str, ...]] = {
    SURFACE: ("sentence_length", "word_content"),
    SYNTACTIC: ("tree_depth", "top_constituents", "bigram_shift"),
    SEMANTIC: ("past_present", "subj_number", "obj_number", "odd_man_out", "coordination_inversion"),
}
GROUP_OF = {task: group for group, tasks in GROUPS.items() for task in tasks}
NAMES = tuple(GROUP_OF)
GROUPS_OF_XPROBE = {  # the data set lacks one task
    group: tuple(task for task in tasks if task != "top_constituents") for group, tasks in GROUPS.items()
}
WORDS = "words"
STRUCTURAL = "structural"
DISTANCE, DEPTH = STRUCTURAL_TASKS = ("structural_distance", "structural_depth")
SENTENCES = (  # made from the trees and features of a treebank
    "sentence_length", "tree_depth", "bigram_shift", "past_present", "subj_number", "obj_number",
    "coordination_inversion",
)  # fmt: skip
ARCS = "dependency_arcs"  # the relation of a word and its head, both given
EDGES = "edges"
WORDS_AND_TREES: dict[str, tuple[str, ...]] = {WORDS: ("pos", "dependency"), STRUCTURAL: STRUCTURAL_TASKS}
GROUPS_OF_TREEBANK = (
    WORDS_AND_TREES
    | {EDGES: (ARCS,)}
    | {group: tuple(task for task in tasks if task in SENTENCES) for group, tasks in GROUPS.items()}
)


def chosen_tasks(words: list[str], groups: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the tasks that the words name, by name or group, in their usual order; all if there are no words.

    groups: the tasks of the data, by group. Raises ConfigError for an unknown word.
    """
    available = [task for tasks in groups.values() for task in tasks]
    for word in words:
        if word not in groups and word not in available:
            raise ConfigError(
                f"run probe: tasks={word}: expected some of {', '.join(available)}, or a group ({', '.join(groups)}). "
                f"Try: tasks={available[0]}"
            )
    wanted = {task for word in words for task in groups.get(word, (word,))} or set(available)
    return [task for task in available if task in wanted]
