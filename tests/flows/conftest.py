"""One stage for all tests of a module: each test makes its own customer on it, and finds it without notes and forms."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from rules.delivery.outbox import Pace
from tests.flows.flow_stage import Stage, open_stage

# As in production, in a smaller scale: the settle time is longer than a request takes to land.
QUICK = Pace(lease=4.0, settle=0.4, spacing=0.02, poll=0.05, timeout=0.3, sweep=1.0)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def standing_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The stage with its clock at Monday noon and delivery in a hurry."""
    async with open_stage(tmp_path_factory.mktemp("stage"), pace=QUICK) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def stage(standing_stage: Stage) -> Stage:
    """The module's stage, tidied up."""
    core = standing_stage.slack.core
    core.workspace.ephemerals.clear()
    core.shelf.stacks.clear()
    core.faults.clear()
    return standing_stage
