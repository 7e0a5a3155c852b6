"""Pages of where accounts stand: the order, the counts and who is stuck are what the rules say of each one."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.records import MilestoneState
from rules.success.journeys import Pace
from storage.db import Tx
from storage.success.journey_lists import Standing, list_standings
from storage.success.journeys import JourneyRow, JourneyStageRow, MilestoneRow
from tests.alert_rows import TODAY, add_account, add_member
from tests.conftest import NOW

DAY = timedelta(days=1)
AGO = st.sampled_from([-1, 0, 1, 7, 14, 15, 22, 29, 30, 31, 37, 38, 100]).map(lambda days: TODAY - days * DAY)
MILESTONES = st.tuples(
    st.sampled_from(["s1", "s2"]),
    AGO,
    st.sampled_from([MilestoneState.OPEN, MilestoneState.OPEN, MilestoneState.DONE]),
    AGO,
    st.sampled_from([False, False, True]),
)
JOURNEYS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["Acme", "acme", "Zeta", "Ärger", "zoo"]),
        "owner_id": st.sampled_from(["m-U1", None]),
        "since": AGO,
        "planned": st.sampled_from([None, 0, 7, 14, 30, 90]),
        "milestones": st.lists(MILESTONES, max_size=4),
        "is_closed": st.sampled_from([False, False, False, True]),
    }
)
EXAMPLES = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
_numbers = count()


def store(
    tx: Tx, *, name: str, owner_id: str | None, since: date, planned: int | None, milestones: Any, is_closed: bool
) -> Standing | None:
    """An account on its journey; returns where it stands as the rules have it."""
    account = add_account(tx, f"a{next(_numbers):05}", owner_id=owner_id)
    account.name = name
    of: dict[str, Any] = {"workspace_id": tx.workspace_id}
    named = {"template_key": "t", "name": "T", "started_on": since, "stage_key": "s1", "stage_since": since}
    closed_at = NOW if is_closed else None
    journey = JourneyRow(**of, account_id=account.id, **named, created_at=NOW, closed_at=closed_at)
    tx.session.add(journey)
    tx.session.flush()
    for at, key in enumerate(("s1", "s2")):
        days = planned if key == "s1" else 1
        tx.session.add(JourneyStageRow(**of, journey_id=journey.id, key=key, position=at, name=key, planned_days=days))
    for key, due_on, state, settled_on, is_removed in milestones:
        mine = {"stage_key": key, "name": key, "due_on": due_on, "planned_on": due_on, "state": state}
        mine |= {"settled_on": settled_on if state is MilestoneState.DONE else None}
        gone = {"created_at": NOW, "removed_at": NOW if is_removed else None}
        tx.session.add(MilestoneRow(**of, account_id=account.id, journey_id=journey.id, **mine, **gone))
    tx.session.flush()
    there = [each[:4] for each in milestones if not each[4]]
    late = [key for key, due_on, state, _on in there if state is MilestoneState.OPEN and due_on < TODAY]
    settled = max((on for *_, state, on in there if state is MilestoneState.DONE), default=None)
    pace = Pace(since, planned, late.count("s1"), settled if "s1" in late else None)
    return None if is_closed else Standing(account.id, name, "s1", pace, len(late))


@pytest.fixture
def team(tx: Tx) -> Tx:
    add_member(tx, "U1")
    return tx


@EXAMPLES
@given(st.lists(JOURNEYS, max_size=10))
def test_pages_are_the_whole_list_in_the_order_of_the_rules(team: Tx, journeys: list[dict[str, Any]]):
    with team.session.begin_nested() as savepoint:
        stored = [(each["owner_id"], store(team, **each)) for each in journeys]
        for owner_id in (None, "m-U1"):
            own = [each for owner, each in stored if each is not None and owner_id in (None, owner)]
            stuck = [each for each in own if each.pace.is_stuck(TODAY)]
            for wanted, is_stuck in ((own, False), (stuck, True)):
                wanted.sort(key=lambda one: (not one.pace.is_stuck(TODAY), -one.overdue, one.name, one.account_id))
                for offset in (0, 3, 6, 9):
                    page = list_standings(team, owner_id, TODAY, 3, offset, is_stuck=is_stuck)
                    assert page.rows == wanted[offset : offset + 3]
                    assert (page.total, page.stuck) == ((len(wanted), len(stuck)) if page.rows else (0, 0))
        savepoint.rollback()
    team.session.expunge_all()
