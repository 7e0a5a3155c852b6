"""Events that change what we know of the workspace: people, who reads a channel, and the app being taken out. Owns what
each event does; refuses the Home tab, which is a person's doing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from bot.slack.channels import Channels
from bot.slack.delivery_records import pause
from bot.slack.people import People
from storage.errors import BusyError

_log = structlog.get_logger(__name__)

Act = Callable[[Mapping[str, Any]], Coroutine[Any, Any, bool]]


@dataclass(frozen=True)
class Events:
    """The events of one installation. Each answers whether it is done; if not, Slack may send it again."""

    people: People
    channels: Channels

    def by_name(self) -> dict[str, Act]:
        """Event type → what to do."""
        return {
            "user_change": self.change_user,
            "channel_shared": self.share_channel,
            "channel_unshared": self.unshare_channel,
            "tokens_revoked": self.revoke_tokens,
            "app_uninstalled": self.uninstall,
        }

    async def change_user(self, body: Mapping[str, Any]) -> bool:
        """Somebody changed name, zone, language or rights. Repeating it changes nothing."""
        try:
            await self.people.learn((body.get("event") or {}).get("user") or {})
        except BusyError:
            return False
        return True

    async def share_channel(self, body: Mapping[str, Any]) -> bool:
        """A channel was shared with another workspace; Slack is asked whether that is another organisation's."""
        return await self._change_channel(body, is_shared=True)

    async def unshare_channel(self, body: Mapping[str, Any]) -> bool:
        """Somebody else left a channel; others may still be in it, so Slack is asked."""
        return await self._change_channel(body, is_shared=False)

    async def _change_channel(self, body: Mapping[str, Any], *, is_shared: bool) -> bool:
        try:
            await self.channels.learn(str((body.get("event") or {}).get("channel") or ""), is_shared=is_shared)
        except BusyError:
            return False
        return True

    async def revoke_tokens(self, body: Mapping[str, Any]) -> bool:
        """The bot's token was taken away (a person's own token does not matter)."""
        revoked = ((body.get("event") or {}).get("tokens") or {}).get("bot") or []
        return await self._pause("tokens_revoked") if revoked else True

    async def uninstall(self, body: Mapping[str, Any]) -> bool:
        """The app was removed from the workspace."""
        _log.warning("app uninstalled", team_id=body.get("team_id"))
        return await self._pause("app_uninstalled")

    async def _pause(self, reason: str) -> bool:
        try:
            await asyncio.to_thread(self._write_pause, reason)
        except BusyError:
            return False
        return True

    def _write_pause(self, reason: str) -> None:
        with self.people.database.writing(self.people.installation.workspace_id) as tx:
            pause(tx, reason, self.people.clocks.business())
