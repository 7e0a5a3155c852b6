"""One warm program for all tests of a module that need processes to stop and to kill."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.crash.forked import Forker, open_forker


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def forker() -> AsyncIterator[Forker]:
    async with open_forker() as opened:
        yield opened
