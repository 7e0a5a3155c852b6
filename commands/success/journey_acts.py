"""What a person does to a journey, whichever way they ask: rights, the journey as it is, change, answer with Undo.

Owns the words of refusals; refuses to decide what may be done (`rules.success.milestones`, `.journey_walk`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from commands.access import require_on
from commands.blocks.accounts import shown_name
from commands.blocks.journeys import NAME_LENGTH, journey_button, shown_milestone
from commands.kit import actions, button, clip, context, esc, message, section
from commands.slice import Call, Message, Ref, Reply, Surface, Whisper, answer_in_place
from commands.success.journey_views import AT_JOURNEY, render_journey, render_none
from commands.typed import get_today
from rules.errors import StaleError
from rules.people.roles import Permission
from rules.records import MilestoneState
from rules.success.journeys import (
    Act,
    ChangedError,
    Doer,
    JourneyFacts,
    JourneyIntent,
    MilestoneFacts,
    SettledError,
)
from rules.undo import Done, check_undo
from storage.accounts.accounts import AccountRow, get_account
from storage.alerts.alerts import enqueue_refresh
from storage.alerts.settling import settle_alerts
from storage.audit import AuditRow, find_line
from storage.db import Tx
from storage.people.members import get_members
from storage.people.workspaces import get_workspace
from storage.success.journey_history import find_last_change, is_needed, is_undone, plan_undo
from storage.success.journey_writes import apply_journeys
from storage.success.journeys import find_journey_facts, get_milestone

UNDO = "journeys.undo"
_KINDS = frozenset({"journey", "milestone"})


_ENDING = frozenset({"state", "due_on", "removed_at", "stage_key", "closed_at"})
"""Columns whose change ends the alerts about a milestone or a stage."""


@dataclass(frozen=True)
class Walk:
    """An account's journey under way and who is about to change it."""

    account: AccountRow
    journey: JourneyFacts
    doer: Doer


def get_doer(call: Call, tx: Tx, account: AccountRow) -> Doer:
    """The person, the workspace's day, and the public holidays of the account's country, else the workspace's."""
    country = account.country or get_workspace(tx).country
    return Doer(call.person.id, call.now, get_today(call, tx), country)


def get_walk(call: Call, tx: Tx, account: AccountRow) -> Walk:
    """The account's journey, which the person may change. Raises `StaleError` where none is under way."""
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    journey = find_journey_facts(tx, account.id)
    if journey is None:
        raise StaleError(
            "{account} has no journey under way. Start one: `/cs journey` and its name.", account=account.name
        )
    return Walk(account, journey, get_doer(call, tx, account))


def get_pressed_walk(call: Call, tx: Tx) -> Walk:
    """The journey of the account that a button or form names."""
    return get_walk(call, tx, get_account(tx, call.ref.id if call.ref else ""))


def get_pressed_milestone(call: Call, tx: Tx) -> tuple[Walk, MilestoneFacts]:
    """The milestone that a button or form names, with its journey. Raises `StaleError` where either is gone."""
    row = get_milestone(tx, call.ref.id if call.ref else "")
    walk = get_walk(call, tx, get_account(tx, row.account_id))
    return walk, walk.journey.get_milestone(row.id)


def get_seen(call: Call) -> int | None:
    """The version that the form or button was made for; None where it does not matter."""
    seen = call.ref.extra.get("seen", "") if call.ref else ""
    return int(seen) if seen.isdecimal() else None


def carry_out(
    call: Call, tx: Tx, account: AccountRow, decide: Callable[[], JourneyIntent | Sequence[JourneyIntent]]
) -> str:
    """Decide and apply; the id of the audit line that Undo takes back, "" where nothing was to be changed. Raises
    `StaleError`, naming who was first.
    """
    try:
        decided = decide()
        intents = list(decided) if isinstance(decided, Sequence) else [decided]
        lines = apply_journeys(tx, intents, call.person.actor, call.now)
    except SettledError as error:
        raise _explain_settled(call, tx, error) from error
    except ChangedError as error:
        raise _explain_changed(call, tx, account, error) from error
    _settle_alerts(call, tx, account, intents)
    enqueue_refresh(tx, account.id, call.now)
    return lines[-1] if lines else ""


def _settle_alerts(call: Call, tx: Tx, account: AccountRow, intents: Sequence[JourneyIntent]) -> None:
    """What is done, skipped, moved or left behind needs nobody any more."""
    edits = [edit for each in intents if isinstance(each, Act) for edit in each.edits]
    for id_ in {edit.id for edit in edits if _ENDING & edit.values.keys()}:
        settle_alerts(tx, account.id, id_, call.person.actor, call.now)


def answer(call: Call, tx: Tx, account: AccountRow, said: str, line_id: str) -> list[Reply]:
    """What was done, with Undo. Under a journey, the journey as it is now follows in its place; elsewhere what comes
    next.
    """
    undo_button = button(call.reader.say("Undo"), UNDO, _undo_ref(call, tx, line_id))
    if _is_at_journey(call):
        shown = render_now(call, tx, account)
        return [answer_in_place(call, message(said, section(said), actions(undo_button), *shown.blocks))]
    coming = _next_words(call, tx, account)
    below = [context(coming)] if coming else []
    buttons = actions(undo_button, journey_button(call.reader, account.id))
    return [Whisper(message(said, section(said), *below, buttons))]


def undo(call: Call, tx: Tx) -> list[Reply]:
    """Takes an act back, within the time and by whom `rules.undo` allows, as long as nothing was changed since."""
    call.require(Permission.ACCOUNT_WRITE)
    line = _get_line(call, tx)
    account = get_account(tx, line.account_id or "")
    require_on(call, tx, Permission.READ, account)
    was_undone = is_undone(tx, line)
    done = Done(line.at, line.actor_id, is_undone=was_undone, is_needed=not was_undone and is_needed(tx, line))
    check_undo(done, call.person.id, call.person.role, call.now)
    apply_journeys(tx, plan_undo(tx, line, call.now), call.person.actor, call.now)
    enqueue_refresh(tx, account.id, call.now)
    name = esc(clip(str((line.after or {}).get("name", "")), NAME_LENGTH))
    said = call.reader.say("Undone: {name} of {account} is as it was.", name=name, account=shown_name(account))
    if not _is_at_journey(call):
        return [answer_in_place(call, message(said, section(said), actions(journey_button(call.reader, account.id))))]
    return [answer_in_place(call, message(said, section(said), *render_now(call, tx, account).blocks))]


def render_now(call: Call, tx: Tx, account: AccountRow, stage_key: str = "") -> Message:
    """The journey as it is now, or the templates where there is none."""
    journey = find_journey_facts(tx, account.id)
    if journey is None:
        return render_none(call.reader, account)
    return render_journey(call.reader, tx, account, journey, get_today(call, tx), stage_key)


def _is_at_journey(call: Call) -> bool:
    return call.ref is not None and call.ref.extra.get("at") == "journey" and call.surface is Surface.EPHEMERAL


def _undo_ref(call: Call, tx: Tx, line_id: str) -> Ref:
    line = find_line(tx, line_id)
    at = AT_JOURNEY if _is_at_journey(call) else {}
    return Ref(line.object_kind if line else "", line.object_id if line else "", {"change": line_id, **at})


def _get_line(call: Call, tx: Tx) -> AuditRow:
    """The act that an Undo button is about."""
    extra = call.ref.extra if call.ref else {}
    line = find_line(tx, extra.get("change", ""))
    if line is None or call.ref is None or line.object_id != call.ref.id or line.object_kind not in _KINDS:
        raise StaleError("There is nothing to undo here any more.")
    return line


def _next_words(call: Call, tx: Tx, account: AccountRow) -> str:
    """The open milestone that is due next: "Next: Go-live, due 12 Mar"; "" where none is open."""
    journey, today = find_journey_facts(tx, account.id), get_today(call, tx)
    open_ones = [each for each in journey.milestones if each.is_open] if journey else []
    if not open_ones:
        return ""
    first = min(open_ones, key=lambda each: each.due_on)
    day = call.reader.date(first.due_on, today=today)
    return call.reader.say("Next: {name}, due {day}", name=shown_milestone(first), day=day)


def _explain_settled(call: Call, tx: Tx, error: SettledError) -> StaleError:
    sentence = {
        MilestoneState.DONE: "Nothing was changed: {who} said on {day} that this is done.",
        MilestoneState.SKIPPED: "Nothing was changed: {who} skipped this on {day}.",
    }[error.state]
    return StaleError(sentence, who=_name(call, tx, error.by), day=error.on)


def _explain_changed(call: Call, tx: Tx, account: AccountRow, error: ChangedError) -> StaleError:
    line = find_last_change(tx, account.id, error.object_id)
    if line is None:
        return error
    return StaleError(
        "{who} changed this meanwhile, {time}. Nothing was saved: close it and open it again.",
        who=_name(call, tx, line.actor_id),
        time=call.reader.moment(line.at),
    )


def _name(call: Call, tx: Tx, member_id: str | None) -> str:
    """A person in an error: a sentence without markup, as it may stand under a field of a form."""
    member = get_members(tx, [member_id]).get(member_id) if member_id else None
    return (member.name if member else "") or call.reader.say("a colleague")
