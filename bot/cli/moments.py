"""Moments and days as options of commands give them."""

from __future__ import annotations

from datetime import UTC, datetime, time

from rules.errors import UserError
from words.dates import find_zone

DAY_BEGINS_AT = time(6)


def read_moment(text: str, zone: str) -> datetime:
    """`2026-03-14T09:30`, or `2026-03-14` for 06:00 of that day, in the workspace's zone unless it names one; in UTC.

    Raises `UserError`.
    """
    try:
        moment = datetime.fromisoformat(text)
        if "T" not in text and " " not in text:
            moment = datetime.combine(moment.date(), DAY_BEGINS_AT)
        local = moment if moment.tzinfo else moment.replace(tzinfo=find_zone(zone) or UTC)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UserError("{text} is not a moment like 2026-03-14 or 2026-03-14T09:30.", text=text) from None
