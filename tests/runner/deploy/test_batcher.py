"""Questions that arrive during a batch form the next one; each gets its own result, or its own error."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from runner.deploy.batcher import Batcher, Busy


def test_questions_that_wait_form_one_batch_and_an_error_is_for_its_question_alone() -> None:
    batches: list[list[int]] = []
    go_on = threading.Event()

    def answer(questions: Sequence[int]) -> list[int | ValueError]:
        batches.append(list(questions))
        go_on.wait(10)
        return [ValueError("odd") if question % 2 else 10 * question for question in questions]

    async def ask_all() -> list[int | BaseException]:
        batcher: Batcher[int, int] = Batcher(answer, lambda question: 1, lambda question: 1, batch_size=4, most=8)
        first = asyncio.create_task(batcher.ask(0))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(batcher.ask(question)) for question in (1, 2, 4)]
        await asyncio.sleep(0.05)
        go_on.set()
        return await asyncio.gather(first, *others, return_exceptions=True)

    found = asyncio.run(ask_all())
    assert batches == [[0], [1, 2, 4]]
    assert [found[0], *found[2:]] == [0, 20, 40] and isinstance(found[1], ValueError)


def test_a_full_queue_refuses_but_a_single_large_question_is_answered() -> None:
    def answer(questions: Sequence[int]) -> Sequence[int]:
        return questions

    async def ask_all() -> int:
        batcher: Batcher[int, int] = Batcher(
            answer, lambda question: question, lambda question: 1, batch_size=2, most=3
        )
        first = asyncio.create_task(batcher.ask(100))
        waiting = asyncio.create_task(batcher.ask(3))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await batcher.ask(3)
        await asyncio.gather(first, waiting, return_exceptions=True)
        return int(await batcher.ask(100))

    assert asyncio.run(ask_all()) == 100


def test_a_short_text_does_not_wait_for_a_long_one_that_came_after_it() -> None:
    batches: list[list[int]] = []
    go_on = threading.Event()

    def answer(questions: Sequence[int]) -> Sequence[int]:
        batches.append(list(questions))
        go_on.wait(10)
        return questions

    async def ask_all() -> list[int]:
        batcher: Batcher[int, int] = Batcher(answer, lambda question: 1, abs, batch_size=3, most=9)
        first = asyncio.create_task(batcher.ask(1))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(batcher.ask(length)) for length in (150, 2000, 20, 3900, 30, 40, 5000)]
        await asyncio.sleep(0.05)
        go_on.set()
        return await asyncio.gather(first, *others)

    assert asyncio.run(ask_all()) == [1, 150, 2000, 20, 3900, 30, 40, 5000]
    assert batches == [[1], [150, 20, 30], [2000, 3900], [40], [5000]], "the oldest text leads, three at most"
