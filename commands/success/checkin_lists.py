"""Lists of check-ins that are due: mine, somebody's, everybody's. Owns finding them and turning pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from commands.blocks.checkins import LIST_CHECKINS, DueLine, due_blocks
from commands.kit import context, esc, message, section
from commands.pages import Page, wanted_page
from commands.slice import Button, Call, Message, Ref, Reply, Whisper, answer_in_place
from commands.typed import find_person_id, get_today, split_mentions
from rules.errors import UserError
from rules.people.roles import Permission
from rules.success.cadence import cadence_days, depends_on_decision, next_due
from rules.success.checkins import Due, rank_due
from storage.accounts.accounts import get_accounts
from storage.db import Tx
from storage.people.members import get_members
from storage.people.team import get_team_time, list_working_times
from storage.renewals.renewals import list_renewal_facts
from storage.success.cadence_candidates import list_candidates
from storage.success.cadences import Watched, find_decision
from storage.success.checkins import latest_pulses, list_offered_days, list_open_offers

BACK, NEXT = "checkins.back", "checkins.next"
MINE, ALL = "mine", "all"
LENGTH = 8
_PAGE = 500
_MINE = frozenset({"", MINE, "my", "me", "我的"})
_ALL = frozenset({ALL, "全部"})


def show_list(call: Call, tx: Tx) -> list[Reply]:
    """`/cs checkins [mine | all | @person]`."""
    call.require(Permission.READ)
    person, _channel, rest = split_mentions(call.text)
    which = rest.casefold()
    if person:
        return [Whisper(_page(call, tx, find_person_id(tx, person), 1))]
    if which in _MINE:
        return [Whisper(_page(call, tx, call.person.id, 1))]
    if which in _ALL:
        return [Whisper(_page(call, tx, ALL, 1))]
    sentence = "I cannot list check-ins by “{word}”. Use mine, all or a person's @name. To check in: `/cs checkin`."
    raise UserError(sentence, word=rest)


def turn_page(call: Call, tx: Tx) -> list[Reply]:
    """The buttons under a list, and those that lead to one."""
    call.require(Permission.READ)
    extra = call.ref.extra if call.ref else {}
    which = extra.get("which", MINE)
    whose = call.person.id if which == MINE else which
    return [answer_in_place(call, _page(call, tx, whose, wanted_page(call)))]


def list_due(tx: Tx, member_id: str | None, today: date) -> list[Due]:
    """The check-ins that are due on `today` for a member (None: for anybody), the most urgent first: those offered,
    and those that will be.
    """
    found = {each.account_id: each for each in _find_due(tx, member_id, today)}
    for id_, due_on in list_offered_days(tx, member_id):
        found.setdefault(id_, Due(id_, due_on, 1))
    return rank_due(found.values(), today)


def _find_due(tx: Tx, member_id: str | None, today: date) -> Iterator[Due]:
    """Of most accounts the database can tell that nothing is due; contracts are read of those they can matter for."""
    times, team = list_working_times(tx), get_team_time(tx)
    candidates = list_candidates(tx, member_id, today)
    decisions = _find_decisions(tx, [each for each in candidates if depends_on_decision(each.facts, today)], today)
    for each in candidates:
        facts, country = each.facts, times.get(each.owner_id or "", team).country
        if each.account_id in decisions:
            facts = replace(facts, decides_on=decisions[each.account_id])
        days, due_on = cadence_days(facts, today), next_due(facts, today, country)
        if days is not None and due_on is not None and due_on <= today:
            yield Due(each.account_id, due_on, days, facts.tier)


def _find_decisions(tx: Tx, watched: Sequence[Watched], today: date) -> dict[str, date | None]:
    ids = [each.account_id for each in watched]
    pages = (list_renewal_facts(tx, ids[at : at + _PAGE], today) for at in range(0, len(ids), _PAGE))
    return {id_: find_decision(facts, today) for page in pages for id_, facts in page.items()}


def _show(tx: Tx, due: Sequence[Due], member_id: str | None) -> list[DueLine]:
    """The lines of a page."""
    ids = [each.account_id for each in due]
    accounts, pulses = get_accounts(tx, ids), latest_pulses(tx, ids)
    offers = {account.id: offer for offer, account in list_open_offers(tx, member_id, ids)}
    return [
        DueLine(accounts[each.account_id], each.due_on, pulses.get(each.account_id), offers.get(each.account_id))
        for each in due
    ]


def _page(call: Call, tx: Tx, whose: str, wanted: int) -> Message:
    member_id = None if whose == ALL else whose
    due = list_due(tx, member_id, get_today(call, tx))
    title = f"*{_title(call, tx, whose, len(due))}*"
    if not due:
        return message(title, section(title), context(_empty_hint(call)))
    page = Page(len(due), LENGTH, wanted)
    lines = _show(tx, page.cut(due), member_id)
    blocks = [block for each in lines for block in due_blocks(call.reader, each)]
    turns = page.turns(call.reader, BACK, NEXT, Ref("checkins", "", {"which": whose}))
    return message(title, section(title), *blocks, *turns)


def _title(call: Call, tx: Tx, whose: str, total: int) -> str:
    say = call.reader.say_many
    if whose == ALL:
        return say("{count} check-in is due", "{count} check-ins are due", total)
    if whose == call.person.id:
        return say("{count} check-in of yours is due", "{count} check-ins of yours are due", total)
    member = get_members(tx, [whose]).get(whose)
    name = esc(member.name) if member else call.reader.say("somebody")
    return say("{who}: {count} check-in is due", "{who}: {count} check-ins are due", total, who=name)


def _empty_hint(call: Call) -> str:
    return call.reader.say(
        "Nobody waits for one. Check-ins come due by tier: A every 14 days, B 30, C 90. "
        "Check in any time with `/cs checkin` and the account's name; see also `/cs checkins all`."
    )


BUTTONS = (
    Button(BACK, turn_page, "reads"),
    Button(NEXT, turn_page, "reads"),
    Button(LIST_CHECKINS, turn_page, "reads"),
)
