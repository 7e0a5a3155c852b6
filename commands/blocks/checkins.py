"""What check-ins, next steps and risks look like: their lines and buttons. Pure: rows in, text out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from commands.blocks.accounts import shown_name
from commands.kit import Element, Json, actions, button, clip, esc, mention, overflow, section
from commands.slice import Ref
from rules.records import OfferState
from rules.success.risks import RiskOutcome
from storage.accounts.accounts import AccountRow
from storage.people.members import MemberRow
from storage.success.checkins import CheckinOfferRow
from storage.success.risks import RiskRow
from storage.success.tasks import TaskRow
from words.reader import Reader

OPEN_CHECKIN = "checkins.open"
MORE = "checkins.more"
LIST_CHECKINS = "checkins.list"
LIST_TASKS = "tasks.list"
ADD_TASK = "tasks.add"
DONE_TASK = "tasks.done"
TASK_MORE = "tasks.more"
LIST_RISKS = "risks.list"
ADD_RISK = "risks.add"
CLOSE_RISK = "risks.close"
REOPEN_RISK = "risks.reopen"
RISK_MORE = "risks.more"
SKIP, LATER, EDIT, REMOVE = "skip", "later", "edit", "remove"
"""What the menus behind a line offer."""
_TEXT_LENGTH = 300
_MARKS = {OfferState.OFFERED: "🟡", OfferState.DONE: "✅"}

People = Mapping[str, MemberRow]
"""Members by our id."""


@dataclass(frozen=True)
class DueLine:
    """A check-in that is due, as a line shows it. `pulse`: the latest and its day, None before the first check-in;
    `offer` None: not offered yet.
    """

    account: AccountRow
    due_on: date
    pulse: tuple[int, date] | None = None
    offer: CheckinOfferRow | None = None


# ---------------------------------------------------------------- check-ins


def checkin_button(reader: Reader, account_id: str, *, is_primary: bool = False) -> Element:
    """Opens the check-in form of the account."""
    style = "primary" if is_primary else None
    return button(reader.say("Check in"), OPEN_CHECKIN, Ref("account", account_id), style=style)


def checkins_button(reader: Reader) -> Element:
    """Lists the check-ins that are due for whoever presses it."""
    return button(reader.say("Check-ins"), LIST_CHECKINS, Ref("checkins", "", {"which": "mine"}))


def due_words(reader: Reader, line: DueLine) -> str:
    """An account whose check-in is due: "*Acme* · tier A · due 3 Mar 2026 · pulse 4 of 5 on 17 Feb 2026"; before the
    first "*Acme* · tier A · no check-in yet".
    """
    parts = [f"*{shown_name(line.account)}*"]
    if line.account.tier:
        parts.append(reader.say("tier {tier}", tier=line.account.tier.value))
    if line.pulse is None:
        return " · ".join([*parts, first_words(reader)])
    parts.append(reader.say("due {day}", day=reader.date(line.due_on)))
    return " · ".join([*parts, pulse_words(reader, *line.pulse)])


def first_words(reader: Reader) -> str:
    """Instead of since when it is due: counted from a contract's start, that would be since long before us."""
    return reader.say("no check-in yet")


def pulse_words(reader: Reader, pulse: int, day: date) -> str:
    """How the account felt to us: "pulse 4 of 5 on 17 Feb 2026"."""
    return reader.say("pulse {pulse} of 5 on {day}", pulse=reader.number(pulse), day=reader.date(day))


def due_blocks(reader: Reader, line: DueLine, *, is_primary: bool = False) -> list[Json]:
    """The line with its button; what was offered can also be skipped or put off."""
    choices = [(SKIP, reader.say("Skip this one…")), (LATER, reader.say("Remind me later…"))]
    rest = [_menu(MORE, "offer", line.offer.id, choices)] if line.offer else []
    check_in = checkin_button(reader, line.account.id, is_primary=is_primary)
    return [section(f"{_MARKS[OfferState.OFFERED]} {due_words(reader, line)}"), actions(check_in, *rest)]


def settled_words(reader: Reader, line: DueLine, people: People) -> str:
    """One line for an offer that is settled: what became of it, and by whom."""
    offer = line.offer
    name = f"*{shown_name(line.account)}*"
    if offer is None or offer.state is OfferState.SUPERSEDED:
        return reader.say("⚪ {account}: no longer yours to check in with, or no longer due", account=name)
    who = who_words(reader, people, offer.settled_by)
    if offer.state is OfferState.DONE:
        return f"{_MARKS[OfferState.DONE]} " + reader.say("{account}: checked in by {who}", account=name, who=who)
    if offer.resumes_on is not None:
        day = reader.date(offer.resumes_on)
        return reader.say("⚪ {account}: put off until {day} by {who}", account=name, day=day, who=who)
    reason = short(offer.reason)
    return reader.say("⚪ {account}: skipped by {who}, “{reason}”", account=name, who=who, reason=reason)


# ---------------------------------------------------------------- next steps


def task_line(reader: Reader, row: TaskRow, account: AccountRow | None, people: People, today: date) -> str:
    """One next step: text, account (where given), person, day; a mark where the day has passed."""
    parts = [short(row.text)]
    if account is not None:
        parts.insert(0, f"*{shown_name(account)}*")
    parts.append(who_words(reader, people, row.owner_id))
    if row.due_on is not None:
        parts.append(reader.say("by {day}", day=reader.date(row.due_on)))
    is_late = row.due_on is not None and row.due_on < today
    return ("🔴 " if is_late else "") + " · ".join(parts)


def task_blocks(reader: Reader, row: TaskRow, line: str) -> list[Json]:
    """The line with its buttons."""
    done = button(reader.say("Done"), DONE_TASK, Ref("task", row.id))
    choices = [(EDIT, reader.say("Edit or move…")), (REMOVE, reader.say("Remove"))]
    return [section(line), actions(done, _menu(TASK_MORE, "task", row.id, choices))]


def tasks_button(reader: Reader, account_id: str) -> Element:
    """Lists the open next steps of the account."""
    return button(reader.say("Next steps"), LIST_TASKS, Ref("account", account_id))


def add_task_button(reader: Reader, account_id: str = "") -> Element:
    """Opens the form for a next step (of the account, if given)."""
    return button(reader.say("Add a next step"), ADD_TASK, Ref("account", account_id))


# ---------------------------------------------------------------- risks


def risk_line(reader: Reader, row: RiskRow, account: AccountRow | None, people: People) -> str:
    """One risk: text, account (where given), person, since when, and the plan below; a closed one with its outcome."""
    parts = [short(row.text), who_words(reader, people, row.owner_id)]
    if account is not None:
        parts.insert(0, f"*{shown_name(account)}*")
    if row.closed_on is None:
        parts.append(reader.say("since {day}", day=reader.date(row.opened_on)))
    else:
        parts.append(f"{outcome_words(reader, row.outcome)} {reader.date(row.closed_on)}")
    line = " · ".join(parts)
    if row.closed_on is not None:
        return line + (f"\n{short(row.outcome_note)}" if row.outcome_note else "")
    plan = reader.say("Plan: {plan}", plan=short(row.plan)) if row.plan else reader.say("No plan yet")
    return f"{line}\n{plan}"


def risk_blocks(reader: Reader, row: RiskRow, line: str) -> list[Json]:
    """The line with its buttons: close and edit, or open again."""
    ref = Ref("risk", row.id)
    if row.closed_on is not None:
        return [section(line, accessory=button(reader.say("Reopen"), REOPEN_RISK, ref))]
    choices = [(EDIT, reader.say("Edit plan or owner…"))]
    close = button(reader.say("Close"), CLOSE_RISK, ref)
    return [section(line), actions(close, _menu(RISK_MORE, "risk", row.id, choices))]


def risks_button(reader: Reader, account_id: str) -> Element:
    """Lists the open risks of the account."""
    return button(reader.say("Risks"), LIST_RISKS, Ref("account", account_id))


def add_risk_button(reader: Reader, account_id: str = "") -> Element:
    """Opens the form for a risk (of the account, if given)."""
    return button(reader.say("Add a risk"), ADD_RISK, Ref("account", account_id))


def outcome_words(reader: Reader, outcome: RiskOutcome | None) -> str:
    """How a risk ended."""
    return {
        RiskOutcome.AVERTED: reader.say("averted"),
        RiskOutcome.HAPPENED: reader.say("it happened"),
        RiskOutcome.MOOT: reader.say("no longer a risk"),
        None: reader.say("closed"),
    }[outcome]


# ---------------------------------------------------------------- words


def who_words(reader: Reader, people: People, member_id: str | None) -> str:
    """A member's mention, or that there is nobody."""
    member = people.get(member_id or "")
    return mention(member.slack_id) if member else reader.say("nobody")


def short(text: str) -> str:
    """Untrusted text for a line: on one line, clipped, safe in mrkdwn."""
    return esc(clip(" ".join(text.split()), _TEXT_LENGTH))


def _menu(action: str, kind: str, id_: str, choices: list[tuple[str, str]]) -> Element:
    return overflow(action, [(Ref(kind, id_, {"do": do}).dump(), label) for do, label in choices])
