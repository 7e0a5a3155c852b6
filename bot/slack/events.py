"""Events that change what we know of the workspace: people, and the app being taken out. Owns what each event
does; refuses the Home tab, which is a person's doing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from bot.slack.delivery_records import pause
from bot.slack.people import People
from storage.errors import BusyError

_log = structlog.get_logger(__name__)

Act = Callable[[Mapping[str, Any]], Coroutine[Any, Any, bool]]


@dataclass(frozen=True)
class Events:
    """The events of one installation. Each answers whether it is done; if not, Slack may send it again."""

    people: People

    def by_name(self) -> dict[str, Act]:
        """Event type → what to do."""
        return {
            "user_change": self.change_user,
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
