"""Zones, countries and times of day as people choose them: what is valid. Owns these checks and their advice; refuses
to know whose they are.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import time
from zoneinfo import available_timezones

from rules.errors import UserError


def check_zone(zone: str) -> None:
    """Raise `UserError` unless `zone` is an IANA name."""
    if zone not in available_timezones():
        raise UserError(
            "“{zone}” is no time zone I know. Type it like Europe/Berlin or Asia/Shanghai.", field="zone", zone=zone
        )


def check_country(country: str, known: Collection[str]) -> None:
    """Raise `UserError` unless `country` is "" or one of the ISO 3166 codes `known`."""
    if country and country not in known:
        raise UserError(
            "I know no public holidays of “{country}”. Type another country, or leave it empty: then only weekends "
            "are off.",
            field="country",
            country=country,
        )


def check_time(text: str, field: str) -> None:
    """Raise `UserError` unless `text` is "" or a time of day, "HH:MM"."""
    if text and not _is_time(text):
        raise UserError("“{text}” is no time of day. Type it like 09:00.", field=field, text=text)


def check_hours(work_from: str, work_until: str) -> None:
    """Raise `UserError` unless both are times ("HH:MM", or "" for one that is not set) and in this order."""
    check_time(work_from, "work_from")
    check_time(work_until, "work_until")
    if work_from and work_until and work_from >= work_until:
        raise UserError(
            "The working day ends at {until}, before it begins at {start}. Choose a later end.",
            field="work_until",
            until=work_until,
            start=work_from,
        )


def _is_time(text: str) -> bool:
    try:
        return time.fromisoformat(text).strftime("%H:%M") == text
    except ValueError:
        return False
