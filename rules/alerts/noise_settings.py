"""How much people are told at once: the settings of a workspace, and what single people chose instead. Owns defaults,
inheritance and limits of these values; refuses to apply them (`rules.alerts.noise`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from rules.errors import UserError
from rules.records import Severity, Tier

MOST_OF_OWNER, MOST_OF_CHANNEL, MOST_BEFORE_SUMMARY = 50, 100, 30
"""The highest values somebody may choose."""
PERSONAL = ("owner_daily", "digest_tiers", "is_quiet_off_hours", "is_quiet_off_days", "at_once_from")
"""What a person may choose for themselves; the others are a channel's."""


@dataclass(frozen=True)
class NoiseSettings:
    """What interrupts people, and how often.

    Args:
        owner_daily: messages about alerts that a person gets at once, per local day; the rest waits for their digest.
            Nought: they want to hear at once of what is critical alone.
        channel_daily: such messages in one channel, per day of the workspace.
        summary_above: more messages than this of one run for a channel become one.
        digest_tiers: tiers of which only digests tell.
        is_quiet_off_hours, is_quiet_off_days: nothing outside working hours; nothing on weekends and public holidays.
        at_once_from: the least severity that interrupts.
    """

    owner_daily: int = 3
    channel_daily: int = 10
    summary_above: int = 5
    digest_tiers: frozenset[Tier] = frozenset({Tier.C, Tier.D})
    is_quiet_off_hours: bool = True
    is_quiet_off_days: bool = True
    at_once_from: Severity = Severity.NOTICE


DEFAULTS = NoiseSettings()
Chosen = Mapping[str, Any]
"""What was chosen, by the name of the setting; what is left out is inherited."""


@dataclass(frozen=True)
class ChangeNoise:
    """Make `chosen` all that a person ("": the workspace) has chosen."""

    member_id: str
    chosen: Chosen


def inherit(settings: NoiseSettings, chosen: Chosen) -> NoiseSettings:
    """The settings with what was chosen in their place."""
    known = {each.name for each in fields(NoiseSettings)}
    return replace(settings, **{name: value for name, value in chosen.items() if name in known})


def decide_noise_settings(member_id: str, present: Chosen, wanted: Chosen) -> list[ChangeNoise]:
    """The intent that makes `wanted` all that is chosen; none where nothing differs.

    Raises `UserError` with the field at fault: a number out of range, or a setting that is not a person's.
    """
    if member_id and (alien := sorted(set(wanted) - set(PERSONAL))):
        raise UserError("Only the workspace has this setting.", field=alien[0])
    found = inherit(DEFAULTS, wanted)
    _check(found.owner_daily, "owner_daily", 0, MOST_OF_OWNER)
    _check(found.channel_daily, "channel_daily", 1, MOST_OF_CHANNEL)
    _check(found.summary_above, "summary_above", 1, MOST_BEFORE_SUMMARY)
    return [ChangeNoise(member_id, wanted)] if dict(wanted) != dict(present) else []


def _check(value: int, field: str, least: int, most: int) -> None:
    if not least <= value <= most:
        raise UserError("Type a whole number from {least} to {most}.", field=field, least=least, most=most)
