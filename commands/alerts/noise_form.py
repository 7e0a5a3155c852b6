"""The form of the settings of noise: its fields with what is inherited, and what was chosen in them. Owns reading both
ways; refuses to judge a value (`rules.alerts.noise_settings`).
"""

from __future__ import annotations

from typing import Any

from commands.alerts.noise_words import (
    TIER_CHOICES,
    label_words,
    personal_names,
    severity_words,
    tier_words,
    value_words,
)
from commands.kit import Json, actions, button, context, form_field, menu, text_input
from commands.slice import Call, FormView, Ref
from commands.typed import read_count
from rules.alerts.noise_settings import Chosen, NoiseSettings
from rules.records import Severity, Tier
from words.reader import Reader

FORM, RESET = "noise.form", "noise.reset"
USUAL = "usual"
"""The option of a menu that means: as it is inherited."""
_NUMBERS = ("owner_daily", "channel_daily", "summary_above")
_NONE = "none"


def noise_form(
    reader: Reader, member_id: str, inherited: NoiseSettings, settings: NoiseSettings, chosen: Chosen
) -> FormView:
    """What is chosen stands in the fields; an empty field, or the first option of a menu, inherits."""
    names = personal_names(reader) if member_id else label_words(reader)
    origin = (
        reader.say("What you leave empty is as in the workspace.")
        if member_id
        else reader.say(
            "What you leave empty is as Milepost comes. Everybody can choose their own: `/cs alerts settings mine`"
        )
    )
    hint = reader.say("Critical alerts pass every limit but quiet hours. Everything else waits for the digest.")
    fields = [_field(reader, name, inherited, settings, is_chosen=name in chosen) for name in names]
    back = [actions(button(reader.say("Back to the usual"), RESET, Ref("noise", member_id)))] if chosen else []
    title = reader.say("My alerts") if member_id else reader.say("Alerts at once")
    blocks = (context(origin, hint), *fields, *back)
    return FormView(FORM, title, blocks, reader.say("Save"), Ref("noise", member_id))


def read_form(call: Call, *, is_personal: bool) -> dict[str, Any]:
    """What was chosen, by the name of the setting. Raises `UserError` at the field that is no number."""
    names = [*(personal_names(call.reader) if is_personal else label_words(call.reader))]
    filled = {name: call.value(name) for name in names if call.value(name) not in ("", USUAL)}
    return {name: _read(name, value) for name, value in filled.items()}


def _read(name: str, value: str) -> Any:
    if name in _NUMBERS:
        return read_count(value, field=name)
    if name == "digest_tiers":
        return frozenset(Tier(each) for each in value if each in set(Tier)) if value != _NONE else frozenset()
    if name == "at_once_from":
        return Severity(value) if value in set(Severity) else Severity.NOTICE
    return value == "yes"


def _field(reader: Reader, name: str, inherited: NoiseSettings, settings: NoiseSettings, *, is_chosen: bool) -> Json:
    label, usual = label_words(reader)[name], value_words(reader, inherited, name)
    if name in _NUMBERS:
        shown = str(getattr(settings, name)) if is_chosen else ""
        hint = reader.say("Usually {value}", value=usual)
        return form_field(
            name, label, text_input(initial=shown, placeholder=usual, max_length=4), hint=hint, is_optional=True
        )
    first = (USUAL, reader.say("As usual: {value}", value=usual))
    initial = _dump(name, settings) if is_chosen else USUAL
    return form_field(name, label, menu("value", "…", [first, *_choices(reader, name)], initial=initial))


def _choices(reader: Reader, name: str) -> list[tuple[str, str]]:
    if name == "digest_tiers":
        return [(each or _NONE, tier_words(reader, map(Tier, each))) for each in TIER_CHOICES]
    if name == "at_once_from":
        return [(each.value, words) for each, words in severity_words(reader).items()]
    return [("yes", reader.say("yes")), ("no", reader.say("no"))]


def _dump(name: str, settings: NoiseSettings) -> str:
    value = getattr(settings, name)
    if isinstance(value, frozenset):
        return "".join(sorted(value)) or _NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
