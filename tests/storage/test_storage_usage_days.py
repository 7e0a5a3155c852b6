"""Rolling usage up: any order and split of imports gives the same rows, and the windows a score looks at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise, product

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from rules.health.usage import DAILY, GAUGE_DAYS, WEEKLY, Gauge, Usage
from storage.accounts.accounts import AccountRow
from storage.db import Database, Tx
from storage.health.usage import UsageDayRow, UsageDirtyRow, insert_events
from storage.health.usage_days import (
    last_day,
    last_use,
    list_days,
    list_feed_days,
    list_gauge_keys,
    roll_up_dirty,
    use_spans,
)
from storage.health.usage_windows import list_usage
from storage.success.metrics import MetricRow, ensure_metric
from storage.types import new_id
from tests.conftest import NOW, add_workspace

DAY = date(2026, 3, 9)
Rolled = dict[tuple[str, date, str, str], float]


@dataclass(frozen=True)
class Event:
    account: str = "a1"
    ago: int = 0
    metric: str = "export"
    team: str = ""
    person: str = ""
    value: float = 1.0


def add_accounts(tx: Tx, *ids: str) -> None:
    for each in ids:
        row = AccountRow(id=each, workspace_id=tx.workspace_id, slug=each, name=each.upper(), created_at=NOW)
        tx.session.add(row)
    tx.session.flush()


def add_events(tx: Tx, events: Iterable[tuple[object, Event]]) -> None:
    insert_events(
        tx,
        [
            {
                "source": "test",
                "message_id": str(number),
                "account_id": each.account,
                "team": each.team,
                "metric_key": each.metric,
                "person": each.person,
                "day": DAY - timedelta(each.ago),
                "value": each.value,
            }
            for number, each in events
        ],
    )


def roll_up(tx: Tx, *events: Event, limit: int = 1000) -> Rolled:
    add_events(tx, enumerate(events))
    while roll_up_dirty(tx, limit):
        pass
    return read(tx)


def read(tx: Tx) -> Rolled:
    rows = tx.session.exec(select(UsageDayRow).where(UsageDayRow.workspace_id == tx.workspace_id)).all()
    tx.session.expire_all()
    return {(row.account_id, row.day, row.metric_key, row.team): row.value for row in rows}


def test_features_are_summed_and_gauges_are_not(tx: Tx):
    add_accounts(tx, "a1")
    tx.session.add(MetricRow(workspace_id=tx.workspace_id, key="admins", name="Admins", role="active_users"))
    rolled = roll_up(
        tx,
        Event(value=3),
        Event(value=4),
        Event(team="sales", value=5),
        Event(metric=DAILY, value=9),
        Event(metric=DAILY, value=7),
        Event(metric="admins", value=2),
        Event(metric="admins", value=2),
    )
    assert rolled == {
        ("a1", DAY, "export", ""): 7,
        ("a1", DAY, "export", "sales"): 5,
        ("a1", DAY, DAILY, ""): 9,
        ("a1", DAY, "admins", ""): 2,
    }


def test_persons_make_the_weekly_gauge_for_the_account_and_its_teams(tx: Tx):
    add_accounts(tx, "a1")
    rolled = roll_up(
        tx,
        Event(ago=7, person="zoe", team="sales"),
        Event(ago=6, person="ann", team="sales"),
        Event(ago=6, person="ann", metric="share"),
        Event(ago=0, person="bob", team="sales"),
        Event(ago=0, person="cid"),
        Event(ago=0, person="dan", value=0),
    )
    weekly = {
        (ago, team): rolled.get(("a1", DAY - timedelta(ago), WEEKLY, team))
        for ago in (7, 6, 0)
        for team in ("", "sales")
    }
    assert weekly == {(7, ""): 1, (7, "sales"): 1, (6, ""): 2, (6, "sales"): 2, (0, ""): 3, (0, "sales"): 2}


def test_the_gauges_have_the_keys_that_an_import_makes_of_their_names(tx: Tx):
    names = ("weekly_active_users", "daily_active_users", "monthly_active_users")
    assert {ensure_metric(tx, name, role="active_users").key for name in names} == set(GAUGE_DAYS)


def test_a_weekly_gauge_that_was_sent_wins_over_persons(tx: Tx):
    add_accounts(tx, "a1")
    rolled = roll_up(tx, Event(person="ann"), Event(person="bob"), Event(metric=WEEKLY, value=40))
    assert rolled[("a1", DAY, WEEKLY, "")] == 40


EVENTS = st.builds(
    Event,
    account=st.sampled_from(["a1", "a2"]),
    ago=st.integers(0, 9),
    metric=st.sampled_from(["export", "share", WEEKLY, DAILY]),
    team=st.sampled_from(["", "sales"]),
    person=st.sampled_from(["", "ann", "bob"]),
    value=st.integers(0, 5).map(float),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EVENTS, max_size=25), st.integers(1, 4), st.data())
def test_any_order_and_split_of_imports_gives_the_same_rows(
    sqlite_tx: Tx, events: list[Event], limit: int, data: st.DataObject
):
    numbered = list(enumerate(events))
    shuffled = data.draw(st.permutations(numbered))
    cuts = data.draw(st.lists(st.integers(0, len(numbered)), max_size=4).map(sorted))
    accounts = Import(sqlite_tx)
    assert accounts.take(shuffled, cuts, limit) == expected_rows(events)
    assert accounts.take(numbered, [], limit) == expected_rows(events)  # sent again: nothing changes


def expected_rows(events: Sequence[Event]) -> Rolled:
    """The rows as the module describes them, one event at a time."""
    rows: Rolled = {}
    for each in events:
        key = (each.account, DAY - timedelta(each.ago), each.metric, each.team)
        is_gauge = each.metric in (WEEKLY, DAILY)
        rows[key] = max(rows.get(key, 0), each.value) if is_gauge else rows.get(key, 0) + each.value
    sent = {(account, day) for account, day, metric, _ in rows if metric == WEEKLY}
    for account, ago, team in product(("a1", "a2"), range(10), ("", "sales")):
        named = [each for each in events if each.person and each.value > 0 and each.account == account]
        week = {each.person for each in named if ago <= each.ago < ago + 7 and (not team or each.team == team)}
        is_active = any(each.ago == ago for each in named)
        if is_active and week and (account, DAY - timedelta(ago)) not in sent:
            rows[account, DAY - timedelta(ago), WEEKLY, team] = len(week)
    return rows


class Import:
    """The same events for accounts of its own, so that many imports fit into one transaction."""

    def __init__(self, tx: Tx) -> None:
        self.tx, self.prefix = tx, new_id()
        add_accounts(tx, f"{self.prefix}a1", f"{self.prefix}a2")

    def take(self, events: Sequence[tuple[int, Event]], cuts: Sequence[int], limit: int) -> Rolled:
        own = [(f"{self.prefix}{number}", replace(each, account=self.prefix + each.account)) for number, each in events]
        for start, end in pairwise([0, *cuts, len(own)]):
            add_events(self.tx, own[start:end])
            while roll_up_dirty(self.tx, limit):
                pass
        found = list_days(self.tx, [f"{self.prefix}a1", f"{self.prefix}a2"], date.min, date.max)
        self.tx.session.expunge_all()
        return {
            (account.removeprefix(self.prefix), row.day, row.metric_key, row.team): row.value
            for account, rows in found.items()
            for row in rows
        }


def test_a_page_is_no_larger_than_asked_and_clears_what_it_did(tx: Tx):
    add_accounts(tx, "a1", "a2")
    add_events(tx, enumerate([Event(), Event(ago=1), Event(account="a2")]))
    assert [roll_up_dirty(tx, 2), roll_up_dirty(tx, 2), roll_up_dirty(tx, 2)] == [2, 1, 0]
    assert tx.session.exec(select(UsageDirtyRow).where(UsageDirtyRow.workspace_id == tx.workspace_id)).all() == []


def test_another_workspace_keeps_its_rows(database: Database, workspace_id: str):
    other = add_workspace(database, "T0000002")
    with database.writing(other) as tx:
        add_accounts(tx, "b1")
        add_events(tx, enumerate([Event(account="b1")]))
    with database.writing(workspace_id) as tx:
        add_accounts(tx, "a1")
        assert roll_up(tx, Event()) == {("a1", DAY, "export", ""): 1}
        assert last_use(tx, ["b1"], DAY) == {}


def test_the_feed_and_the_span_of_use(tx: Tx):
    add_accounts(tx, "a1", "a2", "a3")
    assert last_day(tx, DAY) is None
    roll_up(tx, Event(ago=9), Event(ago=3), Event(account="a2", ago=1, value=0), Event(account="a2", ago=-5))
    assert last_day(tx, DAY) == DAY - timedelta(1)
    assert last_day(tx, DAY + timedelta(5)) == DAY + timedelta(5)
    assert list_feed_days(tx, DAY - timedelta(9), DAY) == [DAY - timedelta(ago) for ago in (9, 3, 1)]
    assert list_feed_days(tx, DAY, DAY - timedelta(1)) == []
    assert use_spans(tx, ["a1", "a2", "a3"], DAY) == {"a1": (DAY - timedelta(9), DAY - timedelta(3))}
    assert last_use(tx, ["a1"], DAY - timedelta(4)) == {"a1": DAY - timedelta(9)}


def test_days_are_listed_in_order(tx: Tx):
    add_accounts(tx, "a1", "a2")
    roll_up(tx, Event(), Event(ago=2), Event(ago=2, metric="share"), Event(account="a2", ago=40))
    found = list_days(tx, ["a1", "a2"], DAY - timedelta(7), DAY)
    assert {key: [(row.day, row.metric_key) for row in rows] for key, rows in found.items()} == {
        "a1": [(DAY - timedelta(2), "export"), (DAY - timedelta(2), "share"), (DAY, "export")]
    }


def test_use_in_windows_for_a_page(tx: Tx):
    add_accounts(tx, "a1", "a2", "a3")
    roll_up(
        tx,
        Event(ago=0, value=5),
        Event(ago=27, value=2, team="sales"),
        Event(ago=28, value=7),
        Event(ago=55, metric="share", value=1),
        Event(ago=56, value=100),
        Event(ago=-1, value=100),
        Event(ago=3, metric=DAILY, value=4, team="sales"),
        Event(ago=3, metric=DAILY, value=6, team="legal"),
        Event(ago=30, metric=DAILY, value=20, team=""),
        Event(ago=30, metric=DAILY, value=7, team="legal"),
        Event(account="a2", ago=90, metric=WEEKLY, value=3),
    )
    found = list_usage(tx, ["a1", "a2", "a3"], DAY, list_gauge_keys(tx))
    assert found["a1"] == Usage(
        first_use=DAY - timedelta(56),
        last_use=DAY,
        current={"export": 7, "share": 0},
        previous={"export": 7, "share": 1},
        active_days=6,
        gauges={DAILY: Gauge(DAY - timedelta(3), 10, 10, 10, 20)},
        is_gauged=True,
    )
    assert found["a2"] == Usage(DAY - timedelta(90), DAY - timedelta(90), is_gauged=True)
    assert found["a3"] == Usage()
