"""Trigger ids and response URLs: what an interaction gives an app, for a short time.

Owns their life (3 seconds and once; 30 minutes and five times); refuses to do what they are used for.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from playground.errors import RefusalError
from playground.ids import Ids

TRIGGER_SECONDS = 3.0
RESPONSE_URL_SECONDS = 30 * 60
RESPONSE_URL_USES = 5


@dataclass
class Trigger:
    """A permission to open a view for `user`; `view_id` when it came from within a modal."""

    id: str
    app_id: str
    user: str
    made_at: float
    view_id: str | None = None
    is_used: bool = False


@dataclass
class ResponseUrl:
    """A permission to answer an interaction. `message_ts` names the message it came from, if any."""

    key: str
    app_id: str
    user: str
    channel: str
    made_at: float
    message_ts: str | None = None
    thread_ts: str | None = None
    uses_left: int = RESPONSE_URL_USES


@dataclass
class Permits:
    """All triggers and response URLs given out. `clock` returns seconds since the epoch."""

    clock: Callable[[], float]
    ids: Ids
    team_id: str
    trigger_seconds: float = TRIGGER_SECONDS
    triggers: dict[str, Trigger] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)

    def give_trigger(self, app_id: str, user: str, view_id: str | None = None) -> str:
        """A new trigger id."""
        trigger = Trigger(self.ids.mint_trigger(self.team_id), app_id, user, self.clock(), view_id)
        self.triggers[trigger.id] = trigger
        return trigger.id

    def exchange_trigger(self, trigger_id: str, app_id: str) -> Trigger:
        """Use a trigger up.

        Raises:
            RefusalError: invalid_trigger_id, exchanged_trigger_id, expired_trigger_id.
        """
        trigger = self.triggers.get(trigger_id)
        if trigger is None or trigger.app_id != app_id:
            raise RefusalError("invalid_trigger_id")
        if trigger.is_used:
            raise RefusalError("exchanged_trigger_id")
        if self.clock() - trigger.made_at > self.trigger_seconds:
            raise RefusalError("expired_trigger_id")
        trigger.is_used = True
        return trigger

    def give_response_url(
        self,
        app_id: str,
        user: str,
        channel: str,
        message_ts: str | None = None,
        thread_ts: str | None = None,
    ) -> str:
        """The key of a new response URL."""
        key = secrets.token_urlsafe(18)
        self.response_urls[key] = ResponseUrl(key, app_id, user, channel, self.clock(), message_ts, thread_ts)
        return key

    def use_response_url(self, key: str) -> ResponseUrl:
        """Take one of its uses.

        Raises:
            RefusalError: invalid_url (never given out), expired_url, used_url.
        """
        url = self.response_urls.get(key)
        if url is None:
            raise RefusalError("invalid_url")
        if self.clock() - url.made_at > RESPONSE_URL_SECONDS:
            raise RefusalError("expired_url")
        if url.uses_left == 0:
            raise RefusalError("used_url")
        url.uses_left -= 1
        return url
