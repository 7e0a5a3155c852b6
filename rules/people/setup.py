"""Settings of a workspace that a lead may change: what is valid, and the intent. Refuses to choose a channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import available_timezones

from rules.errors import UserError

_CURRENCY_LENGTH = 3


@dataclass(frozen=True)
class Setup:
    """Where alerts go ("" : nowhere yet), the IANA time zone of due dates, the ISO currency of amounts without one."""

    team_channel_id: str
    zone: str
    currency: str


@dataclass(frozen=True)
class ChangeSetup:
    """Write these settings, by the name of their column."""

    changes: Mapping[str, str]


def decide_setup(present: Setup, wanted: Setup) -> list[ChangeSetup]:
    """The intent that turns `present` into `wanted`; none where nothing differs. Raises `UserError`."""
    if wanted.zone not in available_timezones():
        raise UserError(
            "“{zone}” is no time zone I know. Type it like Europe/Berlin or Asia/Shanghai.",
            field="zone",
            zone=wanted.zone,
        )
    if len(wanted.currency) != _CURRENCY_LENGTH or not wanted.currency.isascii() or not wanted.currency.isupper():
        raise UserError("Type the currency as three letters, like EUR or CNY.", field="currency")
    before, after = vars(present), vars(wanted)
    changes = {name: value for name, value in after.items() if before[name] != value}
    return [ChangeSetup(changes)] if changes else []
