"""When somebody may be interrupted next. Owns quiet hours and days off as the settings of noise want them; refuses to
know what there is to tell.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rules.alerts.noise_settings import NoiseSettings
from rules.people.working_time import WorkingTime, next_working_moment, shift_to_working_day

_DAY = timedelta(days=1)


def find_release(now: datetime, times: WorkingTime, settings: NoiseSettings) -> datetime:
    """The first moment from `now` (aware) on, in UTC, at which a person with these working times may be interrupted:
    `now` itself where it is not quiet.
    """
    if settings.is_quiet_off_hours:
        return _find_working_moment(now, times, settings)
    local = times.to_local(now)
    day = shift_to_working_day(local.date(), times.country) if settings.is_quiet_off_days else local.date()
    if day == local.date():
        return now.astimezone(UTC)
    return datetime.combine(day, time.min, ZoneInfo(times.zone)).astimezone(UTC)


def _find_working_moment(now: datetime, times: WorkingTime, settings: NoiseSettings) -> datetime:
    """Within hours, on every day of the week where days off are not quiet."""
    if settings.is_quiet_off_days:
        return next_working_moment(now, times)
    day = times.to_local(now).date()
    while True:
        begin, end = times.find_hours(day)
        if now < end and begin < end:
            return max(begin, now.astimezone(UTC))
        day += _DAY
