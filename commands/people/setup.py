"""`/cs setup`: where alerts go, the time zone and the currency of the workspace. Owns the form and what it says;
chooses no channel by itself.
"""

from __future__ import annotations

from commands.kit import channel_menu, esc, form_field, message, text_input
from commands.slice import Call, Command, Form, FormView, Message, OpenForm, Reply, Slice, Whisper
from commands.typed import is_channel_id, split_mentions, writes_if_typed
from rules.errors import UserError
from rules.people.roles import Permission
from rules.people.setup import Setup, decide_setup
from storage.db import Tx
from storage.people.workspaces import apply_setup, get_workspace
from words.currencies import find_currency
from words.reader import Reader

SETUP_FORM = "setup.workspace"
_TEXT_LENGTH = 60


def setup(call: Call, tx: Tx) -> list[Reply]:
    """`/cs setup [#channel]`: the team's channel set; without one, the form with the present values."""
    call.require(Permission.SETUP)
    present = _get_present(tx)
    if not call.text.strip():
        return [_open_form(call, present)]
    _person, channel, rest = split_mentions(call.text)
    if not channel or rest:
        raise UserError("Name the channel for the team's alerts, like `/cs setup #customer-success`.", field="channel")
    return [Whisper(_change(call, tx, present, Setup(channel, present.zone, present.currency)))]


def submit(call: Call, tx: Tx) -> list[Reply]:
    """The form: settings changed, or the field at fault named."""
    call.require(Permission.SETUP)
    channel = call.value("team_channel_id")
    if channel and not is_channel_id(channel):
        raise UserError("Choose a channel, not a direct message.", field="team_channel_id")
    currency = find_currency(call.value("currency")) or call.value("currency").upper()
    wanted = Setup(channel, call.value("zone"), currency)
    return [Whisper(_change(call, tx, _get_present(tx), wanted))]


def _get_present(tx: Tx) -> Setup:
    row = get_workspace(tx)
    return Setup(row.team_channel_id, row.zone, row.currency)


def _change(call: Call, tx: Tx, present: Setup, wanted: Setup) -> Message:
    reader = call.reader
    intents = decide_setup(present, wanted)
    if not intents:
        return message(reader.say("Nothing was changed."))
    apply_setup(tx, intents, call.person.actor, call.now)
    changes = [
        f"{_name(reader, name)}: {_show(reader, name, before)} → {_show(reader, name, vars(wanted)[name])}"
        for name, before in vars(present).items()
        if before != vars(wanted)[name]
    ]
    said = reader.say("Changed the setup: {changes}", changes=" · ".join(changes))
    hint = reader.say("If that channel is private, invite Milepost into it, so that it can post there.")
    is_new = wanted.team_channel_id not in ("", present.team_channel_id)
    return message(f"{said}\n{hint}" if is_new else said)


def _name(reader: Reader, name: str) -> str:
    return {
        "team_channel_id": reader.say("alerts go to"),
        "zone": reader.say("time zone"),
        "currency": reader.say("currency"),
    }[name]


def _show(reader: Reader, name: str, value: str) -> str:
    if name == "team_channel_id":
        return f"<#{value}>" if value else reader.say("the owner of each account")
    return esc(value) or "–"


def _open_form(call: Call, present: Setup) -> OpenForm:
    reader = call.reader
    channels = channel_menu(reader.say("Choose a channel"), initial=present.team_channel_id)
    zone = text_input(initial=present.zone, placeholder="Europe/Berlin", max_length=_TEXT_LENGTH)
    currency = text_input(initial=present.currency, placeholder="EUR", max_length=_TEXT_LENGTH)
    fields = (
        form_field(
            "team_channel_id",
            reader.say("Alerts of the team go to"),
            channels,
            hint=reader.say("For accounts without a channel of their own. Empty: to the owner of the account."),
            is_optional=True,
        ),
        form_field("zone", reader.say("Time zone"), zone),
        form_field("currency", reader.say("Currency of amounts without one"), currency),
    )
    return OpenForm(FormView(SETUP_FORM, reader.say("Set up Milepost"), fields, reader.say("Save")))


SLICE = Slice(
    name="setup",
    commands=(
        Command(
            "setup",
            "[#channel]",
            "Where alerts go, time zone, currency (leads and admins)",
            setup,
            writes_if_typed,
            ("setup #customer-success", "setup"),
        ),
    ),
    forms=(Form(SETUP_FORM, submit),),
)
