"""Trees of codes: what is read, which nodes a code has above it, and what is refused with the nodes that are wrong."""

from __future__ import annotations

import gzip
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.settings import DataSettings
from data.sources.code_tree import CodeTree, read_tree, tree_of_file
from runner.config.compose import compose
from runner.config.resolve import resolve

LINES = ["code,parent,description", "A00,A00-A09,Cholera", "A00-A09,chapter 1,", "chapter 1,,", "A000,A00,Classic"]


def tree_of(folder: Path, *lines: str, name: str = "tree.csv") -> CodeTree:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return tree_of_file(path, f"data.tree={name}")


def codes_on(tree: CodeTree, nodes: np.ndarray | list[int]) -> list[str]:
    names = list(tree.numbers)
    return [names[node] for node in nodes]


def test_the_path_of_a_code_has_the_nodes_above_it_up_to_the_root(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, *LINES)
    assert codes_on(tree, tree.path(tree.numbers["A000"])) == ["A00", "A00-A09", "chapter 1"]
    assert tree.path(tree.numbers["chapter 1"]) == []
    assert tree.edges.shape == (2, 3) and codes_on(tree, tree.edges[:, 0]) == ["A00", "A00-A09"]


def test_an_unknown_code_stands_for_its_longest_known_beginning_which_is_above_it(tmp_path: Path) -> None:
    tree, unknown = tree_of(tmp_path, *LINES), Counter[str]()
    paths = tree.paths_of([["A000", "A0019"], [], ["Z9", "A00"]], unknown)
    assert unknown == {"A0019": 1, "Z9": 1}
    assert codes_on(tree, paths.nodes) == 2 * ["A00", "A00-A09", "chapter 1"] + ["A00-A09", "chapter 1"]
    assert codes_on(tree, paths.codes) == ["A000", "A00", "A00"]
    assert paths.offsets.tolist() == [0, 6, 6, 8] and paths.code_offsets.tolist() == [0, 2, 2, 3]
    assert paths.has_codes.tolist() == [True, False, True]


@pytest.mark.parametrize("name", ["tree.csv", "tree.tsv", "tree.jsonl", "tree.csv.gz", "tree.parquet"])
def test_all_formats_of_files_hold_the_same_tree(tmp_path: Path, name: str) -> None:
    import pandas as pd

    table = pd.DataFrame({"parent": ["", "r", "r"], "code": ["r", "r1", "r2"], "more": [1, 2, 3]})
    path = tmp_path / name
    if name.endswith(".parquet"):
        table.assign(parent=[None, "r", "r"]).to_parquet(path)
    elif name.endswith(".jsonl"):
        table.to_json(path, orient="records", lines=True)
    else:
        text = table.to_csv(sep="\t" if name.endswith(".tsv") else ",", index=False)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    tree = tree_of_file(path, name)
    assert list(tree.numbers) == ["r", "r1", "r2"] and tree.parents.tolist() == [-1, 0, 0]


def test_a_forest_and_a_row_that_is_there_twice_are_no_mistake(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, "code,parent", "a,", "b,", "b1,b", "b1,b")
    assert tree.parents.tolist() == [-1, -1, 1]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["code,parent", "r,", "a,c", "b,a", "c,b"], "a -> c -> b -> a is a cycle. Give"),
        (["code,parent", "r,", "d,a", "a,a"], "a -> a is a cycle. Give"),
        (["code,parent", "a,b", "b,a"], "a -> b -> a is a cycle, and no code has an empty parent, which a root has"),
        (["code,parent", "r,", "q,", "a,r", "a,q"], "'a' has two parents, 'r' and 'q' (row 5)"),
        (["code,parent", "a,r", "b,s"], "the parents 'r' of 'a', 's' of 'b' have no row. Add"),
        (["code,parent", "r,", ",r"], "row 3 has no code"),
        (["code,parent"], "has no rows"),
        (["code,above", "a,r"], "needs the columns 'code' and 'parent'"),
    ],
)
def test_what_is_no_tree_is_refused_with_its_nodes(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(DataError) as refusal:
        tree_of(tmp_path, *lines)
    assert message in str(refusal.value) and str(refusal.value).startswith("data.tree=tree.csv")


def test_a_long_circle_is_shown_by_its_first_nodes(tmp_path: Path) -> None:
    lines = [f"n{node},n{(node + 1) % 50}" for node in range(50)]
    with pytest.raises(DataError, match=r"n0 -> n1 -> n2 -> n3 -> n4 -> \.\.\. -> n0 is a cycle"):
        tree_of(tmp_path, "code,parent", *lines)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_tree(DataSettings(source="files", codes="codes", tree=str(tmp_path / "none.csv")))


@pytest.mark.hub
def test_the_tree_of_a_hub_dataset_is_a_file_of_its_repository(tmp_path: Path) -> None:
    data = resolve(compose(["data=icd10-severity"])).data
    tree = read_tree(data)
    assert len(tree.numbers) == 21403
    assert codes_on(tree, tree.path(tree.numbers["A0100"]))[:3] == ["A010", "A01", "A00-A09"]
    with pytest.raises(DataError, match="neither a file here nor one of the dataset"):
        read_tree(replace(data, tree="graph/none.parquet"))
