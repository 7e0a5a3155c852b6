"""The three steps from nothing to the first alert: a channel, accounts, a journey. Owns which are done, what each says
and the message that welcomes who connected Milepost; each step's own subject does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

from commands.accounts.account_list import ADD
from commands.blocks.accounts import shown_name
from commands.blocks.journeys import start_button
from commands.kit import Element, Json, actions, button, context, message, section
from commands.people.setup_words import place_lines
from commands.people.team_list import LIST
from commands.slice import Button, Call, Message, Ref, Reply, Whisper
from rules.people.roles import Permission, may
from storage.db import Tx
from storage.health.portfolio import count_accounts, list_accounts
from storage.people.workspaces import get_workspace
from storage.success.journey_counts import has_journey
from words.reader import Reader

OPEN_SETUP = "setup.open"
START_JOURNEY = "setup.journey"
_OFFERED_ACCOUNTS = 5


@dataclass(frozen=True)
class Step:
    """One step: what it says, whether it is done, and the button that does it."""

    words: str
    is_done: bool
    button: Element


def list_steps(reader: Reader, tx: Tx) -> list[Step]:
    """The three steps, in order."""
    channel = get_workspace(tx).team_channel_id
    choose = button(reader.say("Choose the channel"), OPEN_SETUP, Ref("setup", ""))
    add = button(reader.say("Add an account"), ADD, Ref("account", ""))
    start = button(reader.say("Start a journey"), START_JOURNEY, Ref("setup", ""))
    chosen = reader.say("The team's channel is {channel}.", channel=f"<#{channel}>")
    accounts, is_begun = count_accounts(tx), has_journey(tx)
    known = reader.say_many("{count} account is here.", "{count} accounts are here.", accounts)
    return [
        Step(chosen if channel else reader.say("Pick the channel for the team's alerts."), bool(channel), choose),
        Step(
            known
            if accounts
            else reader.say(
                "Bring your accounts: your admin imports a file with `milepost import accounts FILE`, or add one here."
            ),
            bool(accounts),
            add,
        ),
        Step(_journey_words(reader, is_begun=is_begun), is_begun, start),
    ]


def first_steps_blocks(reader: Reader, tx: Tx) -> list[Json]:
    """The steps with what is done ticked off, the others with their buttons; [] when all are done."""
    steps = list_steps(reader, tx)
    if all(step.is_done for step in steps):
        return []
    lines = [section(_line(step, at), accessory=None if step.is_done else step.button) for at, step in _count(steps)]
    return [section(f"*{reader.say('Three steps to the first alert')}*"), *lines]


def next_step_blocks(reader: Reader, tx: Tx) -> list[Json]:
    """The first step that is not done, with its button; [] when all are."""
    step = next((each for each in list_steps(reader, tx) if not each.is_done), None)
    if step is None:
        return []
    return [section(reader.say("Next: {step}", step=step.words), accessory=step.button)]


def render_welcome(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """What Milepost says first, to who connected it (`reference`: the workspace); nothing when all steps are done."""
    if reference != tx.workspace_id:
        return None
    steps = first_steps_blocks(reader, tx)
    if not steps:
        return None
    text = reader.say("Milepost is connected. It keeps each customer's journey, and tells you early what needs you.")
    hint = reader.say("`/cs setup` brings these steps back, `/cs help` shows all there is to type.")
    return message(text, section(text), *steps, context(hint))


def start_journey(call: Call, tx: Tx) -> list[Reply]:
    """The button of the third step: the first accounts to start a journey for, and how it is typed for any other."""
    call.require(Permission.ACCOUNT_WRITE)
    reader = call.reader
    accounts = list_accounts(tx, limit=_OFFERED_ACCOUNTS)
    if not accounts:
        text = reader.say("A journey belongs to an account, and there is none yet: add one first.")
        add = button(reader.say("Add an account"), ADD, Ref("account", ""), style="primary")
        return [Whisper(message(text, section(text), actions(add)))]
    text = reader.say("For which account? For any other type `/cs journey` and its name.")
    lines = [section(f"*{shown_name(row)}*", accessory=start_button(reader, row.id)) for row in accounts]
    return [Whisper(message(text, section(text), *lines))]


def show_places(call: Call, tx: Tx) -> Message:
    """Where Milepost posts what, and who set it."""
    reader = call.reader
    title = reader.say("Where Milepost posts what")
    lines = "\n".join(f"• {line}" for line in place_lines(reader, tx))
    change = button(reader.say("Change"), OPEN_SETUP, Ref("setup", ""))
    people = button(reader.say("Team"), LIST, Ref("team", ""))
    buttons = [change, people] if may(call.person.role, Permission.SETUP) else [people]
    return message(title, section(f"*{title}*\n{lines}"), actions(*buttons))


def _journey_words(reader: Reader, *, is_begun: bool) -> str:
    if is_begun:
        return reader.say("The first journey has begun.")
    return reader.say("Start a journey for an account: its dates and milestones come from a template.")


def _line(step: Step, at: int) -> str:
    return f"✓ {step.words}" if step.is_done else f"{at}. {step.words}"


def _count(steps: list[Step]) -> list[tuple[int, Step]]:
    return list(enumerate(steps, start=1))


BUTTON = Button(START_JOURNEY, start_journey, "reads")
