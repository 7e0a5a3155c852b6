"""Many accounts' health at a glance, on both databases: bands counted, falls and lows ranked."""

from __future__ import annotations

from datetime import date, timedelta

from rules.records import AccountState, Band, Role
from storage.accounts.accounts import AccountRow
from storage.db import Tx
from storage.health.health import find_latest, save_scores
from storage.health.portfolio import count_bands, find_score_day, find_score_day_before, list_falls, list_lowest
from storage.people.members import add_by_slack_id
from tests.conftest import NOW

DAY = NOW.date()
SINCE = DAY - timedelta(14)


def add(tx: Tx, name: str, scores: dict[date, float | None], band: Band, **more: object) -> None:
    tx.session.add(AccountRow(id=name, workspace_id=tx.workspace_id, slug=name, name=name, created_at=NOW, **more))
    tx.session.flush()
    values = {"coverage": 1.0, "capped_by": "", "model": "default-1", "factors": {}, "band": band}
    save_scores(tx, [{"account_id": name, "day": day, "score": score, **values} for day, score in scores.items()])


def test_bands_falls_and_lows(tx: Tx):
    owner = add_by_slack_id(tx, "U0000001", role=Role.CSM, zone="UTC", locale="en-US").id
    add(tx, "steep", {SINCE: 90, DAY: 30}, Band.RED, owner_id=owner)
    add(tx, "mild", {SINCE: 60, DAY: 58.9}, Band.YELLOW)
    add(tx, "flat", {SINCE: 60, DAY: 59.5}, Band.YELLOW, owner_id=owner)
    add(tx, "low", {DAY: 12}, Band.RED)
    add(tx, "dark", {SINCE: 80, DAY: None}, Band.UNKNOWN)
    add(tx, "old", {SINCE: 80}, Band.GREEN)
    add(tx, "lost", {SINCE: 90, DAY: 1}, Band.RED, state=AccountState.LOST)
    add(tx, "archived", {SINCE: 90, DAY: 1}, Band.RED, archived_at=NOW)

    assert count_bands(tx, DAY) == {Band.RED: 2, Band.YELLOW: 2, Band.GREEN: 0, Band.UNKNOWN: 2}
    assert count_bands(tx, DAY, owner) == {Band.RED: 1, Band.YELLOW: 1, Band.GREEN: 0, Band.UNKNOWN: 0}
    falls = list_falls(tx, DAY, SINCE)
    assert [(each.account.name, each.before, each.score) for each in falls] == [("steep", 90, 30), ("mild", 60, 58.9)]
    assert [each.account.name for each in list_falls(tx, DAY, SINCE, limit=1)] == ["steep"]
    assert [each.account.name for each in list_lowest(tx, DAY)] == ["low", "steep"]
    assert [each.account.name for each in list_lowest(tx, DAY, owner)] == ["steep"]


def test_the_days_that_were_scored(tx: Tx):
    assert find_score_day(tx, DAY) is None
    add(tx, "a", {DAY - timedelta(1): 50, DAY - timedelta(20): 60, DAY + timedelta(3): 1}, Band.YELLOW)
    assert find_score_day(tx, DAY) == DAY - timedelta(1)
    assert find_score_day_before(tx, DAY - timedelta(1), 14) == DAY - timedelta(20)
    assert find_score_day_before(tx, DAY - timedelta(1), 7) is None


def test_saving_a_day_again_replaces_it(tx: Tx):
    add(tx, "a", {DAY: 50}, Band.YELLOW)
    values = {"coverage": 0.8, "capped_by": "notice", "model": "mine", "factors": {"trend": {"x": 1.0}}}
    values["present"] = "{}"
    assert save_scores(tx, [{"account_id": "a", "day": DAY, "score": 40.0, "band": Band.RED, **values}]) == 1
    assert save_scores(tx, []) == 0
    row = find_latest(tx, "a", DAY)
    assert row is not None
    assert row.model_dump(exclude={"workspace_id"}) == {
        "account_id": "a",
        "day": DAY,
        "score": 40.0,
        "band": Band.RED,
        **values,
    }
