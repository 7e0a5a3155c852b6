"""What a workspace starts with: its team, people and channels, and one small neutral example.

Owns the check that a seed is consistent; refuses to know any app.
"""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from playground.model import Channel, Record, Team, User


class Seed(Record):
    """A workspace before any app is installed. Channel members must be users of the seed.

    Raises:
        pydantic.ValidationError: an id, handle or channel name stands twice, or a member is unknown.
    """

    team: Team
    users: list[User]
    channels: list[Channel]

    @model_validator(mode="after")
    def check_references(self) -> Self:
        """Refuse doubles and strangers."""
        user_ids = [user.id for user in self.users]
        refuse_doubles([*user_ids, *(channel.id for channel in self.channels)], "id")
        refuse_doubles([user.name for user in self.users], "handle")
        refuse_doubles([channel.name for channel in self.channels], "channel name")
        for channel in self.channels:
            strangers = set(channel.members) - set(user_ids)
            if strangers:
                raise ValueError(f"#{channel.name} has members who are no users: {', '.join(sorted(strangers))}")
        return self


def refuse_doubles(values: list[str], what: str) -> None:
    """Raise ValueError when a value stands twice."""
    doubles = sorted({value for value in values if values.count(value) > 1})
    if doubles:
        raise ValueError(f"{what} used twice: {', '.join(doubles)}")


def default_seed() -> Seed:
    """Three people in three time zones, #general and #random."""
    users = [
        User(
            id="U0000000ANA", name="ana", real_name="Ana Reyes", email="ana@example.com", is_owner=True, color="9f69e7"
        ),
        User(
            id="U0000000BEN",
            name="ben",
            real_name="Ben Okafor",
            email="ben@example.com",
            tz="Europe/London",
            locale="en-GB",
        ),
        User(
            id="U0000000CHE",
            name="chen",
            real_name="陈晨",
            email="chen@example.com",
            tz="Asia/Shanghai",
            locale="zh-CN",
        ),
    ]
    everyone = [user.id for user in users]
    channels = [
        Channel(id="C0000GENERAL", name="general", members=everyone),
        Channel(id="C00000RANDOM", name="random", members=list(everyone)),
    ]
    return Seed(team=Team(id="T00000000PG", name="Playground", domain="playground"), users=users, channels=channels)
