"""What the database counts for the ledger is what a plain calculation makes of the same alerts, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.alerts.alerts import ACCOUNT_GONE, RECOVERED
from rules.alerts.ledger import draw_up, sum_up
from rules.people.working_time import WorkingTime
from rules.records import AlertKind, DismissReason, EpisodeState
from storage.alerts.alerts import AlertEventRow
from storage.alerts.ledger import count_alerts
from storage.alerts.ledger_waits import measure_waits
from storage.db import Tx
from tests import ledger_model
from tests.alert_rows import add_account, add_episode, add_member
from tests.conftest import NOW
from tests.ledger_model import Record

UNTIL, SINCE = NOW, NOW - timedelta(days=90)
KINDS = [AlertKind.HEALTH_DROP, AlertKind.SILENCE, AlertKind.TARGET_BEHIND]
PEOPLE = ("m-UANN", "m-UBOB", "m-UGONE")
TIMES = {
    "m-UANN": WorkingTime("Asia/Tokyo", time(22), time(6), country="JP"),
    "m-UBOB": WorkingTime("America/New_York"),
}
"""Of the third, who left, no times are known."""
DEEDS = {"taken", "resolved", "cleared"}
ANSWERS = ["taken", "snoozed", "assigned", "resolved", "dismissed", "cleared"]
ACTORS = [*(("member", each) for each in PEOPLE), ("job", "scan")]
EXAMPLES = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
_numbers = count()
LATER = st.integers(0, 6 * 24 * 4).map(lambda quarters: quarters * timedelta(minutes=15, microseconds=1))
OPENED = st.one_of(
    st.datetimes((SINCE - timedelta(days=1)).replace(tzinfo=None), UNTIL.replace(tzinfo=None)),
    st.sampled_from([SINCE, UNTIL - timedelta(days=7), UNTIL]).map(lambda each: each.replace(tzinfo=None)),
).map(lambda each: each.replace(tzinfo=NOW.tzinfo))
Line = tuple[str, tuple[str, str], timedelta]


@st.composite
def alerts(draw: st.DrawFn) -> tuple[dict[str, Any], Sequence[Line]]:
    """The columns of an alert, and its history: verb, actor, how long after it was opened."""
    state, opened = draw(st.sampled_from(list(EpisodeState))), draw(OPENED)
    is_closed = state in (EpisodeState.RESOLVED, EpisodeState.DISMISSED)
    is_by_person = state is EpisodeState.DISMISSED or (is_closed and draw(st.booleans()))
    reasons = [each.value for each in DismissReason] if state is EpisodeState.DISMISSED else [ACCOUNT_GONE, RECOVERED]
    columns = {
        "kind": draw(st.sampled_from(KINDS)),
        "state": state,
        "opened_at": opened,
        "announced_at": draw(st.sampled_from([None, opened, opened]) | LATER.map(lambda later: opened + later)),
        "closed_at": opened + draw(LATER) if is_closed else None,
        "closed_by": PEOPLE[0] if is_by_person else None,
        "close_reason": draw(st.sampled_from(reasons)) if is_closed else "",
    }
    lines = st.tuples(st.sampled_from([*ANSWERS, "opened", "escalated"]), st.sampled_from(ACTORS), LATER)
    return columns, draw(st.lists(lines, max_size=4))


def store(tx: Tx, account_id: str, columns: dict[str, Any], lines: Sequence[Line]) -> Record:
    """Write an alert down; returns it as the model sees it."""
    row = add_episode(tx, account_id, subject=str(next(_numbers)), **columns)
    answers = []
    for verb, (kind, actor), later in lines:
        at = row.opened_at + later
        named = {"actor_kind": kind, "actor_id": actor, "verb": verb, "at": at}
        event = AlertEventRow(workspace_id=tx.workspace_id, episode_id=row.id, **named)
        tx.session.add(event)
        if kind == "member" and verb in ANSWERS and at <= UNTIL:
            answers.append((at, event.id, actor, verb in DEEDS))
    first: tuple[datetime | None, str, str, bool] = min(answers, default=(None, "", "", False))
    is_settled = row.state is EpisodeState.RESOLVED and row.closed_by is not None
    return Record(
        row.kind,
        row.state,
        row.opened_at,
        row.close_reason,
        is_acted=is_settled or any(is_deed for *_, is_deed in answers),
        is_closed_by_person=row.closed_by is not None,
        told_at=row.announced_at,
        answered_at=first[0],
        answered_by=first[2],
    )


@pytest.fixture
def company(tx: Tx) -> Tx:
    """The people whose ids histories name, and one account."""
    for each in PEOPLE:
        add_member(tx, each.removeprefix("m-"))
    add_account(tx, "acme")
    return tx


@EXAMPLES
@given(st.lists(alerts(), max_size=25))
def test_the_database_counts_as_one_would_by_hand(company: Tx, found: list[tuple[dict[str, Any], Sequence[Line]]]):
    with company.session.begin_nested() as savepoint:
        records = [store(company, "acme", *each) for each in found]
        company.session.flush()
        records = [each for each in records if SINCE <= each.opened_at < UNTIL]
        counted, waits = count_alerts(company, SINCE, UNTIL), measure_waits(company, SINCE, UNTIL, TIMES)
        assert draw_up(counted, waits) == ledger_model.draw_up(records, TIMES, UNTIL)
        assert sum_up(counted, waits) == ledger_model.sum_up(records, TIMES, UNTIL)
        savepoint.rollback()
    company.session.expunge_all()
