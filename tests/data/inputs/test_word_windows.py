"""Windows of long rows: every word is answered once, in order, by the window in which it is farthest from an edge."""

from __future__ import annotations

import numpy as np

from data.inputs.word_windows import Window, cut_windows


def starts_of(counts: list[int]) -> tuple[np.ndarray, int]:
    ends = np.cumsum(counts)
    return np.where(np.array(counts) > 0, ends - counts, -1), int(ends[-1]) if counts else 0


def test_a_row_that_fits_is_one_window() -> None:
    assert cut_windows(*starts_of([1, 2, 0, 3]), 6) == [Window(0, 6, 0, 4)]
    assert cut_windows(*starts_of([]), 6) == [Window(0, 0, 0, 0)]


def test_ten_words_in_windows_of_eight() -> None:
    # 0..7 and 2..9 share words 2 to 7: the first of two equally good windows answers.
    assert cut_windows(*starts_of([1] * 10), 8) == [Window(0, 8, 0, 5), Window(2, 10, 5, 10)]


def test_windows_cover_all_words_once_in_order_and_best() -> None:
    generator = np.random.default_rng(0)
    for _ in range(300):
        counts = generator.choice([0, 1, 1, 1, 2, 3, 5], size=generator.integers(1, 80)).tolist()
        room = int(generator.integers(6, 20))
        starts, tokens = starts_of(counts)
        windows = cut_windows(starts, tokens, room)
        assert [w.first for w in windows] == [0, *(w.last for w in windows[:-1])]
        assert windows[-1].last == len(counts)
        assert all(0 <= w.stop - w.start <= room for w in windows)
        assert (windows[0].start, windows[-1].stop) == (0, tokens)
        for window in windows:
            for word in range(window.first, window.last):
                if counts[word]:
                    assert window.start <= starts[word]
                    assert starts[word] + counts[word] <= window.stop, "words are whole"
                    best = max(margin(other, int(starts[word]), tokens) for other in windows)
                    assert margin(window, int(starts[word]), tokens) == best


def margin(window: Window, place: int, tokens: int) -> int:
    if not window.start <= place < window.stop:
        return -1
    left = tokens if window.start == 0 else place - window.start
    return min(left, tokens if window.stop == tokens else window.stop - 1 - place)


def test_a_word_longer_than_a_window_is_cut_and_answered_once() -> None:
    for counts in ([30], [2, 30, 2], [30, 1], [1, 30], [5, 30, 30, 5]):
        windows = cut_windows(*starts_of(counts), 8)
        answered = [word for w in windows for word in range(w.first, w.last)]
        assert answered == list(range(len(counts)))
        for window in windows:
            starts = starts_of(counts)[0][window.first : window.last]
            assert all(window.start <= start < window.stop for start in starts)
            assert window.stop - window.start <= 8


def test_a_word_without_tokens_goes_with_the_word_before() -> None:
    windows = cut_windows(*starts_of([0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0]), 5)
    assert sum(w.last - w.first for w in windows) == 13
    assert windows[0].first == 0
