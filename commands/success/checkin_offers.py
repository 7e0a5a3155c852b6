"""Offered check-ins: the message of a morning, skipping one, putting one off, and undoing that. Owns these; refuses to
decide when one is due (`rules.success.cadence`).
"""

from __future__ import annotations

from datetime import date, timedelta

from commands.access import require_on
from commands.blocks.accounts import shown_name
from commands.blocks.checkins import LATER, MORE, SKIP, DueLine, due_blocks, settled_words
from commands.kit import Json, actions, button, context, date_picker, form_field, message, section, text_input
from commands.slice import (
    Button,
    Call,
    Form,
    FormView,
    Message,
    OpenForm,
    Ref,
    Reply,
    Whisper,
    answer_in_place,
)
from commands.typed import get_today, read_date
from rules.errors import StaleError
from rules.people.roles import Permission
from rules.records import OfferState
from rules.success.checkins import REASON_LENGTH, CheckinIntent, ReopenOffer, decide_put_off, decide_skip
from rules.undo import Done, check_undo
from storage.accounts.accounts import AccountRow, get_account
from storage.db import Tx
from storage.people.members import get_members
from storage.success.changes import find_earlier
from storage.success.checkin_writes import apply_checkins, to_offer
from storage.success.checkins import CheckinOfferRow, find_open_offer, get_offer, latest_pulses, list_of_batch
from words.reader import Reader

SKIP_FORM, LATER_FORM = "checkins.skip_form", "checkins.later_form"
UNDO_OFFER = "checkins.undo_offer"
LINES = 15
"""Open offers of one message: each takes up to three blocks, and Slack takes 50."""
_DELAY = timedelta(days=7)
"""What the form proposes."""


def render_batch_of(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """The one message of a morning, as its offers stand now: the open ones with buttons, the settled ones as lines."""
    found = list_of_batch(tx, reference)
    if not found:
        return None
    pulses = latest_pulses(tx, [account.id for _offer, account in found])
    people = get_members(tx, [offer.settled_by for offer, _account in found if offer.settled_by])
    lines = [DueLine(account, offer.due_on, pulses.get(account.id), offer) for offer, account in found]
    waiting = [each for each in lines if each.offer and _is_open(each.offer)]
    settled = [settled_words(reader, each, people) for each in lines if each not in waiting]
    title = _title(reader, waiting, len(lines))
    blocks = [block for each in waiting[:LINES] for block in _blocks(reader, each, reference)]
    more = len(waiting) - LINES
    rest = [context(reader.say("and {count} more: `/cs checkins`", count=reader.number(more)))] if more > 0 else []
    done = [context("\n".join(settled))] if settled else []
    return message(title, section(f"*{title}*"), *blocks, *rest, *done)


def choose_more(call: Call, tx: Tx) -> list[Reply]:
    """The menu behind an offer: the form to skip it, or to put it off."""
    offer, account = _get_open(call, tx)
    do = call.ref.extra.get("do", "") if call.ref else ""
    if do == SKIP:
        return [OpenForm(_skip_form(call.reader, offer, account))]
    if do == LATER:
        return [OpenForm(_later_form(call.reader, offer, account, get_today(call, tx) + _DELAY))]
    raise StaleError("This menu is from an older version. See `/cs checkins` for those that are due.")


def submit_skip(call: Call, tx: Tx) -> list[Reply]:
    """Left out this time, with the reason."""
    offer, account = _get_open(call, tx)
    today = get_today(call, tx)
    intents = decide_skip(to_offer(offer), call.value("reason"), call.person.id, today)
    said = call.reader.say("Skipped the check-in with {account}.", account=f"*{shown_name(account)}*")
    return [_settle(call, tx, offer, intents, said)]


def submit_later(call: Call, tx: Tx) -> list[Reply]:
    """Put off until a day."""
    offer, account = _get_open(call, tx)
    today = get_today(call, tx)
    until = read_date(call.value("until"), today, prefer="future", field="until")
    intents = decide_put_off(to_offer(offer), until, call.person.id, today)
    name, day = f"*{shown_name(account)}*", call.reader.date(until)
    said = call.reader.say("The check-in with {account} comes back on {day}.", account=name, day=day)
    return [_settle(call, tx, offer, intents, said)]


def undo_offer(call: Call, tx: Tx) -> list[Reply]:
    """The offer stands again, within the time and by whom `rules.undo` allows."""
    call.require(Permission.ACCOUNT_WRITE)
    offer = get_offer(tx, call.ref.id if call.ref else "")
    account = get_account(tx, offer.account_id)
    earlier = find_earlier(tx, offer, f"offer.{OfferState.SKIPPED.value}")
    if earlier is None:
        raise StaleError("This was already undone.")
    is_needed = not earlier.is_last or find_open_offer(tx, account.id) is not None
    done = Done(earlier.at, earlier.actor_id, is_undone=earlier.is_undone, is_needed=is_needed)
    check_undo(done, call.person.id, call.person.role, call.now)
    apply_checkins(tx, [ReopenOffer(offer.id, offer.version)], call.person.actor, call.now)
    said = call.reader.say("Undone: the check-in with {account} is due.", account=f"*{shown_name(account)}*")
    return [answer_in_place(call, message(said))]


# ---------------------------------------------------------------- acting


def _get_open(call: Call, tx: Tx) -> tuple[CheckinOfferRow, AccountRow]:
    """The offer of the call and its account, where the person may act on it: it is theirs, or the account is.

    Raises `StaleError`, with who was first, where it is settled.
    """
    call.require(Permission.READ)
    offer = get_offer(tx, call.ref.id if call.ref else "")
    account = get_account(tx, offer.account_id)
    _require(call, tx, offer, account)
    if _is_open(offer):
        return offer, account
    settler = get_members(tx, [offer.settled_by or ""]).get(offer.settled_by or "")
    if settler is None:
        raise StaleError("This check-in is no longer due. See `/cs checkins` for those that are.")
    sentence = {
        OfferState.DONE: "Nothing was changed: {who} has already checked in, {day}.",
        OfferState.SKIPPED: "Nothing was changed: {who} has already skipped it or put it off, {day}.",
    }[offer.state]
    raise StaleError(sentence, who=settler.name or call.reader.say("a colleague"), day=offer.settled_on or "")


def _require(call: Call, tx: Tx, offer: CheckinOfferRow, account: AccountRow) -> None:
    if offer.member_id == call.person.id:
        call.require(Permission.ACCOUNT_WRITE)
    else:
        require_on(call, tx, Permission.ACCOUNT_WRITE, account)


def _settle(call: Call, tx: Tx, offer: CheckinOfferRow, intents: list[CheckinIntent], said: str) -> Whisper:
    apply_checkins(tx, intents, call.person.actor, call.now)
    undo = button(call.reader.say("Undo"), UNDO_OFFER, Ref("offer", offer.id))
    return Whisper(message(said, section(said), actions(undo)))


def _is_open(offer: CheckinOfferRow) -> bool:
    return offer.state is OfferState.OFFERED


# ---------------------------------------------------------------- showing


def _title(reader: Reader, waiting: list[DueLine], total: int) -> str:
    if not waiting:
        return reader.say_many("The check-in is dealt with", "All {count} check-ins are dealt with", total)
    names = ", ".join(shown_name(each.account) for each in waiting[:3])
    return reader.say_many("{count} check-in due: {names}", "{count} check-ins due: {names}", len(waiting), names=names)


def _blocks(reader: Reader, line: DueLine, reference: str) -> list[Json]:
    blocks = due_blocks(reader, line)
    if line.offer is not None and line.offer.reminder_id == reference:
        since = reader.say("Still open since {day}", day=reader.date(line.offer.offered_on))
        blocks.insert(1, context(since))
    return blocks


def _skip_form(reader: Reader, offer: CheckinOfferRow, account: AccountRow) -> FormView:
    element = text_input(max_length=REASON_LENGTH)
    field = form_field("reason", reader.say("Why?"), element, hint=reader.say("The next one is due as usual."))
    head = section(f"*{shown_name(account)}*")
    return FormView(SKIP_FORM, reader.say("Skip check-in"), (head, field), reader.say("Skip"), Ref("offer", offer.id))


def _later_form(reader: Reader, offer: CheckinOfferRow, account: AccountRow, initial: date) -> FormView:
    field = form_field("until", reader.say("Remind me on"), date_picker(initial=initial))
    head = section(f"*{shown_name(account)}*")
    return FormView(LATER_FORM, reader.say("Put off"), (head, field), reader.say("Put off"), Ref("offer", offer.id))


BUTTONS = (Button(MORE, choose_more, "reads"), Button(UNDO_OFFER, undo_offer, "writes"))
FORMS = (Form(SKIP_FORM, submit_skip), Form(LATER_FORM, submit_later))
