"""`/cs setup`: where alerts go, when and how Milepost speaks. Owns the command, its form and the message that greets a
channel; chooses no channel by itself.
"""

from __future__ import annotations

from commands.blocks.channels import team_shared_words
from commands.kit import Json, actions, context, mention, message, section
from commands.people import places, undoing
from commands.people.first_steps import (
    BUTTON,
    OPEN_SETUP,
    first_steps_blocks,
    next_step_blocks,
    render_welcome,
    show_places,
)
from commands.people.setup_form import SETUP_FORM, open_setup_form, read_setup_form, to_setup
from commands.people.setup_words import change_lines, place_lines
from commands.slice import Button, Call, Command, Form, Message, Reply, Slice, Whisper
from commands.typed import split_mentions, writes_if_typed
from rules.errors import UserError
from rules.people.roles import Permission
from rules.people.setup import Setup, decide_setup
from rules.records import Enqueue, Role
from storage.audit import find_line
from storage.db import Tx
from storage.delivery import welcomes
from storage.delivery.channels import list_shared
from storage.delivery.outbox import enqueue
from storage.people.members import find_member
from storage.people.workspaces import apply_setup, get_workspace
from words.reader import Reader

GREETING = "setup.greeting"
_PLACES = frozenset({"where", "channels", "哪里", "哪裡"})


def setup(call: Call, tx: Tx) -> list[Reply]:
    """`/cs setup [#channel | where]`: the team's channel set, or where what is posted; with nothing typed, the form,
    and beside it the first steps as long as one is left.
    """
    typed = call.text.strip()
    if typed.lower() in _PLACES:
        call.require(Permission.READ)
        return [Whisper(show_places(call, tx))]
    if not typed:
        steps = first_steps_blocks(call.reader, tx)
        shown = [Whisper(message(call.reader.say("Three steps to the first alert"), *steps))] if steps else []
        return [*open_form(call, tx), *shown]
    call.require(Permission.SETUP)
    _person, channel, rest = split_mentions(typed)
    if not channel or rest:
        raise UserError("Name the channel for the team's alerts, like `/cs setup #customer-success`.", field="channel")
    present = to_setup(get_workspace(tx))
    return [Whisper(_change(call, tx, present, Setup(**{**vars(present), "team_channel_id": channel})))]


def open_form(call: Call, tx: Tx) -> list[Reply]:
    """The form with the present values, and above it where what is posted."""
    call.require(Permission.SETUP)
    return [open_setup_form(call, tx, get_workspace(tx), " · ".join(place_lines(call.reader, tx)))]


def submit(call: Call, tx: Tx) -> list[Reply]:
    """The form: settings changed, or the field at fault named."""
    call.require(Permission.SETUP)
    present = to_setup(get_workspace(tx))
    version = call.ref.extra.get("version", "") if call.ref else ""
    wanted = read_setup_form(call, tx, present)
    return [Whisper(_change(call, tx, present, wanted, int(version) if version.isdecimal() else None))]


def render_greeting(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """What the team's channel is told once: who chose it, what comes here. Nothing when it was taken back meanwhile."""
    line = find_line(tx, reference)
    channel = (line.after or {}).get("team_channel_id") if line else None
    if line is None or not channel or channel != get_workspace(tx).team_channel_id:
        return None
    person = find_member(tx, line.actor_id)
    who = mention(person.slack_id) if person else reader.say("Somebody")
    text = reader.say("{person} chose this channel for Milepost.", person=who)
    what = reader.say(
        "Here come the team's alerts, red accounts that nobody took, and the weekly table of renewals. "
        "`/cs setup where` shows what goes where, `/cs help` what you can type."
    )
    return message(text, section(f"{text}\n{what}"))


# ---------------------------------------------------------------- writing


def _change(call: Call, tx: Tx, present: Setup, wanted: Setup, version: int | None = None) -> Message:
    reader = call.reader
    intents = decide_setup(present, wanted, version)
    if not intents:
        text = reader.say("Nothing was changed.")
        return message(text, section(text), *next_step_blocks(reader, tx))
    (line_id,) = apply_setup(tx, intents, call.person.actor, call.now)
    title = reader.say("Changed the setup:")
    lines = "\n".join([title, *change_lines(reader, tx, present, wanted)])
    hints = _hints(call, tx, present, wanted)
    if wanted.team_channel_id not in ("", present.team_channel_id):
        enqueue(tx, [Enqueue(GREETING, line_id, channel=wanted.team_channel_id, priority=0)], call.now)
    undo = actions(undoing.undo_button(reader, line_id))
    return message(lines, section(lines), *hints, undo, *next_step_blocks(reader, tx))


def _hints(call: Call, tx: Tx, present: Setup, wanted: Setup) -> list[Json]:
    """What is still to do for a change to work."""
    reader, hints = call.reader, []
    if list_shared(tx, [wanted.team_channel_id]):
        hints.append(team_shared_words(reader, wanted.team_channel_id))
    elif wanted.team_channel_id not in ("", present.team_channel_id):
        hints.append(
            reader.say(
                "I say hello there now. If you see nothing, the channel is private and I am not in it: type "
                "`/invite @Milepost` there."
            )
        )
    lead = find_member(tx, wanted.lead_id) if wanted.lead_id and wanted.lead_id != present.lead_id else None
    if lead is not None and lead.role not in (Role.LEAD, Role.ADMIN):
        who = mention(lead.slack_id)
        hints.append(reader.say("{person} has no lead's rights yet: `/cs team {person} lead`", person=who))
    return [context(*hints)] if hints else []


SLICE = Slice(
    name="setup",
    commands=(
        Command(
            "setup",
            "[#channel | where]",
            "Where alerts go, working hours, holidays, language (leads and admins)",
            setup,
            writes_if_typed,
            ("setup", "setup #customer-success", "setup where"),
        ),
    ),
    buttons=(Button(OPEN_SETUP, open_form, "reads"), BUTTON, undoing.BUTTON),
    forms=(Form(SETUP_FORM, submit),),
    choices=places.CHOICES,
    renders={GREETING: render_greeting, welcomes.KIND: render_welcome},
)
