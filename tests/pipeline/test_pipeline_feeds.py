"""Usage that stops coming: one notice to an admin, no customer called silent, and all as before once it comes again.

On both databases; the days are Mondays to Sundays of early 2026.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, event
from sqlmodel import select

from bot.doctor.workspace import check_work
from commands.health.feeds import render_stop_of
from pipeline import feeds, scan, score
from playground.blockkit.check import check_blocks
from rules.health.feeds import RETIRED_DAYS, ChangeStop, EndStop, OpenStop, Source, Stop, decide_stops
from rules.health.usage import FEED_DAYS
from rules.records import AlertKind, Role
from storage.alerts.alerts import EpisodeRow, list_open
from storage.alerts.conditions import list_conditions
from storage.audit import AuditRow
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow
from storage.health.feeds import STOPPED, FeedStopRow, find_unheard, list_sources
from storage.health.health import HealthScoreRow
from storage.health.usage import UsageEventRow
from storage.people.workspaces import get_workspace
from tests.alert_rows import add_account, add_member, list_outbox
from tests.conftest import NOW, add_workspace
from words.reader import Reader

TODAY, DAY = NOW.date(), timedelta(days=1)
NEAR, FAR = TODAY - DAY, TODAY - 150 * DAY


def use(tx: Tx, source: str, account_id: str, days: Sequence[date]) -> None:
    for day in days:
        tx.session.add(
            UsageEventRow(
                workspace_id=tx.workspace_id,
                source=source,
                message_id=f"{account_id}-{day}",
                account_id=account_id,
                metric_key="logins",
                day=day,
            )
        )
    tx.session.flush()


def daily(until: date, days: int = 70) -> list[date]:
    return [until - back * DAY for back in range(days)]


@pytest.fixture
def company(database: Database, workspace_id: str) -> str:
    """Two integrations: “app” for Acme and Globex, “api” for Initech and, with the app, Globex."""
    with database.writing(workspace_id) as tx:
        get_workspace(tx).installer_id = "U0INSTALL"
        for name in ("acme", "globex", "initech"):
            add_account(tx, name)
        use(tx, "app", "acme", daily(NEAR))
        use(tx, "app", "globex", daily(NEAR))
        use(tx, "api", "initech", daily(NEAR - 30 * DAY))
        use(tx, "api", "globex", daily(NEAR - 30 * DAY))
    return workspace_id


def notices(database: Database, workspace_id: str) -> list[tuple[str, bool]]:
    rows = [row for row in list_outbox(database, workspace_id) if row.kind == STOPPED and row.state != "sent"]
    return [(row.channel, row.is_update) for row in rows]


def test_a_source_that_stopped_is_told_to_the_installer_once(database: Database, company: str):
    assert feeds.run(database, company, NOW).counts == {"stopped": 1, "resumed": 0}
    for days in (0, 1, 5):
        assert feeds.run(database, company, NOW + days * DAY).counts["stopped"] == 0
    assert notices(database, company) == [("U0INSTALL", False)]
    with database.reading(company) as tx:
        (stop,) = tx.session.exec(select(FeedStopRow).where(FeedStopRow.workspace_id == tx.workspace_id))
        assert (stop.source, stop.last_day, stop.accounts) == ("api", NEAR - 30 * DAY, 1)
        said = render_stop_of(stop.id, tx, Reader())
    assert said is not None
    check_blocks(list(said.blocks), "message")
    assert "1 account that only it reports of is not judged" in str(said.blocks)
    assert "No usage data of “api” since 7 Feb 2026" in said.text
    with database.reading(company) as tx:
        found = [each for each in check_work(tx, NOW) if each.about == "usage data"]
    assert [each.said for each in found] == [
        "up to 2026-03-09",
        "nothing of api since 2026-02-07: 1 accounts are not judged by their use",
    ]


def test_it_is_no_customers_silence(database: Database, company: str):
    """Initech did nothing wrong: no alert, no cap. Acme, gone quiet while its source runs, is silent."""
    with database.writing(company) as tx:
        row = tx.session.exec(
            select(UsageEventRow).where(
                UsageEventRow.workspace_id == tx.workspace_id, UsageEventRow.account_id == "acme"
            )
        )
        for each in row:
            if each.day > NEAR - 30 * DAY:
                tx.session.delete(each)
    score.run(database, company, NOW)
    scan.run(database, company, NOW)
    with database.reading(company) as tx:
        assert [(row.account_id, row.kind) for row in list_open(tx)] == [("acme", AlertKind.SILENCE)]
        scores = tx.session.exec(select(HealthScoreRow).where(HealthScoreRow.workspace_id == tx.workspace_id)).all()
        assert {row.account_id: row.capped_by for row in scores} == {"acme": "silence", "globex": "", "initech": ""}
        assert (AlertKind.SILENCE, "") not in list_conditions(tx, ["initech"]).get("initech", {})


def test_an_alert_that_is_open_stays_as_it_is_when_the_source_stops(database: Database, workspace_id: str):
    """Initech fell silent while its source ran for others; then the source stops. No data is not ok."""
    with database.writing(workspace_id) as tx:
        for name in ("acme", "initech", "umbrella"):
            add_account(tx, name)
        use(tx, "app", "acme", daily(NEAR + 40 * DAY, 110))
        use(tx, "api", "initech", daily(NEAR - 30 * DAY))
        use(tx, "api", "umbrella", daily(NEAR, 70))
    for days in (0, 1, 20, 21):
        scan.run(database, workspace_id, NOW + days * DAY)
    with database.reading(workspace_id) as tx:
        rows = list(tx.session.exec(select(EpisodeRow).where(EpisodeRow.workspace_id == tx.workspace_id)))
        assert [(row.account_id, row.kind, row.closed_at) for row in rows] == [("initech", AlertKind.SILENCE, None)]


def test_the_notice_changes_when_data_comes_again(database: Database, company: str):
    feeds.run(database, company, NOW)
    with database.writing(company) as tx:
        (stop,) = tx.session.exec(select(FeedStopRow).where(FeedStopRow.workspace_id == tx.workspace_id))
        (told,) = tx.session.exec(select(OutboxRow).where(OutboxRow.workspace_id == tx.workspace_id))
        told.state, told.slack_ts, told.posted_channel = "sent", "1.1", "D0INSTALL"
        use(tx, "api", "initech", [NEAR - DAY])
    assert feeds.run(database, company, NOW).counts == {"stopped": 0, "resumed": 1}
    assert feeds.run(database, company, NOW).counts == {"stopped": 0, "resumed": 0}
    assert notices(database, company) == [("U0INSTALL", True)]
    with database.reading(company) as tx:
        said = render_stop_of(stop.id, tx, Reader())
        verbs = [row.verb for row in tx.session.exec(select(AuditRow).where(AuditRow.workspace_id == tx.workspace_id))]
    assert said is not None
    assert said.text == "✓ Usage data of “api” comes again, up to 8 Mar 2026. It had stopped on 7 Feb 2026."
    assert verbs == ["feed.stopped", "feed.resumed"]


def test_a_second_stop_is_told_anew(database: Database, company: str):
    feeds.run(database, company, NOW)
    with database.writing(company) as tx:
        use(tx, "api", "initech", [NEAR])
    feeds.run(database, company, NOW)
    later = NOW + (FEED_DAYS + 1) * DAY
    with database.writing(company) as tx:
        use(tx, "app", "acme", [later.date() - DAY])
    assert feeds.run(database, company, later).counts["stopped"] == 1
    assert [is_update for _channel, is_update in notices(database, company)].count(False) == 2


def test_accounts_that_move_to_another_source_end_it(database: Database, company: str):
    feeds.run(database, company, NOW)
    with database.writing(company) as tx:
        use(tx, "app", "initech", [NEAR])
    assert feeds.run(database, company, NOW).counts == {"stopped": 0, "resumed": 1}
    with database.reading(company) as tx:
        (stop,) = tx.session.exec(select(FeedStopRow).where(FeedStopRow.workspace_id == tx.workspace_id))
        said = render_stop_of(stop.id, tx, Reader())
    assert said is not None
    assert said.text.startswith("✓ No account relies on “api” any more")


def test_when_all_stops_every_source_is_told_of(database: Database, company: str):
    later = NOW + 20 * DAY
    assert feeds.run(database, company, later).counts == {"stopped": 2, "resumed": 0}
    with database.reading(company) as tx:
        assert find_unheard(tx, later.date() - DAY, later.date()) == {}, "the feed itself is old"


def test_nobody_is_told_of_what_was_retired_nor_where_there_is_nobody(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        add_member(tx, "U0ANN", role=Role.CSM)
        add_account(tx, "acme")
        add_account(tx, "globex")
        use(tx, "old", "acme", daily(TODAY - (RETIRED_DAYS + 1) * DAY))
        use(tx, "app", "globex", daily(NEAR - 20 * DAY))
    assert feeds.run(database, workspace_id, NOW).counts == {"stopped": 1, "resumed": 0}
    assert notices(database, workspace_id) == []


def test_sources_are_found_by_seeks_and_stay_in_their_workspace(database: Database, company: str):
    other = add_workspace(database, "T0000002")
    with database.writing(other) as tx:
        add_account(tx, "umbrella")
        use(tx, "zeta", "umbrella", [NEAR])
    sent: list[str] = []

    def look(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    with database.reading(company) as tx:
        event.listen(Engine, "before_cursor_execute", look)
        assert list_sources(tx, NEAR) == {"api": NEAR - 30 * DAY, "app": NEAR}
        assert find_unheard(tx, NEAR, TODAY) == {"initech": NEAR - 30 * DAY}
        event.remove(Engine, "before_cursor_execute", look)
    assert len([each for each in sent if each != "BEGIN"]) == 3
    with database.reading(other) as tx:
        assert list_sources(tx, NEAR) == {"zeta": NEAR}


# ---------------------------------------------------------------- the decision alone


def test_what_is_decided_of_a_source():
    stopped, running = Source("a", TODAY - 20 * DAY, 3), Source("a", NEAR)
    stop = Stop("s", "a", TODAY - 20 * DAY, 3)
    assert decide_stops([stopped], {}, TODAY) == (OpenStop(stopped),)
    assert decide_stops([Source("a", TODAY - 20 * DAY)], {}, TODAY) == ()
    assert decide_stops([Source("a", FAR, 3)], {}, TODAY) == ()
    assert decide_stops([stopped], {"a": stop}, TODAY) == ()
    assert decide_stops([Source("a", TODAY - 20 * DAY, 2)], {"a": stop}, TODAY) == (ChangeStop("s", 2),)
    assert decide_stops([Source("a", TODAY - 20 * DAY)], {"a": stop}, TODAY) == (EndStop("s", TODAY, is_replaced=True),)
    assert decide_stops([running], {"a": stop}, TODAY) == (EndStop("s", NEAR),)
    on_time = Source("a", TODAY - (FEED_DAYS + 1) * DAY, 3)
    assert decide_stops([on_time], {}, TODAY) == ()
    assert decide_stops([on_time], {}, TODAY + DAY) == (OpenStop(on_time),)
