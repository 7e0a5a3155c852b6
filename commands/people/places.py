"""Menus of time zones and countries that load while somebody types, and zones typed in a command. Owns which are
offered first; the names are `words`' own.
"""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo, available_timezones

from slack_sdk.models.blocks import ExternalDataSelectElement

from commands.kit import OPTION_COUNT, OPTION_TEXT, clip, loaded_menu
from commands.slice import Call, Choice, Options, Reply
from rules.calendar import list_countries
from rules.errors import UserError
from rules.people.roles import Permission
from storage.db import Tx
from storage.people.team import list_working_times
from storage.people.workspaces import get_workspace
from words.countries import parse_country
from words.errors import WordsError
from words.names import find_name, fold
from words.reader import Reader
from words.zones import list_named_zones

ZONE_MENU = "people.zone"
COUNTRY_MENU = "people.country"
NONE = "none"
"""The option of a menu that means: nothing chosen. Slack cannot empty a menu of one choice."""


def zone_menu(reader: Reader, zone: str, nothing: str = "") -> ExternalDataSelectElement:
    """The menu of time zones; `nothing` is what is shown where none is chosen."""
    initial = (zone, zone) if zone else (NONE, nothing)
    return loaded_menu(ZONE_MENU, reader.say("Type a city"), initial=initial)


def country_menu(reader: Reader, country: str, nothing: str) -> ExternalDataSelectElement:
    """The menu of countries whose holidays are known; `nothing` is what is shown where none is chosen."""
    initial = (country, clip(reader.country(country), OPTION_TEXT)) if country else (NONE, nothing)
    return loaded_menu(COUNTRY_MENU, reader.say("Type a country"), initial=initial)


def read_choice(call: Call, field: str) -> str:
    """What was chosen in a menu, "" for nothing."""
    value = call.value(field)
    return "" if value == NONE else value


def choose_zones(call: Call, tx: Tx) -> list[Reply]:
    """Zones for what was typed; with nothing typed those the team lives in, then all by name, each with its time."""
    call.require(Permission.READ)
    typed = call.text.strip()
    zones = list(_match_zones(typed)) if typed else _list_zones(tx)
    shown = [(zone, f"{zone} · {call.now.astimezone(ZoneInfo(zone)):%H:%M}") for zone in zones]
    is_own = call.ref is not None and call.ref.kind == "member" and not typed
    nothing = [(NONE, call.reader.say("As in Slack"))] if is_own else []
    return [Options([*nothing, *shown][:OPTION_COUNT])]


def choose_countries(call: Call, tx: Tx) -> list[Reply]:
    """Countries for what was typed; with nothing typed the workspace's, then all by name."""
    call.require(Permission.READ)
    named = sorted((call.reader.country(code), code) for code in list_countries())
    own = get_workspace(tx).country
    named.sort(key=lambda each: each[1] != own)
    typed = fold(call.text)
    chosen = [(code, clip(name, OPTION_TEXT)) for name, code in named if typed in fold(name)]
    sure = _find_country(call.text)
    chosen.sort(key=lambda each: (each[0] != sure, typed != "" and not fold(each[1]).startswith(typed)))
    if sure and sure not in dict(chosen):
        chosen.insert(0, (sure, clip(call.reader.country(sure), OPTION_TEXT)))
    is_own = call.ref is not None and call.ref.kind == "member"
    none = call.reader.say("As the team") if is_own else call.reader.say("None: only weekends are off")
    nothing = [] if typed else [(NONE, none)]
    return [Options([*nothing, *chosen][:OPTION_COUNT])]


def read_zone(text: str) -> str:
    """The zone of an IANA name or a city. Raises `UserError` with the nearest ones."""
    typed = text.strip()
    if typed in available_timezones():
        return typed
    found = find_name(typed, list_named_zones())
    if found.match is not None:
        return found.match.id
    raise UserError(
        "“{zone}” is no time zone I know. Type it like Europe/Berlin, or a big city of it.",
        field="zone",
        nearest=tuple((each.id, each.id) for each in found.nearest),
        zone=typed,
    )


def _match_zones(typed: str) -> Iterable[str]:
    words, named = fold(typed), list_named_zones()
    inside = [each for each in named if any(words in fold(name) for name in each.names)]
    inside.sort(key=lambda each: not any(fold(name).startswith(words) for name in each.names[1:]))
    found = find_name(typed, named)
    close = (found.match,) if found.match else found.nearest
    exact = [typed] if typed in available_timezones() else []
    return dict.fromkeys([*exact, *(each.id for each in [*inside, *close])])


def _list_zones(tx: Tx) -> list[str]:
    lived_in = sorted({time.zone for time in list_working_times(tx).values()})
    return list(dict.fromkeys([get_workspace(tx).zone, *lived_in, *(each.id for each in list_named_zones())]))


def _find_country(text: str) -> str:
    try:
        code = parse_country(text)
    except WordsError:
        return ""
    return code if code in list_countries() else ""


CHOICES = (Choice(ZONE_MENU, choose_zones), Choice(COUNTRY_MENU, choose_countries))
