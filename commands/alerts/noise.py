"""How much people are told at once: `/cs alerts settings [mine]`, its form and its reset. Owns who may change what, and
reading the form; refuses to know limits and defaults (`rules.alerts.noise_settings`).
"""

from __future__ import annotations

from commands.alerts.noise_form import FORM, RESET, noise_form, read_form
from commands.alerts.noise_words import setting_lines
from commands.kit import actions, button, message, section
from commands.slice import Button, Call, Form, FormView, Message, OpenForm, Ref, Reply, UpdateForm, Whisper
from rules.alerts.noise_settings import DEFAULTS, Chosen, decide_noise_settings, inherit
from rules.errors import StaleError, UserError
from rules.people.roles import Permission, may
from storage.alerts.noise_settings import apply_noise_settings, find_chosen, get_noise_settings
from storage.db import Tx
from storage.people.members import get_member

_MINE = frozenset({"mine", "my", "me", "我", "我的"})


def show_settings(call: Call, tx: Tx, text: str) -> list[Reply]:
    """`/cs alerts settings`: the workspace's, for leads; `settings mine`, and for others: one's own."""
    if text and text.casefold() not in _MINE:
        raise UserError("Type `/cs alerts settings` for the workspace's, or `/cs alerts settings mine` for your own.")
    member_id = "" if not text and may(call.person.role, Permission.SETUP) else call.person.id
    _require(call, member_id)
    return [OpenForm(_form(call, tx, member_id))]


def submit(call: Call, tx: Tx) -> list[Reply]:
    """The form: what was chosen holds, what was left as it is inherited."""
    member_id = _get_subject(call, tx)
    return [Whisper(_change(call, tx, member_id, read_form(call, is_personal=bool(member_id))))]


def reset(call: Call, tx: Tx) -> list[Reply]:
    """The button in the form: nothing is chosen any more; the form shows what is inherited."""
    member_id = _get_subject(call, tx)
    for intent in decide_noise_settings(member_id, find_chosen(tx, member_id), {}):
        apply_noise_settings(tx, intent, call.person.actor, call.now)
    return [UpdateForm(_form(call, tx, member_id))]


def _change(call: Call, tx: Tx, member_id: str, wanted: Chosen) -> Message:
    reader = call.reader
    intents = decide_noise_settings(member_id, find_chosen(tx, member_id), wanted)
    if not intents:
        return message(reader.say("Nothing was changed."))
    for intent in intents:
        apply_noise_settings(tx, intent, call.person.actor, call.now)
    home, own = get_noise_settings(tx)
    title = reader.say("Your alerts from now on:") if member_id else reader.say("Alerts of the workspace from now on:")
    lines = setting_lines(reader, own.get(member_id, home), wanted, is_personal=bool(member_id))
    text = "\n".join([title, *(f"• {line}" for line in lines)])
    again = button(reader.say("Change again"), OPEN, Ref("noise", member_id))
    return message(text, section(text), actions(again))


def open_again(call: Call, tx: Tx) -> list[Reply]:
    """The button under what was changed."""
    member_id = _get_subject(call, tx)
    return [OpenForm(_form(call, tx, member_id))]


def _form(call: Call, tx: Tx, member_id: str) -> FormView:
    home, _own = get_noise_settings(tx)
    inherited = home if member_id else DEFAULTS
    chosen = find_chosen(tx, member_id)
    return noise_form(call.reader, member_id, inherited, inherit(inherited, chosen), chosen)


def _get_subject(call: Call, tx: Tx) -> str:
    """Whose settings the form or button is about, "" for the workspace's; raises unless the person may change them."""
    call.require(Permission.OWN_TIME)
    if call.ref is None or call.ref.kind != "noise":
        raise StaleError("This is from an older version. Type `/cs alerts settings` once more.")
    if call.ref.id:
        get_member(tx, call.ref.id)
    _require(call, call.ref.id)
    return call.ref.id


def _require(call: Call, member_id: str) -> None:
    """One's own: whoever works here; the workspace's, or anybody else's: a lead."""
    call.require(Permission.OWN_TIME if member_id == call.person.id else Permission.SETUP)


OPEN = "noise.open"
VERBS = {"settings": show_settings}
BUTTONS = (Button(RESET, reset, "writes"), Button(OPEN, open_again, "reads"))
FORMS = (Form(FORM, submit),)
