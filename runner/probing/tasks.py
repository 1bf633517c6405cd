"""The probing tasks that have names, and their groups; any other data set with classes can be probed as well.

Source: Conneau et al. 2018, arXiv 1805.01070. Standard library only.
"""

from __future__ import annotations

from runner.errors import ConfigError

SURFACE, SYNTACTIC, SEMANTIC = "surface", "syntactic", "semantic"
GROUPS: dict[str, tuple[str, ...]] = {
    SURFACE: ("sentence_length", "word_content"),
    SYNTACTIC: ("tree_depth", "top_constituents", "bigram_shift"),
    SEMANTIC: ("past_present", "subj_number", "obj_number", "odd_man_out", "coordination_inversion"),
}
GROUP_OF = {task: group for group, tasks in GROUPS.items() for task in tasks}
NAMES = tuple(GROUP_OF)


def chosen_tasks(words: list[str], available: tuple[str, ...]) -> list[str]:
    """Return the tasks that the words name, each by its name or its group, in their usual order; all for no words.

    available: those of the data. Raises ConfigError for a word that is none.
    """
    for word in words:
        if word not in GROUPS and word not in available:
            raise ConfigError(
                f"run probe: tasks={word}: expected some of {', '.join(available)}, or a group ({', '.join(GROUPS)}). "
                f"Try: tasks={available[0]}"
            )
    wanted = {task for word in words for task in GROUPS.get(word, (word,))} or set(available)
    return [task for task in available if task in wanted]
