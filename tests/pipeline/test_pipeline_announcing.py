"""Announcing over rows made by hand: what is held and told later, budgets of a day, covers, mutes and their ends."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import select

from pipeline import wake
from pipeline.announcing import announce
from rules.alerts.alerts import Assign, decide
from rules.alerts.mutes import Scope, decide_mute, decide_unmute
from rules.alerts.noise_settings import decide_noise_settings
from rules.records import Actor, AlertKind, EpisodeState, Role, Severity, Tier
from storage.accounts.accounts import AccountRow
from storage.agenda import list_open_items, list_unclaimed
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import EpisodeRow, get_episode, list_history, to_episode
from storage.alerts.mutes import apply_mute, list_active
from storage.alerts.noise_settings import apply_noise_settings
from storage.audit import AuditRow
from storage.db import Database
from storage.people.workspaces import get_workspace
from tests.alert_rows import add_account, add_episode, add_member, list_outbox
from tests.conftest import add_workspace

HAND = Actor("member", "m-LEAD", "Lena")
TUESDAY = datetime(2026, 3, 10, 9, tzinfo=UTC)
"""Ten in Berlin."""
FRIDAY_NIGHT = datetime(2026, 3, 13, 21, tzinfo=UTC)
MONDAY = datetime(2026, 3, 16, 8, tzinfo=UTC)
FIVE = timedelta(minutes=5)
BERLIN = {"zone": "Europe/Berlin", "country": "DE"}


@pytest.fixture
def team(database: Database, workspace_id: str) -> str:
    """A lead and two who look after accounts in Berlin; the team's channel is C0000001."""
    with database.writing(workspace_id) as tx:
        home = get_workspace(tx)
        home.zone, home.country = "Europe/Berlin", "DE"
        add_member(tx, "LEAD", role=Role.LEAD, **BERLIN)
        for name in ("ADA", "BOB"):
            add_member(tx, name, **BERLIN)
    return workspace_id


def add(database: Database, workspace_id: str, name: str, owner: str | None = "ADA", **more: Any) -> str:
    """An open alert that nobody was told of, of an account of its own unless it is there."""
    account = {key: more.pop(key) for key in ("tier", "channel_id") if key in more}
    with database.writing(workspace_id) as tx:
        if tx.session.exec(select(AccountRow.id).where(AccountRow.id == name)).first() is None:
            add_account(tx, name, owner_id=f"m-{owner}" if owner else None, **account)
        return add_episode(tx, name, **{"announced_at": None, "channel_id": "", "opened_at": TUESDAY} | more).id


def row_of(database: Database, workspace_id: str, id_: str) -> EpisodeRow:
    with database.reading(workspace_id) as tx:
        return tx.session.exec(select(EpisodeRow).where(EpisodeRow.id == id_)).one()


def change(database: Database, workspace_id: str, id_: str, **values: Any) -> None:
    with database.writing(workspace_id) as tx:
        row = tx.session.exec(select(EpisodeRow).where(EpisodeRow.id == id_)).one()
        for name, value in values.items():
            setattr(row, name, value)


def posts(database: Database, workspace_id: str) -> list[tuple[str, str, str]]:
    return [(row.kind, row.reference, row.channel) for row in list_outbox(database, workspace_id) if not row.is_update]


# ---------------------------------------------------------------- held


def test_what_comes_on_friday_night_is_told_on_monday_morning(database: Database, team: str):
    id_ = add(database, team, "acme", opened_at=FRIDAY_NIGHT)
    assert announce(database, team, FRIDAY_NIGHT)["held"] == 1
    held = row_of(database, team, id_)
    assert (held.held_until, held.announced_at, posts(database, team)) == (MONDAY, None, [])
    for moment in (FRIDAY_NIGHT + FIVE, FRIDAY_NIGHT + timedelta(days=1), MONDAY - FIVE):
        assert announce(database, team, moment) == {"announced": 0, "messages": 0, "without_channel": 0}
    assert announce(database, team, MONDAY)["announced"] == 1
    told = row_of(database, team, id_)
    assert (told.announced_at, told.told_id, told.held_until) == (MONDAY, "m-ADA", None)
    assert posts(database, team) == [("alert", id_, "C0000001")]
    with database.reading(team) as tx:
        assert [line.verb for line in list_history(tx, id_)] == ["held"]
        assert tx.session.exec(select(AuditRow.verb)).all() == ["alert.held"]


def test_a_held_alert_given_to_who_works_now_is_told_now(database: Database, team: str):
    with database.writing(team) as tx:
        add_member(tx, "CAT", zone="America/New_York", country="US")
    id_, other = (add(database, team, name, opened_at=FRIDAY_NIGHT) for name in ("acme", "bolt"))
    assert announce(database, team, FRIDAY_NIGHT - FIVE)["held"] == 2
    for each, member in ((id_, "m-CAT"), (other, "m-BOB")):
        with database.writing(team) as tx:
            apply_alerts(
                tx, decide(to_episode(get_episode(tx, each)), Assign(member), FRIDAY_NIGHT), HAND, FRIDAY_NIGHT
            )
    wake.run(database, team, FRIDAY_NIGHT)
    assert row_of(database, team, id_).told_id == "m-CAT", "in New York it is afternoon"
    assert row_of(database, team, other).held_until == MONDAY, "in Berlin nobody works"
    assert posts(database, team) == [("alert", id_, "C0000001")]


@pytest.mark.parametrize("state", [EpisodeState.RESOLVED, EpisodeState.ACKED, EpisodeState.SNOOZED])
def test_what_is_settled_meanwhile_is_not_told(database: Database, team: str, state: EpisodeState):
    id_ = add(database, team, "acme")
    announce(database, team, FRIDAY_NIGHT)
    change(database, team, id_, state=state, closed_at=FRIDAY_NIGHT if state is EpisodeState.RESOLVED else None)
    assert announce(database, team, MONDAY)["announced"] == 0
    assert posts(database, team) == []


def test_telling_twice_tells_once(database: Database, team: str):
    add(database, team, "acme")
    assert [announce(database, team, TUESDAY)["announced"] for _again in range(3)] == [1, 0, 0]
    assert len(posts(database, team)) == 1


def test_a_run_without_work_costs_a_few_reads(sqlite_database: Database):
    workspace_id = _make_team(sqlite_database)
    for each in range(30):
        add(sqlite_database, workspace_id, f"a{each}", tier=Tier.D)
    assert announce(sqlite_database, workspace_id, TUESDAY)["digest_only"] == 30
    sent = count_statements(sqlite_database, workspace_id, TUESDAY + FIVE)
    assert sent["SELECT"] <= 5
    assert not sent["INSERT"] + sent["UPDATE"]


def test_the_number_of_reads_does_not_depend_on_how_many_wait(sqlite_database: Database):
    workspace_id = _make_team(sqlite_database)
    counts = []
    for several in (2, 40):
        for each in range(several):
            add(sqlite_database, workspace_id, f"b{several}-{each}", opened_at=FRIDAY_NIGHT)
        counts.append(count_statements(sqlite_database, workspace_id, FRIDAY_NIGHT)["SELECT"])
    assert counts[0] == counts[1]


def count_statements(database: Database, workspace_id: str, now: datetime) -> Counter[str]:
    """The statements of one run, by their first word."""
    sent: Counter[str] = Counter()

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent[statement.split(maxsplit=1)[0].upper()] += 1

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        announce(database, workspace_id, now)
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    return sent


def _make_team(database: Database) -> str:
    workspace_id = add_workspace(database)
    with database.writing(workspace_id) as tx:
        add_member(tx, "LEAD", role=Role.LEAD, **BERLIN)
        add_member(tx, "ADA", **BERLIN)
    return workspace_id


# ---------------------------------------------------------------- budgets


def test_a_budget_lasts_a_day_over_all_runs(database: Database, team: str):
    for at, names in ((0, "ab"), (1, "cd")):
        for name in names:
            add(database, team, name)
        announce(database, team, TUESDAY + at * FIVE)
    left = [row_of(database, team, id_) for id_ in _ids(database, team)]
    over = [row for row in left if row.is_quiet]
    assert [(row.quiet_reason, row.quiet_count, row.quiet_limit) for row in over] == [("budget", 3, 3)]
    assert len(posts(database, team)) == 3
    add(database, team, "e")
    announce(database, team, TUESDAY + timedelta(days=1))
    assert len(posts(database, team)) == 4, "tomorrow is another day"
    with database.reading(team) as tx:
        items = [item.id for item in list_open_items(tx, date(2026, 3, 11))]
    assert over[0].id in items, "the digest tells of it"


def _ids(database: Database, workspace_id: str) -> list[str]:
    with database.reading(workspace_id) as tx:
        return list(tx.session.exec(select(EpisodeRow.id)))


def test_alerts_of_one_account_are_told_in_one_message(database: Database, team: str):
    grave = add(database, team, "acme", severity=Severity.CRITICAL)
    other = add(database, team, "acme", kind=AlertKind.SILENCE)
    assert announce(database, team, TUESDAY) == {"announced": 2, "messages": 1, "without_channel": 0}
    assert posts(database, team) == [("alert", grave, "C0000001")]
    assert (row_of(database, team, other).told_with, row_of(database, team, grave).told_with) == (grave, "")


def test_settings_of_a_person_come_before_those_of_the_workspace(database: Database, team: str):
    with database.writing(team) as tx:
        for member_id, chosen in (("", {"owner_daily": 0}), ("m-BOB", {"owner_daily": 1})):
            [intent] = decide_noise_settings(member_id, {}, chosen)
            apply_noise_settings(tx, intent, HAND, TUESDAY)
    ids = [add(database, team, name, owner) for name, owner in (("a", "ADA"), ("b", "BOB"), ("c", "BOB"))]
    announce(database, team, TUESDAY)
    reasons = [row_of(database, team, id_).quiet_reason for id_ in ids]
    assert (reasons[0], sorted(reasons[1:])) == ("severity", ["", "budget"])  # nothing at once is a wish of its own


# ---------------------------------------------------------------- whom


def test_a_cover_is_told_while_somebody_is_away(database: Database, team: str):
    with database.writing(team) as tx:
        add_member(tx, "CAY", cover_id="m-BOB", away_from=date(2026, 3, 9), away_until=date(2026, 3, 12), **BERLIN)
    id_ = add(database, team, "acme", "CAY")
    announce(database, team, TUESDAY)
    row = row_of(database, team, id_)
    assert (row.told_id, row.told_for) == ("m-BOB", "m-CAY")


def test_without_a_channel_the_cover_gets_it_directly(database: Database, team: str):
    with database.writing(team) as tx:
        get_workspace(tx).team_channel_id = ""
        add_member(tx, "CAY", cover_id="m-BOB", away_from=date(2026, 3, 9), away_until=date(2026, 3, 12), **BERLIN)
    add(database, team, "acme", "CAY")
    announce(database, team, TUESDAY)
    assert [channel for _kind, _ref, channel in posts(database, team)] == ["BOB"]


def test_what_nobody_owns_is_the_leads_at_once(database: Database, team: str):
    id_ = add(database, team, "acme", None)
    announce(database, team, TUESDAY)
    row = row_of(database, team, id_)
    assert (row.told_id, row.told_for, row.announced_at) == ("m-LEAD", None, TUESDAY)


# ---------------------------------------------------------------- mutes


def mute(database: Database, workspace_id: str, scope: Scope, days: int) -> str:
    with database.writing(workspace_id) as tx:
        until = TUESDAY + timedelta(days=days)
        return apply_mute(tx, decide_mute(scope, until, "known", list_active(tx, TUESDAY), TUESDAY), HAND, TUESDAY).id


def test_a_mute_silences_what_is_new_and_what_was_told_and_ends_by_itself(database: Database, team: str):
    told = add(database, team, "acme")
    announce(database, team, TUESDAY)
    mute(database, team, Scope("acme"), 2)
    new = add(database, team, "acme", kind=AlertKind.SILENCE)
    quiet = add(database, team, "acme", kind=AlertKind.STEP_DUE, is_quiet=True, quiet_reason="digest_kind")
    other = add(database, team, "bolt")
    announce(database, team, TUESDAY + FIVE)
    assert [row_of(database, team, id_).quiet_reason for id_ in (told, new, quiet, other)] == ["muted"] * 3 + [""]
    with database.reading(team) as tx:
        assert {item.id for item in list_open_items(tx, date(2026, 3, 11))} == {other}
        assert list_unclaimed(tx, TUESDAY + timedelta(days=2), 9)[0] == [other]
    before = posts(database, team)
    announce(database, team, TUESDAY + timedelta(days=1))
    assert posts(database, team) == before
    announce(database, team, TUESDAY + timedelta(days=2))
    rows = [row_of(database, team, id_) for id_ in (told, new, quiet)]
    assert [(row.quiet_reason, row.muted_by) for row in rows] == [("", None), ("", None), ("digest_kind", None)]
    later = posts(database, team)[len(before) :]
    assert len(later) == 1, "what is still wrong is told, in one message of the account"
    assert {row.announced_at for row in rows[:2]} == {TUESDAY + timedelta(days=2)}
    with database.reading(team) as tx:
        verbs = [line.verb for line in list_history(tx, told)]
        audited = set(tx.session.exec(select(AuditRow.verb)))
    assert verbs == ["muted", "unmuted"]
    assert {"mute.added", "mute.ended", "alert.muted", "alert.unmuted"} <= audited


def test_what_is_taken_or_over_when_a_mute_ends_is_not_told_again(database: Database, team: str):
    taken, over = add(database, team, "acme"), add(database, team, "acme", kind=AlertKind.SILENCE)
    announce(database, team, TUESDAY)
    mute(database, team, Scope(), 1)
    announce(database, team, TUESDAY + FIVE)
    change(database, team, taken, state=EpisodeState.ACKED)
    change(database, team, over, state=EpisodeState.RESOLVED, closed_at=TUESDAY)
    announce(database, team, TUESDAY + timedelta(days=1))
    assert len(posts(database, team)) == 1
    assert row_of(database, team, taken).quiet_reason == ""


def test_another_mute_takes_over_where_one_ends(database: Database, team: str):
    id_ = add(database, team, "acme")
    short = mute(database, team, Scope("acme"), 5)
    announce(database, team, TUESDAY)
    longer = mute(database, team, Scope(kind=AlertKind.HEALTH_DROP), 3)
    with database.writing(team) as tx:
        active = next(each for each in list_active(tx, TUESDAY) if each.id == short)
        apply_mute(tx, decide_unmute(active), HAND, TUESDAY)
    announce(database, team, TUESDAY + FIVE)
    row = row_of(database, team, id_)
    assert (row.quiet_reason, row.muted_by) == ("muted", longer)
    announce(database, team, TUESDAY + timedelta(days=3))
    assert len(posts(database, team)) == 1


def test_a_mute_of_the_same_gets_a_new_end(database: Database, team: str):
    assert mute(database, team, Scope(), 1) == mute(database, team, Scope(), 30)
    with database.reading(team) as tx:
        assert [each.until for each in list_active(tx, TUESDAY)] == [TUESDAY + timedelta(days=30)]


def test_mutes_of_another_workspace_are_none_of_ours(database: Database, team: str):
    other = add_workspace(database, "T0000009")
    mute(database, other, Scope(), 9)
    add(database, team, "acme")
    assert announce(database, team, TUESDAY)["announced"] == 1
