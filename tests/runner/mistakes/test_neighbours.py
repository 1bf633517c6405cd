"""Training rows near a text, and copies of it."""

from __future__ import annotations

from runner.mistakes.neighbours import near_copies, nearest

TRAIN = ["the parcel was late again", "my password does not work", "a refund for the invoice please", "!!"]


def test_the_nearest_rows_come_first_and_unrelated_ones_not_at_all() -> None:
    found = nearest(TRAIN, ["the invoice and the refund", "quite something else"])
    assert found[0][0].row == 2 and found[0][0].similarity > 0.3
    assert found[1] == []


def test_without_words_or_rows_there_are_no_neighbours() -> None:
    assert nearest(["!", "?"], ["a text"]) == [[]] == nearest([], ["a text"])
    assert len(near_copies([], ["a text"]).rows) == 0


def test_a_copy_with_one_word_changed_is_found() -> None:
    long = "the courier rang at the wrong door and left the whole parcel outside in the rain until monday"
    found = near_copies([*TRAIN, long], [long.replace("monday", "sunday"), "a text of its own"])
    assert found.rows.tolist() == [0] and found.train_rows.tolist() == [4]
    assert 0.7 <= found.similarity[0] < 1
    assert (found.looked_up, found.compared_with) == (2, 5)
