"""Time zones as people name them: by IANA name or by city, in English and both Chinese scripts.

Owns the names of cities, which come from CLDR (through Babel), and a few that are no zone's own. Refuses to tell the
time (see `words.dates`).
"""

from functools import cache
from zoneinfo import available_timezones

from babel.dates import get_timezone_location

from words.names import Named

_LANGUAGES = ("en", "zh_Hans", "zh_Hant")
_AREAS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
_OTHER_CITIES = {
    "America/Los_Angeles": ("San Francisco", "Seattle", "旧金山", "舊金山"),
    "America/New_York": ("Boston", "Washington"), "America/Sao_Paulo": ("Rio de Janeiro", "Brazil"),
    "Asia/Kolkata": ("Mumbai", "Delhi", "Bangalore", "India"),
    "Asia/Ho_Chi_Minh": ("Saigon", "Hanoi"), "Asia/Shanghai": ("Beijing", "Shenzhen", "北京", "深圳", "China"),
    "Asia/Tokyo": ("Osaka", "Japan"),
    "Europe/Berlin": ("Munich", "Hamburg", "Frankfurt", "Cologne", "Germany"), "Europe/Madrid": ("Barcelona",),
    "Europe/London": ("Manchester", "Edinburgh"), "Europe/Rome": ("Milan",), "Europe/Zurich": ("Geneva", "Basel"),
}  # fmt: skip


@cache
def list_named_zones() -> tuple[Named, ...]:
    """Every time zone that is named after a city, by IANA name; of several for one city only the one called so."""
    chosen: dict[str, str] = {}
    for zone in sorted(each for each in available_timezones() if each.split("/")[0] in _AREAS):
        city = _name_city(zone, "en")
        if city not in chosen or _get_tail(zone) == city:
            chosen[city] = zone
    return tuple(Named(zone, _name_zone(zone)) for zone in sorted({*chosen.values(), "UTC"}))


def _name_zone(zone: str) -> tuple[str, ...]:
    cities = [_name_city(zone, language) for language in _LANGUAGES] if zone != "UTC" else []
    return tuple(dict.fromkeys((zone, *cities, _get_tail(zone), *_OTHER_CITIES.get(zone, ()))))


def _name_city(zone: str, language: str) -> str:
    return str(get_timezone_location(zone, locale=language, return_city=True)).rpartition("/")[2]


def _get_tail(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")
