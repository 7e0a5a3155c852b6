"""Settings of a workspace that a lead may change: what is valid, and the intent. Refuses to choose a channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rules.calendar import list_countries
from rules.errors import UserError
from rules.people.clock_times import check_country, check_hours, check_time, check_zone

_CURRENCY_LENGTH = 3
_LAST_WEEKDAY = 4


@dataclass(frozen=True)
class Setup:
    """Everything a lead can set, by the name of its column.

    `team_channel_id`: where alerts go ("": nowhere yet). `zone`: IANA. `currency`: ISO 4217, of amounts without one.
    `country`: ISO 3166, "" for weekends only. `work_from`, `work_until`, `digest_at`: "HH:MM"; `digest_at` "" means ten
    minutes after work begins. `weekly_on`: 0 = Monday to 4. `locale`: Slack's, of what is posted in channels.
    """

    team_channel_id: str = ""
    lead_id: str | None = None
    country: str = ""
    zone: str = "UTC"
    work_from: str = "09:00"
    work_until: str = "17:30"
    digest_at: str = ""
    weekly_on: int = 0
    currency: str = "EUR"
    locale: str = "en-US"
    is_hiding_amounts: bool = False


@dataclass(frozen=True)
class ChangeSetup:
    """Write these settings, by the name of their column. `version`: the one the person saw, None for any."""

    changes: Mapping[str, object]
    version: int | None = None


def decide_setup(present: Setup, wanted: Setup, version: int | None = None) -> list[ChangeSetup]:
    """The intent that turns `present` into `wanted`; none where nothing differs. Raises `UserError` with the field."""
    check_zone(wanted.zone)
    check_country(wanted.country, list_countries())
    check_hours(wanted.work_from, wanted.work_until)
    check_time(wanted.digest_at, "digest_at")
    if len(wanted.currency) != _CURRENCY_LENGTH or not wanted.currency.isascii() or not wanted.currency.isupper():
        raise UserError("Type the currency as three letters, like EUR or CNY.", field="currency")
    if not 0 <= wanted.weekly_on <= _LAST_WEEKDAY:
        raise UserError("Choose a day from Monday to Friday for what comes weekly.", field="weekly_on")
    before, after = vars(present), vars(wanted)
    changes = {name: value for name, value in after.items() if before[name] != value}
    return [ChangeSetup(changes, version)] if changes else []
