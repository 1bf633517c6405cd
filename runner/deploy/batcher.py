"""Micro-batching: requests that arrive while one batch is computed form the next batch.

No request waits for others: a single one is computed at once, and under load batches fill by themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

SHORT = 200  # characters of a text, some 50 tokens
Question = TypeVar("Question")
Result = TypeVar("Result")


class Busy(RuntimeError):
    """More requests wait than can be answered in reasonable time."""


class Batcher(Generic[Question, Result]):
    """Collects questions and answers them on one thread, the only one that uses the model.

    answer: returns one result for each question, or an exception in its place. size_of: the rows of a question.
    length_of: of its longest row; the rows of a batch are of similar length, as all wait for the longest.
    batch_size: rows in a batch; a larger question is a batch of its own. most: rows that may wait.
    """

    def __init__(
        self, answer: Callable[[Sequence[Question]], Sequence[Result | Exception]], size_of: Callable[[Question], int],
        length_of: Callable[[Question], int], *, batch_size: int, most: int,
    ) -> None:  # fmt: skip
        self.answer, self.size_of, self.length_of = answer, size_of, length_of
        self.batch_size, self.most = batch_size, most
        self._waiting: list[tuple[Question, asyncio.Future[Result]]] = []
        self._rows = 0
        self._thread = ThreadPoolExecutor(1)
        self._worker: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """The number of waiting rows."""
        return self._rows

    async def ask(self, question: Question) -> Result:
        """Return the result for a question; raise Busy, or the result if it is an exception."""
        if self._rows and self._rows + self.size_of(question) > self.most:
            raise Busy
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        self._rows += self.size_of(question)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        """Answer questions until none is waiting."""
        loop = asyncio.get_running_loop()
        while batch := self._next():
            questions = [question for question, _ in batch]
            try:
                results = await loop.run_in_executor(self._thread, self.answer, questions)
            except Exception as error:  # goes to everyone in the batch; the server goes on
                results = [error] * len(batch)
            for (_, future), result in zip(batch, results):
                if future.done():  # the client has disconnected
                    continue
                if isinstance(result, BaseException):
                    future.set_exception(result)
                else:
                    future.set_result(result)

    def _next(self) -> list[tuple[Question, asyncio.Future[Result]]]:
        """Take the oldest waiting question, and others of about its length, up to batch_size rows in all."""
        found, left, rows = list[tuple[Question, asyncio.Future[Result]]](), [], 0
        for question, future in self._waiting:
            fits = rows + self.size_of(question) <= self.batch_size
            if not found or (fits and is_alike(self.length_of(question), self.length_of(found[0][0]))):
                found.append((question, future))
                rows += self.size_of(question)
            else:
                left.append((question, future))
        self._waiting = left
        self._rows -= rows
        return found


def is_alike(length: int, other: int) -> bool:
    """Do rows of these lengths take about the same time? Below SHORT all do: costs independent of length dominate."""
    shorter, longer = sorted((max(length, SHORT), max(other, SHORT)))
    return longer <= 2 * shorter
