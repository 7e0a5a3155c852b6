"""People: met for the first time, refreshed behind their back, changed in Slack, from somewhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot.clocks import Clocks, MovableClock, read_wall, real_clocks
from bot.slack.errors import SlackSetupError
from bot.slack.installation import Installation, connect_workspace
from bot.slack.people import read_profile
from rules.records import Role
from storage.accounts.accounts import AccountRow
from storage.db import Database
from storage.delivery.outbox import OutboxRow
from storage.people.members import MemberRow, find_by_slack_id
from storage.people.workspaces import list_workspaces
from tests.bot.slack_stage import PERSON, TEAM, FakeSlack, Stage, fake_slack, stage
from tests.conftest import NOW

# As in the documentation of users.info and user_change.
USER: dict[str, Any] = {
    "id": "W012A3CDE",
    "team_id": TEAM,
    "name": "spengler",
    "deleted": False,
    "color": "9f69e7",
    "real_name": "Egon Spengler",
    "tz": "America/Los_Angeles",
    "tz_label": "Pacific Daylight Time",
    "tz_offset": -25200,
    "profile": {
        "real_name": "Egon Spengler",
        "display_name": "spengler",
        "email": "Spengler@ghostbusters.example.com",
        "team": TEAM,
    },
    "is_admin": True,
    "is_owner": False,
    "is_restricted": False,
    "is_ultra_restricted": False,
    "is_bot": False,
    "locale": "zh-CN",
}


@pytest.fixture
async def on(sqlite_database: Database) -> AsyncIterator[Stage]:
    async with stage(sqlite_database) as given:
        given.slack.answers["users.info"] = {"user": USER}
        yield given


def find(on: Stage, slack_id: str) -> MemberRow | None:
    with on.database.reading(on.workspace_id) as tx:
        row = find_by_slack_id(tx, slack_id)
        tx.session.expunge_all()
        return row


async def test_a_stranger_is_served_at_once_and_known_afterwards(on: Stage):
    assert (await on.command("help me", user_id=USER["id"]))["text"] == "help: me"
    await on.settle()
    (asked,) = on.slack.bodies("users.info")
    assert (asked["user"], asked["include_locale"]) == (USER["id"], "1")
    row = find(on, USER["id"])
    assert row is not None
    assert (row.name, row.email, row.zone, row.locale, row.role) == (
        "Egon Spengler",
        "spengler@ghostbusters.example.com",
        "America/Los_Angeles",
        "zh-CN",
        Role.ADMIN,
    )


async def test_the_first_admin_who_comes_is_welcomed_once(on: Stage):
    for _time in range(2):
        await on.command("help me", user_id=USER["id"])
        await on.settle()
    with on.database.reading(on.workspace_id) as tx:
        rows = tx.session.exec(select(OutboxRow).where(OutboxRow.workspace_id == on.workspace_id)).all()
        assert [(row.kind, row.channel) for row in rows] == [("welcome", USER["id"])]


async def test_the_zone_chosen_here_goes_before_slacks(on: Stage):
    with on.database.writing(on.workspace_id) as tx:
        row = find_by_slack_id(tx, PERSON)
        assert row is not None
        row.own_zone = "Asia/Tokyo"
        tx.session.add(row)
    with on.database.reading(on.workspace_id) as tx:
        met = on.edge.people.find(tx, PERSON)
    assert met is not None
    assert met.reader.zone == "Asia/Tokyo"


async def test_somebody_known_is_asked_about_once_a_day(sqlite_database: Database):
    wall = MovableClock(lambda: NOW)
    async with stage(sqlite_database, wall=wall) as on:
        await on.command("help")
        await on.settle()
        assert on.slack.bodies("users.info") == []
        wall.move_to(NOW + timedelta(hours=25))
        await on.command("help")
        await on.settle()
        assert len(on.slack.bodies("users.info")) == 1


async def test_slack_not_telling_about_a_person_harms_nothing(on: Stage):
    on.slack.errors["users.info"] = "user_not_found"
    assert (await on.command("note hello", user_id="U0STRANGER"))["text"] == "Noted"
    await on.settle()
    row = find(on, "U0STRANGER")
    assert row is not None
    assert (row.role, row.refreshed_at) == (Role.CSM, None)


async def test_the_default_role_is_the_settings(sqlite_database: Database):
    async with stage(sqlite_database, default_role=Role.VIEWER) as on:
        on.slack.errors["users.info"] = "user_not_found"
        await on.command("help", user_id="U0STRANGER")
        row = find(on, "U0STRANGER")
        assert row is not None
        assert row.role is Role.VIEWER


async def test_a_change_in_slack_is_taken_over_for_people_who_matter_here(on: Stage):
    changed = {**USER, "id": PERSON, "real_name": "Stevie", "profile": {"real_name": "Stevie"}, "is_admin": False}
    assert (await on.event({"type": "user_change", "user": changed, "event_ts": "1"})).status == 200
    assert (await on.event({"type": "user_change", "user": USER, "event_ts": "1"}, "Ev2")).status == 200
    row = find(on, PERSON)
    assert row is not None
    assert (row.name, row.zone, row.role) == ("Stevie", "America/Los_Angeles", Role.CSM)
    assert find(on, USER["id"]) is None


async def test_an_event_that_finds_the_database_locked_is_sent_again_by_slack(on: Stage):
    on.edge.people.database = Database(on.database.url)
    with on.database.write():
        assert (await on.event({"type": "app_uninstalled", "event_ts": "1"})).status == 503
    on.edge.people.database.close()


async def test_owners_of_imported_accounts_are_looked_up_by_their_address(on: Stage):
    with on.database.writing(on.workspace_id) as tx:
        row = AccountRow(
            workspace_id=on.workspace_id,
            slug="acme",
            name="Acme",
            owner_email="spengler@ghostbusters.example.com",
            created_at=NOW,
        )
        tx.session.add(row)
    on.slack.answers["users.lookupByEmail"] = {"user": USER}
    assert await on.edge.people.link_owners() == 1
    assert await on.edge.people.link_owners() == 0
    with on.database.reading(on.workspace_id) as tx:
        owner, found = tx.session.get(AccountRow, row.id), find_by_slack_id(tx, USER["id"])
        assert owner is not None
        assert found is not None
        assert owner.owner_id == found.id


async def test_the_profile_of_somebody_of_another_team_is_not_saved(on: Stage):
    on.slack.answers["users.info"] = {"user": {**USER, "id": "U0STRANGER", "team_id": "T9"}}
    await on.command("help", user_id="U0STRANGER")
    await on.settle()
    row = find(on, "U0STRANGER")
    assert row is not None
    assert row.name == ""


@pytest.mark.parametrize("user", [{}, {"id": "U1", "tz": "Nowhere/At_all"}, {"id": "U1", "tz": "../../etc"}])
def test_odd_profiles_are_read_as_far_as_they_go(user: dict[str, Any]):
    assert read_profile(user).zone == ""


@pytest.mark.parametrize(
    ("installation", "team", "enterprise", "is_ours"),
    [
        (Installation("w", "T1", "x"), "T1", "", True),
        (Installation("w", "T1", "x"), "", "", True),
        (Installation("w", "T1", "x"), "T2", "", False),
        (Installation("w", "T1", "x", enterprise_id="E1"), "T2", "E1", False),
        (Installation("w", "E1", "x", enterprise_id="E1", is_org=True), "T2", "E1", True),
        (Installation("w", "E1", "x", enterprise_id="E1", is_org=True), "T2", "E2", False),
        (Installation("w", "E1", "x", enterprise_id="E1", is_org=True), "T2", "", False),
    ],
)
def test_who_is_one_of_ours(installation: Installation, team: str, enterprise: str, is_ours: bool):
    assert installation.is_ours(team, enterprise) is is_ours
    assert "'x'" not in repr(installation)


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with fake_slack() as given:
        yield given


async def test_connecting_adopts_the_team_of_the_token(sqlite_database: Database, slack: FakeSlack):
    slack.answers["auth.test"] = {"team_id": "T5", "team": "Five", "user_id": "UB", "bot_id": "B5"}
    one = await connect_workspace(sqlite_database, "xoxb-1", f"{slack.url}/api/", NOW)
    two = await connect_workspace(sqlite_database, "xoxb-1", f"{slack.url}/api/", NOW)
    assert one == two
    assert (one.team_id, one.team_name, one.bot_user_id, one.bot_id, one.is_org) == ("T5", "Five", "UB", "B5", False)
    with sqlite_database.read() as session:
        assert [row.id for row in list_workspaces(session)] == [one.workspace_id]


async def test_a_token_that_slack_refuses_is_told_in_plain_words(sqlite_database: Database, slack: FakeSlack):
    slack.errors["auth.test"] = "invalid_auth"
    with pytest.raises(SlackSetupError, match="invalid_auth"):
        await connect_workspace(sqlite_database, "xoxb-1", f"{slack.url}/api/", NOW)
    with pytest.raises(SlackSetupError, match="cannot be reached"):
        await connect_workspace(sqlite_database, "xoxb-1", "http://127.0.0.1:1/api/", NOW)


def test_business_time_moves_only_forward():
    clock = MovableClock(lambda: NOW)
    assert clock() == NOW
    assert clock.move_to(NOW + timedelta(days=1)) == timedelta(days=1)
    assert clock() == NOW + timedelta(days=1)
    with pytest.raises(ValueError, match="back"):
        clock.move_to(NOW)


def test_the_real_clocks_agree():
    clocks = real_clocks()
    assert isinstance(clocks, Clocks)
    assert abs(clocks.business() - read_wall()) < timedelta(minutes=1)
