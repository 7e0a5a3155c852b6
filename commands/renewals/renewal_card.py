"""An account's renewals on one page: what `/cs renewal` says, and the few lines on the account's card. Owns which facts
stand where; refuses to change anything.
"""

from __future__ import annotations

from datetime import date

from commands.blocks.accounts import add_contact_button, headline, health_mark, shown_name
from commands.blocks.checkins import checkin_button
from commands.blocks.renewals import (
    amount_words,
    contracts_button,
    decision_words,
    lack_words,
    leaving_words,
    outcome_button,
    past_words,
    readiness_words,
    renewal_button,
    rule_words,
    shown_note,
    two_keys,
    verdict_button,
)
from commands.blocks.targets import add_target_button, log_button
from commands.kit import Element, Json, actions, context, divider, mention, message, section
from commands.renewals.renewal_views import RenewalView, is_leaving, list_past, list_views
from commands.slice import Message
from rules.renewals.readiness import Check, Lack
from rules.renewals.renewals import COMING_DAYS
from storage.accounts.accounts import AccountRow
from storage.db import Tx
from storage.people.members import get_members
from storage.renewals.figures import read_figures
from storage.renewals.renewals import RenewalRow
from words.reader import Reader

VIEWS_SHOWN = 3
PAST_SHOWN = 5


def renewal_blocks(reader: Reader, tx: Tx, account: AccountRow, today: date) -> list[Json]:
    """For the account's card: on which day they leave, and what is to be decided soon, with a button; [] where nothing
    is.
    """
    views = [each for each in list_views(tx, account, today) if (each.row.decides_on - today).days <= COMING_DAYS]
    leaving = [context(leaving_words(reader, row, today)) for row in list_past(tx, account) if is_leaving(row, today)]
    return leaving + [
        section(f"{_head(reader, view, today)}\n{_keys(reader, view)}", accessory=renewal_button(reader, account.id))
        for view in views[:VIEWS_SHOWN]
    ]


def render_renewal(reader: Reader, tx: Tx, account: AccountRow, today: date) -> Message:
    """The whole page: every undecided end with what is missing and both verdicts, then how earlier ones ended."""
    owner = get_members(tx, [account.owner_id or ""]).get(account.owner_id or "")
    views, title = list_views(tx, account, today), headline(reader, account, owner)
    blocks = [block for each in views[:VIEWS_SHOWN] for block in _view_blocks(reader, account, each, today)]
    if not views:
        name = shown_name(account)
        hint = reader.say("No contract of {name} is to be renewed. Add one, or import a file of contracts.", name=name)
        blocks = [section(hint), actions(contracts_button(reader, account.id))]
    past, more = list_past(tx, account), len(views) - VIEWS_SHOWN
    leaving = [context(leaving_words(reader, row, today)) for row in past if is_leaving(row, today)]
    if more > 0:
        blocks.append(context(reader.say_many("and {count} more", "and {count} more", more)))
    return message(title, section(title), *leaving, *blocks, *_past_blocks(reader, tx, past))


# ---------------------------------------------------------------- one renewal


def _view_blocks(reader: Reader, account: AccountRow, view: RenewalView, today: date) -> list[Json]:
    row = view.row
    lacks = [
        section(f"• {lack_words(reader, lack)}", accessory=_remedy(reader, account, lack))
        for lack in view.prospect.readiness.missing
    ]
    return [
        divider(),
        section(_head(reader, view, today)),
        section(_keys(reader, view)),
        context(*_judge_words(reader, view), rule_words(reader)),
        *lacks,
        actions(*_buttons(reader, account, row, today)),
    ]


def _head(reader: Reader, view: RenewalView, today: date) -> str:
    """Health, dates, money, how ready: one line."""
    row = view.row
    amount = amount_words(reader, row.yearly_minor, row.currency)
    parts = [
        f"{health_mark(view.prospect.health)} {reader.say('renewal')}: {decision_words(reader, row, today)}",
        reader.say("{amount} a year", amount=amount) if amount else "",
        readiness_words(reader, view.prospect.readiness),
    ]
    return " · ".join(part for part in parts if part)


def _keys(reader: Reader, view: RenewalView) -> str:
    return two_keys(reader, view.row.verdict, view.prospect.computed)


def _judge_words(reader: Reader, view: RenewalView) -> list[str]:
    row = view.row
    if row.verdict is None:
        return []
    who = mention(view.judge.slack_id) if view.judge else reader.say("somebody who left")
    day = reader.date(row.verdict_on) if row.verdict_on else ""
    return [f"{who} {day}" + (f": {shown_note(row.verdict_note)}" if row.verdict_note else "")]


def _remedy(reader: Reader, account: AccountRow, lack: Lack) -> Element | None:
    """The button that mends what is missing; none for the verdict, whose button stands below."""
    match lack.check:
        case Check.SPONSOR:
            return add_contact_button(reader, account.id)
        case Check.TARGET:
            return add_target_button(reader, account.id)
        case Check.VALUE | Check.RESULT:
            return log_button(reader, account.id)
        case Check.TOUCH:
            return checkin_button(reader, account.id)
        case _:
            return None


def _buttons(reader: Reader, account: AccountRow, row: RenewalRow, today: date) -> list[Element]:
    """The verdict first, while there is none; the outcome from the decision date on."""
    is_due = row.decides_on <= today or row.verdict is not None
    verdict = verdict_button(reader, row, is_primary=not is_due)
    outcome = outcome_button(reader, row, is_primary=is_due)
    return [*([outcome, verdict] if is_due else [verdict, outcome]), contracts_button(reader, account.id)]


def _past_blocks(reader: Reader, tx: Tx, rows: list[RenewalRow]) -> list[Json]:
    if not rows:
        return []
    people = get_members(tx, [row.decided_by for row in rows if row.decided_by])
    lines = [reader.say("Earlier")]
    for row in rows[:PAST_SHOWN]:
        decider = people.get(row.decided_by or "")
        who = f" · {mention(decider.slack_id)}" if decider else ""
        lines.append(past_words(reader, row, read_figures(row.figures)) + who)
    return [context("\n".join(lines))]
