"""What a Web API method is: its arguments, scope, kind of token and the function that does it.

Owns the frame; `methods` lists them all and the `methods_*` modules do the work.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from playground.core import Core
from playground.errors import RefusalError
from playground.manifest import App
from playground.model import Channel, Json
from playground.state import Workspace


class Arguments(BaseModel):
    """Declared arguments of a method. Anything else is refused; forms' texts become numbers and booleans.

    `team_id` is sent by Bolt's clients with every call and changes nothing for an app of one workspace.
    """

    model_config = ConfigDict(extra="forbid")

    team_id: str | None = None


@dataclass(frozen=True)
class Call:
    """One call: who calls, in which playground."""

    core: Core
    app: App

    @property
    def workspace(self) -> Workspace:
        """The workspace."""
        return self.core.workspace

    @property
    def team_id(self) -> str:
        """The workspace's team."""
        return self.core.workspace.team.id

    def is_member(self, channel: Channel) -> bool:
        """Whether the app's bot is in a conversation."""
        return self.app.bot_user_id in channel.members

    def get_channel(self, reference: str) -> Channel:
        """A conversation that the bot can see, by id only; raises RefusalError `channel_not_found`."""
        channel = self.workspace.channels.get(reference)
        if channel is None or not (self.is_member(channel) or channel.kind == "channel"):
            raise RefusalError("channel_not_found")
        return channel

    def get_joined_channel(self, reference: str) -> Channel:
        """A conversation that the bot is in; raises RefusalError also `not_in_channel`."""
        channel = self.get_channel(reference)
        if not self.is_member(channel):
            raise RefusalError("not_in_channel")
        return channel

    def need_scope(self, scope: str) -> None:
        """Refuse with `missing_scope` when the app lacks it."""
        if scope not in self.app.scopes:
            raise RefusalError("missing_scope", needed=scope, provided=",".join(sorted(self.app.scopes)))


ArgumentsT = TypeVar("ArgumentsT", bound=Arguments)
Item = TypeVar("Item")


@dataclass(frozen=True)
class Method(Generic[ArgumentsT]):
    """A Web API method; `scope` None means that any token of its kind will do."""

    arguments: type[ArgumentsT]
    run: Callable[[Call, ArgumentsT], Json]
    scope: str | None = None
    is_app_level: bool = False


def cut_page(items: Sequence[Item], cursor: str | None, limit: int, most: int = 1000) -> tuple[list[Item], Json]:
    """One page of a list and its `response_metadata`.

    Raises:
        RefusalError: `invalid_cursor`, `invalid_limit` (below 1 or above `most`).
    """
    if not 1 <= limit <= most:
        raise RefusalError("invalid_limit")
    start = read_cursor(cursor) if cursor else 0
    if start > len(items):
        raise RefusalError("invalid_cursor")
    stop = start + limit
    following = b64encode(f"next:{stop}".encode()).decode() if stop < len(items) else ""
    return list(items[start:stop]), {"next_cursor": following}


def read_cursor(cursor: str) -> int:
    """Where a page starts; raises RefusalError `invalid_cursor`."""
    try:
        word, _, start = b64decode(cursor, validate=True).decode().partition(":")
        if word != "next":
            raise RefusalError("invalid_cursor")
        return int(start)
    except ValueError as error:
        raise RefusalError("invalid_cursor") from error


AnyMethod = Method[Any]
