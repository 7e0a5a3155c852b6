"""The doctor against the local Slack: what is broken is named, with what to do; what is fine is said too."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import select, update

from bot.clocks import Clocks, read_wall
from bot.doctor.examine import examine
from bot.doctor.findings import Finding, Verdict
from bot.registry import SLICES
from bot.settings import Settings
from bot.slack.installation import connect_workspace
from bot.slack.manifest import build_manifest
from bot.wiring import with_help
from playground.server import Playground
from rules.delivery.channels import Sharing
from rules.records import Enqueue
from storage.db import Database
from storage.delivery.outbox import OutboxRow, enqueue
from storage.people.connections import BY_HAND
from storage.people.workspaces import WorkspaceRow, list_workspaces
from storage.revision import upgrade
from tests.alert_rows import add_account
from tests.channel_rows import know_channels
from tests.flows.flow_stage import ARCHIVED, CHANNEL, LEAD, PRIVATE, make_seed

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass
class Patient:
    """An installed bot that is not running: its settings and database, and the local Slack."""

    slack: Playground
    settings: Settings
    database: Database
    clocks: Clocks = field(default_factory=lambda: Clocks(lambda: NOW, read_wall))

    async def examine(self) -> dict[str, list[Finding]]:
        found: dict[str, list[Finding]] = {}
        for each in await examine(self.settings, self.database, self.clocks):
            found.setdefault(each.about, []).append(each)
        return found

    def set_up(self, **values: object) -> None:
        with self.database.write() as session:
            session.exec(update(WorkspaceRow).values(**values))


@asynccontextmanager
async def install(folder: Path, missing: str = "") -> AsyncIterator[Patient]:
    """The app installed in a local Slack, with one scope left out."""
    manifest = build_manifest(with_help(SLICES))
    scopes = manifest["oauth_config"]["scopes"]["bot"]
    manifest["oauth_config"]["scopes"]["bot"] = [each for each in scopes if each != missing]
    async with Playground(make_seed()) as slack:
        installed = slack.install(manifest, installer=LEAD)
        database = Database(f"sqlite:///{folder / 'milepost.db'}")
        upgrade(database)
        await connect_workspace(database, installed.bot_token, slack.api_url, NOW)
        settings = Settings(
            database_url=database.url,
            slack_bot_token=SecretStr(installed.bot_token),
            slack_app_token=SecretStr(installed.app_token),
            slack_api_url=slack.api_url,
        )
        yield Patient(slack, settings, database)
        database.close()


async def test_a_sound_installation_has_nothing_broken(tmp_path: Path):
    async with install(tmp_path) as patient:
        patient.set_up(team_channel_id=CHANNEL)
        found = await patient.examine()
    assert not [each for many in found.values() for each in many if each.verdict is Verdict.FAIL]
    for about in ("database", "bot token", "scopes", "Socket Mode", "clock", "team channel", "channels", "messages"):
        assert [each.verdict for each in found[about]] == [Verdict.OK], found[about]
    assert found["accounts"][0].verdict is Verdict.WARN
    assert "import" in found["accounts"][0].to_do


async def test_before_the_first_run_everything_that_can_be_asked_is_asked(tmp_path: Path):
    async with install(tmp_path) as patient:
        new = patient.settings.model_copy(update={"database_url": f"sqlite:///{tmp_path / 'new.db'}"})
        found = await examine(new, Database(new.database_url), patient.clocks)
    assert {each.verdict for each in found} == {Verdict.OK}
    assert {"database", "bot token", "scopes", "Socket Mode", "clock"} <= {each.about for each in found}


async def test_a_missing_scope_is_named_with_what_it_is_for(tmp_path: Path):
    async with install(tmp_path, missing="channels:history") as patient:
        found = await patient.examine()
    (finding,) = found["scopes"]
    assert finding.verdict is Verdict.FAIL
    assert "channels:history" in finding.said
    assert "uncertain post" in finding.said
    assert "manifest.yml" in finding.to_do


@pytest.mark.parametrize(
    ("channel", "word"), [(ARCHIVED, "archived"), (PRIVATE, "private"), ("C0NOWHERE01", "not there")]
)
async def test_a_channel_that_cannot_be_posted_in_is_named(tmp_path: Path, channel: str, word: str):
    async with install(tmp_path) as patient:
        patient.set_up(team_channel_id=channel)
        found = await patient.examine()
    (finding,) = found["channels"]
    assert finding.verdict is Verdict.FAIL
    assert word in finding.said
    assert "/cs setup" in finding.to_do


async def test_channels_that_others_read_are_told_with_the_reason_where_it_is_not_known(tmp_path: Path):
    async with install(tmp_path) as patient:
        patient.set_up(team_channel_id=CHANNEL)
        with patient.database.read() as session:
            workspace_id = list_workspaces(session)[0].id
        with patient.database.writing(workspace_id) as tx:
            for number in range(3):
                add_account(tx, f"a{number}", channel_id=f"C0{number}")
            know_channels(tx, "C00", CHANNEL, sharing=Sharing.SHARED)
            know_channels(tx, "C01", sharing=Sharing.UNKNOWN, error="missing_scope")
        found = await patient.examine()
    shared, unknown = found["channels"][:2]
    assert (shared.verdict, unknown.verdict) == (Verdict.WARN, Verdict.WARN)
    assert "1 of accounts are read by another organisation" in shared.said
    assert "2 of accounts is not known (missing_scope)" in unknown.said
    assert "groups:read" in unknown.to_do
    assert f"another organisation reads {CHANNEL}" in found["team channel"][0].said


async def test_tokens_that_slack_refuses(tmp_path: Path):
    async with install(tmp_path) as patient:
        refused = patient.settings.model_copy(update={"slack_bot_token": SecretStr("xoxb-other")})
        found = await replace(patient, settings=refused).examine()
        assert "invalid_auth" in found["bot token"][0].said
        refused = patient.settings.model_copy(update={"slack_app_token": SecretStr("xapp-other")})
        found = await replace(patient, settings=refused).examine()
        assert "invalid_auth" in found["Socket Mode"][0].said
        swapped = {"slack_bot_token": patient.settings.slack_app_token, "slack_app_token": SecretStr("")}
        found = await replace(patient, settings=patient.settings.model_copy(update=swapped)).examine()
        assert [each.verdict for each in found["settings"]] == [Verdict.FAIL, Verdict.FAIL]
    assert "xapp-" not in str([each.said for each in found["settings"]])


async def test_slack_that_does_not_answer_is_said_to_be_unreachable(tmp_path: Path):
    async with install(tmp_path) as patient:
        nowhere = patient.settings.model_copy(update={"slack_api_url": "http://127.0.0.1:9/api/"})
        found = await replace(patient, settings=nowhere).examine()
    (finding,) = found["bot token"]
    assert finding.verdict is Verdict.FAIL
    assert "unreachable" in finding.said
    assert "MILEPOST_SLACK_API_URL" in finding.to_do


@pytest.mark.parametrize(("seconds", "verdict"), [(10, Verdict.OK), (90, Verdict.WARN), (-600, Verdict.FAIL)])
async def test_the_clock_is_compared_with_slacks(tmp_path: Path, seconds: int, verdict: Verdict):
    async with install(tmp_path) as patient:
        off = Clocks(lambda: NOW, lambda: read_wall() + timedelta(seconds=seconds))
        found = await replace(patient, clocks=off).examine()
    assert [each.verdict for each in found["clock"]] == [verdict]


async def test_messages_that_died_or_wait_and_a_paused_workspace_are_told(tmp_path: Path):
    async with install(tmp_path) as patient:
        with patient.database.read() as session:
            workspace_id = session.exec(select(WorkspaceRow.id)).one()
        with patient.database.writing(workspace_id) as tx:
            enqueue(tx, [Enqueue("alert", "1", CHANNEL), Enqueue("alert", "2", CHANNEL)], NOW - timedelta(hours=2))
            tx.session.exec(
                update(OutboxRow).where(OutboxRow.reference == "1").values(state="dead", error="is_archived")
            )
        patient.set_up(is_paused=True, paused_reason="token_revoked")
        found = await patient.examine()
    assert [each.verdict for each in found["messages"]] == [Verdict.FAIL, Verdict.WARN]
    assert "is_archived" in found["messages"][0].said
    assert "token_revoked" in found["workspace"][0].said
    assert "Install the app again" in found["workspace"][0].to_do


async def test_a_pause_by_a_person_is_ended_by_a_person(tmp_path: Path):
    async with install(tmp_path) as patient:
        patient.set_up(is_paused=True, paused_reason=BY_HAND)
        (found,) = [each for each in (await patient.examine())["workspace"] if each.verdict is Verdict.FAIL]
    assert "/cs admin, Resume" in found.to_do


async def test_a_new_database_is_fine_and_another_programs_is_not(tmp_path: Path):
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'new.db'}", slack_bot_token=SecretStr(""))
    clocks = Clocks(lambda: NOW, read_wall)
    told = {each.about: each for each in await examine(settings, Database(settings.database_url), clocks)}
    assert told["database"].verdict is Verdict.OK
    assert told["settings"].verdict is Verdict.FAIL
    with sqlite3.connect(tmp_path / "new.db") as other:
        other.execute("CREATE TABLE things (id INTEGER)")
    told = {each.about: each for each in await examine(settings, Database(settings.database_url), clocks)}
    assert told["database"].verdict is Verdict.FAIL
    assert "docs/operations.md" in told["database"].to_do
