"""The records of a workspace: team, people, channels, messages and views, and how Slack shows each as JSON.

Owns shapes only; `state` owns where they live and `methods_*` what may be done with them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

Json = dict[str, Any]


class Record(BaseModel):
    """A seed record: refuses fields it does not know, so that a misspelt seed fails loudly."""

    model_config = ConfigDict(extra="forbid")


class Team(Record):
    """The workspace."""

    id: str
    name: str
    domain: str


class User(Record):
    """A person or bot. `tz` is an IANA zone; an empty `team_id` means the workspace's own team."""

    id: str
    name: str
    real_name: str = ""
    email: str = ""
    tz: str = "America/New_York"
    locale: str = "en-US"
    is_admin: bool = False
    is_owner: bool = False
    is_bot: bool = False
    deleted: bool = False
    color: str = "4bbe2e"
    team_id: str = ""

    def tz_offset_seconds(self, now: float) -> int:
        """Offset from UTC at `now` (seconds since the epoch)."""
        offset = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(self.tz)).utcoffset()
        return int(offset.total_seconds()) if offset else 0

    def to_slack(self, team_id: str, now: float, *, has_email: bool, has_locale: bool) -> Json:
        """A user object as users.info shows it; email and locale only where the caller may see or asked for them."""
        own_team = self.team_id or team_id
        profile: Json = {"real_name": self.real_name, "display_name": self.name, "team": own_team}
        if has_email and self.email:
            profile["email"] = self.email
        return {
            "id": self.id,
            "team_id": own_team,
            "name": self.name,
            "deleted": self.deleted,
            "color": self.color,
            "real_name": self.real_name,
            "tz": self.tz,
            "tz_label": self.tz,
            "tz_offset": self.tz_offset_seconds(now),
            "profile": profile,
            "is_admin": self.is_admin or self.is_owner,
            "is_owner": self.is_owner,
            "is_primary_owner": self.is_owner,
            "is_restricted": False,
            "is_ultra_restricted": False,
            "is_stranger": own_team != team_id,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": int(now),
            **({"locale": self.locale} if has_locale else {}),
        }


class Channel(Record):
    """A public or private channel, or a direct message (`is_im`, two members)."""

    id: str
    name: str
    is_private: bool = False
    is_ext_shared: bool = False
    is_pending_ext_shared: bool = False
    is_archived: bool = False
    is_im: bool = False
    topic: str = ""
    created: int = 0
    members: list[str] = []

    @property
    def kind(self) -> str:
        """`channel`, `group` or `im`, as in `channel_type`."""
        if self.is_im:
            return "im"
        return "group" if self.is_private else "channel"

    @property
    def command_name(self) -> str:
        """The name that slash commands and interactions carry for it."""
        return {"im": "directmessage", "group": "privategroup", "channel": self.name}[self.kind]

    def peer_of(self, user_id: str) -> str | None:
        """In a direct message, the other member."""
        others = [member for member in self.members if member != user_id]
        return others[0] if self.is_im and others else None

    def to_slack(self, team_id: str, viewer_id: str) -> Json:
        """A conversation object as `viewer_id` (the app's bot user) sees it."""
        shared = {"id": self.id, "created": self.created, "is_archived": self.is_archived}
        if self.is_im:
            return {**shared, "is_im": True, "is_org_shared": False, "user": self.peer_of(viewer_id)}
        return {
            **shared,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": not self.is_private,
            "is_group": self.is_private,
            "is_im": False,
            "is_mpim": False,
            "is_private": self.is_private,
            "is_general": self.name == "general",
            "is_shared": self.is_ext_shared,
            "is_ext_shared": self.is_ext_shared,
            "is_org_shared": False,
            "is_pending_ext_shared": self.is_pending_ext_shared,
            "is_member": viewer_id in self.members,
            "context_team_id": team_id,
            "creator": self.members[0] if self.members else "",
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
        }


@dataclass
class Message:
    """A message or, with `ephemeral_to`, a note only that person sees. `ts` and `thread_ts` are Slack timestamps."""

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    is_broadcast: bool = False
    metadata: Json | None = None
    bot_profile: Json | None = None
    ephemeral_to: str | None = None
    edited: Json | None = None
    is_notice: bool = False

    @property
    def app_id(self) -> str | None:
        """The app that wrote it, if one did."""
        return self.bot_profile["app_id"] if self.bot_profile else None

    @property
    def is_in_channel(self) -> bool:
        """Whether it stands in the channel itself, not only in a thread."""
        return self.thread_ts in {None, self.ts} or self.is_broadcast

    def to_slack(self, *, has_metadata: bool = False) -> Json:
        """A message object as the API and payloads show it."""
        body: Json = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text}
        if self.is_broadcast:
            body["subtype"] = "thread_broadcast"
        if self.bot_profile:
            body |= {"bot_id": self.bot_profile["id"], "app_id": self.bot_profile["app_id"]}
            body |= {"team": self.bot_profile["team_id"], "bot_profile": self.bot_profile}
        optional = {"blocks": self.blocks, "attachments": self.attachments, "thread_ts": self.thread_ts}
        body |= {key: value for key, value in optional.items() if value}
        if self.edited:
            body["edited"] = self.edited
        if has_metadata and self.metadata:
            body["metadata"] = self.metadata
        return body


@dataclass
class View:
    """A modal or a Home tab. `body` is the validated view as the app sent it, with ids filled in."""

    id: str
    team_id: str
    app_id: str
    bot_id: str
    user: str
    body: Json
    hash: str
    root_view_id: str
    previous_view_id: str | None = None
    values: Json = field(default_factory=dict)
    error: str | None = None

    @property
    def kind(self) -> str:
        """`modal` or `home`."""
        return str(self.body["type"])

    @property
    def blocks(self) -> list[Json]:
        """Its blocks."""
        blocks: list[Json] = self.body["blocks"]
        return blocks

    def to_slack(self) -> Json:
        """A view object as responses and payloads show it."""
        body = self.body
        return {
            "id": self.id,
            "team_id": self.team_id,
            "type": body["type"],
            "blocks": body["blocks"],
            "private_metadata": body.get("private_metadata", ""),
            "callback_id": body.get("callback_id", ""),
            "state": {"values": self.values},
            "hash": self.hash,
            "title": body.get("title"),
            "submit": body.get("submit"),
            "close": body.get("close"),
            "submit_disabled": body.get("submit_disabled", False),
            "clear_on_close": body.get("clear_on_close", False),
            "notify_on_close": body.get("notify_on_close", False),
            "external_id": body.get("external_id", ""),
            "root_view_id": self.root_view_id,
            "previous_view_id": self.previous_view_id,
            "app_id": self.app_id,
            "app_installed_team_id": self.team_id,
            "bot_id": self.bot_id,
        }
