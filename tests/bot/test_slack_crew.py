"""The threads that handle payloads: one as long as it keeps up, more while it waits."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator
from functools import partial

import pytest

from bot.slack.crew import Crew

LONG = 10.0
WHO: contextvars.ContextVar[str] = contextvars.ContextVar("WHO", default="nobody")


@pytest.fixture
async def eager() -> AsyncIterator[Crew]:
    """Three threads, of whom the next comes at once."""
    crew = Crew(3, patience_seconds=0.001)
    yield crew
    crew.close(waits=True)


async def test_one_thread_does_all_that_it_keeps_up_with():
    crew = Crew(8, patience_seconds=LONG)
    names = await asyncio.gather(*(crew.do(lambda: threading.current_thread().name) for _ in range(200)))
    assert len(set(names)) == 1
    crew.close(waits=True)


async def test_who_comes_behind_one_that_waits_is_helped_by_another(eager: Crew):
    gate = threading.Event()
    stuck = asyncio.create_task(eager.do(partial(gate.wait, LONG)))
    assert await asyncio.wait_for(asyncio.gather(*(eager.do(lambda: 7) for _ in range(20))), LONG) == [7] * 20
    assert not stuck.done()
    gate.set()
    assert await stuck


async def test_there_are_never_more_at_work_than_allowed(eager: Crew):
    gate, begun = threading.Event(), threading.Semaphore(0)

    def wait() -> int:
        begun.release()
        gate.wait(LONG)
        return threading.active_count()

    tasks = [asyncio.create_task(eager.do(wait)) for _ in range(9)]
    for _ in range(3):
        assert await asyncio.to_thread(begun.acquire, timeout=LONG)
    await asyncio.sleep(0.05)
    assert not begun.acquire(blocking=False), "a fourth thread"
    gate.set()
    assert len(await asyncio.gather(*tasks)) == 9


async def test_it_works_again_after_it_had_nothing_to_do(eager: Crew):
    for number in range(20):
        assert await eager.do(lambda number=number: number) == number
        await asyncio.sleep(0)


async def test_an_error_reaches_who_asked_and_nobody_else(eager: Crew):
    def fail() -> int:
        raise LookupError("mine")

    answers = await asyncio.gather(eager.do(lambda: 1), eager.do(fail), eager.do(lambda: 2), return_exceptions=True)
    assert [answers[0], answers[2]] == [1, 2]
    assert isinstance(answers[1], LookupError)


async def test_work_is_done_in_the_context_of_who_asked(eager: Crew):
    async def ask(name: str) -> str:
        WHO.set(name)
        return await eager.do(WHO.get)

    assert await asyncio.gather(*(ask(name) for name in "abc")) == ["a", "b", "c"]


async def test_nobody_minds_that_who_asked_has_gone(eager: Crew):
    gate = threading.Event()
    task = asyncio.create_task(eager.do(partial(gate.wait, LONG)))
    await asyncio.sleep(0.01)
    task.cancel()
    gate.set()
    assert await eager.do(lambda: 1) == 1
