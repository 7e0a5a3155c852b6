"""Who acts: members as the database knows them, refreshed from Slack behind the person's back.

Owns reading Slack's user objects and when to ask for them; refuses to decide what a role may do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.clocks import Clocks
from bot.slack.installation import Installation
from commands.slice import Person
from rules.records import Role
from storage.db import PERSON_WAIT_SECONDS, Database, Tx
from storage.delivery.welcomes import welcome_first_lead
from storage.errors import BusyError
from storage.owners import is_expected, list_unlinked_emails, save_from_slack
from storage.people.members import SlackProfile, add_by_slack_id, find_acting
from storage.people.workspaces import get_workspace
from words.reader import Reader

FRESH = timedelta(hours=24)
_SLACK_FAILED = (SlackApiError, ClientError, TimeoutError, OSError)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Met:
    """A person who acts, how they read, and whether Slack should be asked about them."""

    person: Person
    reader: Reader
    is_stale: bool


@dataclass
class People:
    """Members of one installation. What is no coroutine runs in a worker thread, and blocks."""

    database: Database
    installation: Installation
    client: AsyncWebClient
    clocks: Clocks
    default_role: Role
    _asked: set[str] = field(default_factory=set)
    _readers: dict[str, Reader] = field(default_factory=dict)

    def read_default(self) -> Reader:
        """How somebody unknown reads: as the workspace does."""
        with self.database.reading(self.installation.workspace_id) as tx:
            home = get_workspace(tx)
            return Reader(home.locale, home.zone)

    def find(self, tx: Tx, slack_id: str) -> Met | None:
        """The member with Slack's user id; None if they were never met."""
        acting = find_acting(tx, slack_id)
        if acting is None:
            return None
        reader = self._readers[slack_id] = Reader(acting.locale, acting.zone)
        person = Person(acting.id, slack_id, acting.name, acting.role)
        return Met(person, reader, _is_stale(acting.refreshed_at, self.clocks.wall()))

    def add(self, slack_id: str, default: Reader) -> None:
        """A new member, who reads as the workspace does. Raises `BusyError` when they cannot be written down."""
        with self.database.writing(self.installation.workspace_id, wait_seconds=PERSON_WAIT_SECONDS) as tx:
            add_by_slack_id(tx, slack_id, role=self.default_role, zone=default.zone, locale=default.locale)

    def find_reader(self, slack_id: str) -> Reader:
        """How somebody read when last met; for what must be said at once, without the database."""
        return self._readers.get(slack_id, Reader())

    async def refresh(self, slack_id: str) -> None:
        """Ask Slack about one person and save the answer; one question at a time per person."""
        if slack_id in self._asked:
            return
        self._asked.add(slack_id)
        try:
            told = await self.client.users_info(user=slack_id, include_locale=True)
            await asyncio.to_thread(self._save, told.get("user") or {}, is_wanted=True)
        except (*_SLACK_FAILED, BusyError) as error:
            _log.warning("person not refreshed", slack_id=slack_id, error=str(error))
        finally:
            self._asked.discard(slack_id)

    async def learn(self, user: Mapping[str, Any]) -> None:
        """Take over what a user_change event says, if the person matters here. Raises `BusyError`."""
        await asyncio.to_thread(self._save, user, is_wanted=False)

    async def link_owners(self) -> int:
        """Find the owners of imported accounts by their e-mail address; returns how many Slack knew (100 at most)."""
        emails = await asyncio.to_thread(self._list_unlinked)
        found = [await self._look_up(email) for email in emails]
        return sum(found)

    def _save(self, user: Mapping[str, Any], *, is_wanted: bool) -> None:
        profile = read_profile(user)
        if not profile.slack_id or not self._is_own(user):
            return
        with self.database.writing(self.installation.workspace_id) as tx:
            if is_wanted or is_expected(tx, profile):
                now, seen_at = self.clocks.business(), self.clocks.wall()
                row = save_from_slack(tx, profile, now, seen_at=seen_at, default_role=self.default_role)
                welcome_first_lead(tx, row, now)

    def _is_own(self, user: Mapping[str, Any]) -> bool:
        enterprise = user.get("enterprise_user") or {}
        return self.installation.is_ours(str(user.get("team_id") or ""), str(enterprise.get("enterprise_id") or ""))

    def _list_unlinked(self) -> list[str]:
        with self.database.reading(self.installation.workspace_id) as tx:
            return list_unlinked_emails(tx)

    async def _look_up(self, email: str) -> bool:
        try:
            told = await self.client.users_lookupByEmail(email=email)
            await asyncio.to_thread(self._save, told.get("user") or {}, is_wanted=True)
        except (*_SLACK_FAILED, BusyError) as error:
            _log.info("owner not found in Slack", error=str(error))
            return False
        return True


def read_profile(user: Mapping[str, Any]) -> SlackProfile:
    """Slack's user object (users.info, user_change) as a profile; what is missing or odd becomes empty."""
    profile: Mapping[str, Any] = user.get("profile") or {}
    names = (profile.get("real_name"), user.get("real_name"), profile.get("display_name"), user.get("name"))
    return SlackProfile(
        slack_id=str(user.get("id") or ""),
        name=str(next((name for name in names if name), "")),
        email=str(profile.get("email") or ""),
        zone=_known_zone(str(user.get("tz") or "")),
        locale=str(user.get("locale") or ""),
        is_admin=bool(user.get("is_admin") or user.get("is_owner")),
        is_guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
        is_bot=bool(user.get("is_bot")),
        is_active=not user.get("deleted"),
    )


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return ""
    return name


def _is_stale(refreshed_at: datetime | None, now: datetime) -> bool:
    return refreshed_at is None or refreshed_at < now - FRESH
