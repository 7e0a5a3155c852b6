"""The scan over rows made by hand: what opens, what closes, who is told, and how often the database is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import select

from pipeline import scan, wake
from rules.delivery.channels import Sharing
from rules.records import AlertKind, EpisodeState, Severity
from storage.accounts.accounts import get_account
from storage.alerts.alerts import EpisodeRow, list_history
from storage.alerts.conditions import list_conditions
from storage.db import Database
from storage.people.workspaces import get_workspace
from tests.alert_rows import TODAY, add_account, add_member, add_scores, add_use, list_outbox, steady
from tests.channel_rows import know_channels
from tests.conftest import NOW, add_workspace

DAY = timedelta(days=1)


def at(day: date) -> datetime:
    """Nine o'clock of that day."""
    return NOW + (day - TODAY)


def episodes(database: Database, workspace_id: str) -> list[EpisodeRow]:
    with database.reading(workspace_id) as tx:
        return sorted(tx.session.exec(select(EpisodeRow)).all(), key=lambda row: (row.account_id, row.kind))


def add_fallen(database: Database, workspace_id: str, names: list[str], to: float = 60, **more: str) -> None:
    """Accounts at 90 for weeks, scanned once, that fall today and stay there."""
    with database.writing(workspace_id) as tx:
        for name in names:
            add_account(tx, name, **more)
            add_scores(tx, name, steady(TODAY - DAY, 90) | {TODAY + offset * DAY: to for offset in range(5)})
    scan.run(database, workspace_id, at(TODAY - DAY))


def test_a_drop_is_an_alert_on_its_second_day(database: Database, workspace_id: str):
    add_fallen(database, workspace_id, ["acme"])
    assert scan.run(database, workspace_id, at(TODAY)).counts["accounts"] == 1
    assert episodes(database, workspace_id) == []
    report = scan.run(database, workspace_id, at(TODAY + DAY))
    [row] = episodes(database, workspace_id)
    assert (row.kind, row.severity, row.state, row.level) == ("health_drop", "high", "open", pytest.approx(30))
    assert (row.facts["before"], row.facts["after"], row.facts["days"]) == (90, 60, 2)
    assert report.counts == {"accounts": 1, "opened": 1, "announced": 1, "messages": 1, "without_channel": 0}
    [post] = list_outbox(database, workspace_id)
    assert (post.kind, post.reference, post.channel) == ("alert", row.id, "C0000001")
    assert post.dedupe_key == f"alert:{row.id}:1"


def test_scanning_again_on_the_same_day_changes_nothing(database: Database, workspace_id: str):
    add_fallen(database, workspace_id, ["acme"])
    for _again in range(3):
        scan.run(database, workspace_id, at(TODAY))
    assert episodes(database, workspace_id) == []
    for _again in range(3):
        scan.run(database, workspace_id, at(TODAY + DAY))
    [row] = episodes(database, workspace_id)
    assert row.version == 1
    assert len(list_outbox(database, workspace_id)) == 1


def test_a_missed_day_is_no_observation(database: Database, workspace_id: str):
    add_fallen(database, workspace_id, ["acme"])
    scan.run(database, workspace_id, at(TODAY))
    scan.run(database, workspace_id, at(TODAY + 3 * DAY))
    assert len(episodes(database, workspace_id)) == 1


def test_two_good_days_resolve_by_editing_the_message(database: Database, workspace_id: str):
    add_fallen(database, workspace_id, ["acme"])
    with database.writing(workspace_id) as tx:
        add_scores(tx, "acme", {TODAY + 2 * DAY: 88, TODAY + 3 * DAY: 88})
    for offset in range(3):
        scan.run(database, workspace_id, at(TODAY + offset * DAY))
    [row] = episodes(database, workspace_id)
    assert row.state is EpisodeState.OPEN
    mark_sent(database, workspace_id)
    scan.run(database, workspace_id, at(TODAY + 3 * DAY))
    [row] = episodes(database, workspace_id)
    assert (row.state, row.closed_by, row.close_reason) == (EpisodeState.RESOLVED, None, "recovered")
    _post, edit = list_outbox(database, workspace_id)
    assert (edit.kind, edit.is_update, edit.priority) == ("alert", True, 0)


def mark_sent(database: Database, workspace_id: str) -> None:
    """As delivery leaves the rows."""
    with database.writing(workspace_id) as tx:
        for row in list_outbox(database, workspace_id):
            row.state, row.posted_channel, row.slack_ts = "sent", row.channel, f"1.{row.seq}"
            tx.session.merge(row)


def test_one_bad_day_is_no_alert(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        add_account(tx, "acme")
        add_scores(tx, "acme", steady(TODAY - DAY, 90) | {TODAY: 60, TODAY + DAY: 90, TODAY + 2 * DAY: 60})
    for offset in range(-1, 3):
        scan.run(database, workspace_id, at(TODAY + offset * DAY))
    assert episodes(database, workspace_id) == []


def test_into_red_is_one_critical_alert(database: Database, workspace_id: str):
    add_fallen(database, workspace_id, ["acme"], to=30)
    for offset in range(4):
        scan.run(database, workspace_id, at(TODAY + offset * DAY))
    [row] = episodes(database, workspace_id)
    assert (row.kind, row.severity) == (AlertKind.HEALTH_DROP, Severity.CRITICAL)
    with database.reading(workspace_id) as tx:
        assert list_conditions(tx, ["acme"])["acme"][AlertKind.HEALTH_RED, ""].is_on


def test_the_first_scan_opens_into_one_summary(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        for name in ("acme", "bolt", "calm"):
            add_account(tx, name)
            add_scores(tx, name, steady(TODAY, 90 if name == "calm" else 30))
    scan.run(database, workspace_id, NOW)
    found = episodes(database, workspace_id)
    assert [(row.account_id, row.kind, row.batch) for row in found] == [
        ("acme", "health_red", "first"),
        ("bolt", "health_red", "first"),
    ]
    [post] = list_outbox(database, workspace_id)
    assert (post.kind, {row.summary_id for row in found}) == ("alert_summary", {post.reference})


def test_what_a_single_first_score_begins_is_told_next_day_and_alone(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        add_account(tx, "acme")
        add_scores(tx, "acme", {TODAY: 30, TODAY + DAY: 30})
    scan.run(database, workspace_id, at(TODAY))
    assert episodes(database, workspace_id) == []
    scan.run(database, workspace_id, at(TODAY + DAY))
    assert [row.kind for row in list_outbox(database, workspace_id)] == ["alert"]


@pytest.mark.parametrize(("count", "kinds"), [(5, ["alert"] * 5), (6, ["alert_summary"])])
def test_more_than_five_of_one_run_become_a_summary(
    database: Database, workspace_id: str, count: int, kinds: list[str]
):
    add_fallen(database, workspace_id, [f"a{each}" for each in range(count)])
    scan.run(database, workspace_id, at(TODAY))
    scan.run(database, workspace_id, at(TODAY + DAY))
    assert len(episodes(database, workspace_id)) == count
    assert [row.kind for row in list_outbox(database, workspace_id)] == kinds


def test_a_country_that_drops_together_is_a_season(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        for each in range(9):
            add_account(tx, f"calm{each}", country="DE")
            add_scores(tx, f"calm{each}", steady(TODAY + 3 * DAY, 90))
    add_fallen(database, workspace_id, ["a1", "a2", "a3", "a4"], country="DE")
    add_fallen(database, workspace_id, ["fr"], country="FR")
    scan.run(database, workspace_id, at(TODAY))
    report = scan.run(database, workspace_id, at(TODAY + DAY))
    batches = {row.account_id: row.batch for row in episodes(database, workspace_id)}
    assert batches == {"a1": "season:DE", "a2": "season:DE", "a3": "season:DE", "a4": "season:DE", "fr": ""}
    assert sorted(row.kind for row in list_outbox(database, workspace_id)) == ["alert", "alert_summary"]
    assert report.lines == ("4 of 13 accounts in DE dropped together: told of in one summary.",)


LAST_USE = date(2026, 2, 17)


def add_silent(database: Database, workspace_id: str, *, feed_until: date) -> None:
    """One account whose use ended, beside one that is used on every day until the feed ends."""
    with database.writing(workspace_id) as tx:
        for name, until in (("silent", LAST_USE), ("busy", feed_until)):
            add_account(tx, name)
            add_use(tx, name, [until - each * DAY for each in range(40)])


def test_silence_while_the_feed_runs(database: Database, workspace_id: str):
    add_silent(database, workspace_id, feed_until=TODAY - DAY)
    scan.run(database, workspace_id, NOW)
    [row] = episodes(database, workspace_id)
    assert (row.account_id, row.kind, row.facts["last_use"]) == ("silent", "silence", "2026-02-17")


def test_a_feed_that_stopped_is_no_silence(database: Database, workspace_id: str):
    add_silent(database, workspace_id, feed_until=LAST_USE + 8 * DAY)
    report = scan.run(database, workspace_id, NOW)
    assert episodes(database, workspace_id) == []
    assert any("feed stopped on 2026-02-25" in line for line in report.lines)


def test_silence_ends_with_use(database: Database, workspace_id: str):
    add_silent(database, workspace_id, feed_until=TODAY + DAY)
    scan.run(database, workspace_id, NOW)
    with database.writing(workspace_id) as tx:
        add_use(tx, "silent", [TODAY])
    scan.run(database, workspace_id, at(TODAY + DAY))
    [row] = episodes(database, workspace_id)
    assert row.state is EpisodeState.RESOLVED


def test_without_scores_the_conditions_freeze(database: Database, workspace_id: str):
    add_fallen(database, workspace_id, ["acme"])
    scan.run(database, workspace_id, at(TODAY))
    scan.run(database, workspace_id, at(TODAY + DAY))
    report = scan.run(database, workspace_id, at(TODAY + 20 * DAY))
    [row] = episodes(database, workspace_id)
    assert row.state is EpisodeState.OPEN
    assert any("Run the job `score` first" in line for line in report.lines)


def test_alerts_of_a_lost_account_are_closed(database: Database, workspace_id: str):
    add_fallen(database, workspace_id, ["acme"])
    for offset in range(2):
        scan.run(database, workspace_id, at(TODAY + offset * DAY))
    with database.writing(workspace_id) as tx:
        account = get_account(tx, "acme")
        account.archived_at = NOW
        tx.session.add(account)
    scan.run(database, workspace_id, at(TODAY + 2 * DAY))
    [row] = episodes(database, workspace_id)
    assert (row.state, row.close_reason) == (EpisodeState.RESOLVED, "account_gone")


@pytest.mark.parametrize(
    ("own", "team", "installer", "owner", "expected"),
    [
        ("C_OWN", "C_TEAM", "U_INST", "U_OWNER", ["C_OWN"]),
        ("C_BOTH", "C_TEAM", "U_INST", "U_OWNER", ["C_TEAM"]),
        ("C_BOTH", "", "U_INST", "U_OWNER", ["U_OWNER"]),
        ("C_NOBODY_LOOKED", "C_TEAM", "U_INST", "U_OWNER", ["C_TEAM"]),
        ("C_BOTH", "C_BOTH", "U_INST", "U_OWNER", ["U_OWNER"]),
        ("", "C_BOTH", "U_INST", "", ["U_INST"]),
        ("", "C_TEAM", "U_INST", "U_OWNER", ["C_TEAM"]),
        ("", "", "U_INST", "U_OWNER", ["U_OWNER"]),
        ("", "", "U_INST", "", ["U_INST"]),
        ("", "", "", "", []),
    ],
)
def test_where_alerts_go(  # the table's columns
    database: Database, workspace_id: str, own: str, team: str, installer: str, owner: str, expected: list[str]
):
    with database.writing(workspace_id) as tx:
        workspace = get_workspace(tx)
        workspace.team_channel_id, workspace.installer_id = team, installer
        tx.session.add(workspace)
        owner_id = add_member(tx, owner).id if owner else None
        add_account(tx, "acme", channel_id=own, owner_id=owner_id)
        know_channels(tx, "C_OWN")
        know_channels(tx, "C_BOTH", sharing=Sharing.SHARED)
        add_scores(tx, "acme", steady(TODAY - DAY, 90) | {TODAY: 60, TODAY + DAY: 60})
    for offset in range(-1, 2):
        report = scan.run(database, workspace_id, at(TODAY + offset * DAY))
    assert [row.channel for row in list_outbox(database, workspace_id)] == expected
    [row] = episodes(database, workspace_id)
    assert (row.announced_at is None) == (not expected)
    assert report.counts["without_channel"] == (not expected)


@contextmanager
def count_statements(database: Database) -> Iterator[list[str]]:
    """The SQL sent while the block runs."""
    sent: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    engines = {id(each): each for each in (database._writer, database._reader)}.values()
    for engine in engines:
        event.listen(engine, "before_cursor_execute", listen)
    try:
        yield sent
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", listen)


def test_the_number_of_queries_does_not_depend_on_the_number_of_accounts_of_a_page(sqlite_database: Database):
    workspace_id = add_workspace(sqlite_database)
    counts = []
    for step, more in enumerate((3, 15)):
        with sqlite_database.writing(workspace_id) as tx:
            for each in range(more):
                name = f"s{step}-{each}"
                add_account(tx, name)
                add_scores(tx, name, steady(TODAY, 90) | {TODAY + DAY: 30, TODAY + 2 * DAY: 30})
                add_use(tx, name, [LAST_USE - each * DAY for each in range(20)])
        scan.run(sqlite_database, workspace_id, at(TODAY + step * DAY))
        with count_statements(sqlite_database) as sent:
            scan.run(sqlite_database, workspace_id, at(TODAY + step * DAY) + timedelta(hours=1))
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_a_snooze_ends_in_open_or_resolved(database: Database, workspace_id: str):
    add_fallen(database, workspace_id, ["acme"])
    for offset in range(2):
        scan.run(database, workspace_id, at(TODAY + offset * DAY))
    mark_sent(database, workspace_id)
    until = at(TODAY + 2 * DAY)
    with database.writing(workspace_id) as tx:
        [row] = tx.session.exec(select(EpisodeRow)).all()
        row.state, row.snoozed_until = EpisodeState.SNOOZED, until
        tx.session.add(row)
    assert wake.run(database, workspace_id, until - timedelta(minutes=1)).counts == {}
    assert wake.run(database, workspace_id, until).counts == {"woke": 1}
    assert wake.run(database, workspace_id, until).counts == {}
    [row] = episodes(database, workspace_id)
    assert (row.state, row.epoch, row.snoozed_until) == (EpisodeState.OPEN, 2, None)
    with database.reading(workspace_id) as tx:
        assert [line.verb for line in list_history(tx, row.id)] == ["opened", "woke"]
    assert [(each.kind, each.is_update) for each in list_outbox(database, workspace_id)] == [
        ("alert", False),
        ("alert", True),
        ("alert_event", False),
    ]
