"""Which channel words about customers may be posted in. Owns what Slack's flags of sharing mean, and the choice of the
place; refuses to know how a channel is looked at and who is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Sharing(StrEnum):
    """Who reads a channel: our own organisation alone, another one too (now, or once it accepts), or nobody can say,
    because the channel was not looked at yet or Slack would not tell.
    """

    INTERNAL = "internal"
    SHARED = "shared"
    UNKNOWN = "unknown"


def is_person(slack_id: str) -> bool:
    """Whether Slack's id is a person's, who is written to directly, and not a channel's."""
    return slack_id[:1] in {"U", "W"}


@dataclass(frozen=True)
class Place:
    """A channel by Slack's id ("" for none) and who reads it."""

    channel: str = ""
    sharing: Sharing = Sharing.UNKNOWN


def judge_sharing(*, is_ext_shared: bool | None, is_pending: bool = False, is_shared: bool = False) -> Sharing:
    """What the flags of Slack's conversation object say.

    Args:
        is_ext_shared: shared with another organisation; None where the flag is missing.
        is_pending: shared once the other side accepts: by then what stands there is read.
        is_shared: shared in some way that is not known to be within one's own organisation.
    """
    if is_ext_shared or is_pending or is_shared:
        return Sharing.SHARED
    return Sharing.UNKNOWN if is_ext_shared is None else Sharing.INTERNAL


def may_hold(own: Place) -> bool:
    """Whether an account's own channel may hold words about it: only if it is known that nobody else reads them."""
    return bool(own.channel) and own.sharing is Sharing.INTERNAL


def choose_team_channel(team: Place) -> str:
    """The team's channel, "" where there is none, or where another organisation reads it. One that is unknown is
    taken: else a workspace whose channels cannot be looked at would have no channel at all, and a lead chose this
    one for the team, while that of an account is often made for the customer.
    """
    return "" if team.sharing is Sharing.SHARED else team.channel


def choose_channel(own: Place, team: Place, people: Iterable[str] = ()) -> str:
    """Where an account is spoken of: its own channel if it may hold that, else the team's, else the first of `people`
    (Slack ids, "" for nobody) by direct message; "" where there is no place at all.
    """
    if may_hold(own):
        return own.channel
    return choose_team_channel(team) or next((each for each in people if each), "")
