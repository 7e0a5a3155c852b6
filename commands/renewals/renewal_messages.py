"""What the channel reads of a renewal: the message at the head of its thread, the reminders in it, how it ended. Owns
these messages as the outbox asks for them; they tell of the day the renewal was last looked at, and know no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from commands.blocks.accounts import shown_name
from commands.blocks.health import BAND_MARKS
from commands.blocks.renewals import (
    amount_words,
    change_words,
    decision_words,
    figures_words,
    lack_words,
    outcome_button,
    outcome_words,
    readiness_words,
    reason_words,
    renewal_button,
    shown_note,
    two_keys,
    verdict_button,
    verdict_words,
)
from commands.kit import Element, Json, actions, context, mention, message, section
from commands.slice import Message, Render
from rules.health.health import show_score
from rules.records import Band, RenewalOutcome, RenewalVerdict
from rules.renewals.outcomes import Reason
from rules.renewals.verdicts import disagrees
from storage.accounts.accounts import AccountRow, find_account
from storage.db import Tx
from storage.delivery.outbox import find_posted
from storage.people.members import MemberRow, get_members
from storage.people.workspaces import get_workspace
from storage.renewals.figures import read_figures
from storage.renewals.reminders import read_readiness, read_reply
from storage.renewals.renewals import REPLY, ROOT, SUMMARY, RenewalRow, find_renewal_row
from words.reader import Reader

_LAST_REMINDER = 14


@dataclass(frozen=True)
class _Told:
    """A renewal with all that its messages name. `seen_on`: the day it was last looked at."""

    reader: Reader
    row: RenewalRow
    account: AccountRow
    owner: MemberRow | None
    decider: MemberRow | None
    is_hiding: bool

    @property
    def name(self) -> str:
        return f"*{shown_name(self.account)}*"

    @property
    def seen_on(self) -> date | None:
        day = self.row.seen.get("day")
        return date.fromisoformat(day) if day else None

    @property
    def computed(self) -> RenewalVerdict | None:
        found = self.row.seen.get("computed")
        return RenewalVerdict(found) if found else None


def _find(reader: Reader, tx: Tx, renewal_id: str) -> _Told | None:
    row = find_renewal_row(tx, renewal_id)
    account = find_account(tx, row.account_id) if row else None
    if row is None or account is None:
        return None
    people = get_members(tx, [id_ for id_ in (account.owner_id, row.decided_by) if id_])
    owner, decider = people.get(account.owner_id or ""), people.get(row.decided_by or "")
    return _Told(reader, row, account, owner, decider, get_workspace(tx).is_hiding_amounts)


# ---------------------------------------------------------------- the head


def render_root(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """The message a renewal's thread hangs on, as it stands now; one grey line once it is decided."""
    told = _find(reader, tx, reference)
    if told is None:
        return None
    if told.row.outcome is not RenewalOutcome.OPEN:
        line = _decided_line(told)
        return message(line, context(line))
    lacks = [f"• {lack_words(reader, lack)}" for lack in read_readiness(told.row.seen).missing]
    line = _open_line(told)
    blocks: list[Json] = [section(line), section(two_keys(reader, told.row.verdict, told.computed))]
    if lacks:
        blocks.append(section("\n".join([f"*{readiness_words(reader, read_readiness(told.row.seen))}*", *lacks])))
    return message(line, *blocks, *_source(told), actions(*_buttons(told)))


def _open_line(told: _Told) -> str:
    reader, row = told.reader, told.row
    band = Band(row.seen.get("band") or Band.UNKNOWN)
    amount = "" if told.is_hiding else amount_words(reader, row.yearly_minor, row.currency)
    parts = [
        f"{BAND_MARKS[band]} {told.name} {reader.say('renewal')}: {decision_words(reader, row, told.seen_on)}",
        reader.say("{amount} a year", amount=amount) if amount else "",
        mention(told.owner.slack_id) if told.owner else reader.say("no owner"),
    ]
    return " · ".join(part for part in parts if part)


def _source(told: _Told) -> list[Json]:
    """Of which day this is, and the score of that day."""
    if told.seen_on is None:
        return []
    score = told.row.seen.get("score")
    words = [told.reader.say("as of {day}", day=told.reader.date(told.seen_on))]
    if score is not None:
        words.append(told.reader.say("health {score}", score=show_score(score)))
    return [context(" · ".join(words))]


def _buttons(told: _Told) -> list[Element]:
    has_verdict = told.row.verdict is not None
    verdict = verdict_button(told.reader, told.row, is_primary=not has_verdict)
    outcome = outcome_button(told.reader, told.row, is_primary=has_verdict)
    return [verdict, outcome, renewal_button(told.reader, told.account.id)]


def _decided_line(told: _Told) -> str:
    reader, row = told.reader, told.row
    if row.outcome is RenewalOutcome.CANCELLED:
        return "✓ " + reader.say("{name} renewal: nothing left to decide", name=told.name)
    mark = "✕" if row.outcome is RenewalOutcome.CHURNED else "✓"
    parts = [
        f"{mark} {told.name} {outcome_words(reader, row.outcome)}",
        "" if told.is_hiding else change_words(reader, row),
        _until(told),
        _decider(told),
    ]
    return " · ".join(part for part in parts if part)


def _until(told: _Told) -> str:
    row, reader = told.row, told.reader
    if row.outcome is RenewalOutcome.CHURNED:
        return reader.say("ends {day}", day=reader.date(row.ends_on))
    return reader.say("until {day}", day=reader.date(row.new_end_on)) if row.new_end_on else ""


def _decider(told: _Told) -> str:
    if told.row.decided_by is None:
        return told.reader.say("ran on by itself")
    return mention(told.decider.slack_id) if told.decider else told.reader.say("somebody who left")


# ---------------------------------------------------------------- replies


def render_reply(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """A reminder in the thread; None where the renewal was decided or moved before it went out."""
    found = read_reply(reference)
    told = _find(reader, tx, found[0]) if found else None
    if told is None or found is None or told.row.outcome is not RenewalOutcome.OPEN or told.row.decides_on != found[1]:
        return None
    missing = read_readiness(told.row.seen).missing
    said = _left_words(told)
    if found[2] == _LAST_REMINDER:
        said += " — " + reader.say("nobody said yet how it ends")
    elif not missing:
        said += " — " + reader.say("ready")
    who = f" · {mention(told.owner.slack_id)}" if told.owner else ""
    lacks = "\n".join(f"• {lack_words(reader, lack)}" for lack in missing)
    shown = [section(f"{said}{who}"), *([section(lacks)] if lacks else [])]
    return message(f"{said}{who}", *shown, actions(*_buttons(told)))


def _left_words(told: _Told) -> str:
    reader, day = told.reader, told.row.decides_on
    left = (day - told.seen_on).days if told.seen_on else 0
    name, shown = told.name, reader.date(day)
    if left < 0:
        return reader.say("{name}: the decision date, {day}, has passed", name=name, day=shown)
    if left == 0:
        return reader.say("{name}: the decision is due today", name=name)
    span = reader.span(left)
    return reader.say("{name}: {span} to the decision on {day}", name=name, span=span, day=shown)


def render_summary(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """How it ended, once in the thread; once taken back, that it was."""
    renewal_id, _colon, version = reference.partition(":")
    told = _find(reader, tx, renewal_id)
    if told is None or not version:
        return None
    if str(told.row.version) != version:
        if find_posted(tx, SUMMARY, reference) is None:
            return None
        gone = reader.say("{name}: the outcome recorded here was taken back.", name=told.name)
        return message(gone, context(gone))
    line = _decided_line(told)
    return message(line, section(line), *_why_blocks(told), *_forecast_blocks(told))


def _why_blocks(told: _Told) -> list[Json]:
    """The reason with its figures, and the words that came with it."""
    row, reader, figures = told.row, told.reader, read_figures(told.row.figures)
    lines = []
    if row.reason:
        why = reason_words(reader, Reason(row.reason), figures)
        lines += [f"{reader.say('Why')}: {why}", figures_words(reader, figures)]
    if row.note:
        lines.append(f"“{shown_note(row.note)}”")
    return [section("\n".join(lines))] if lines else []


def _forecast_blocks(told: _Told) -> list[Json]:
    """What the two keys said before."""
    own, computed, reader = told.row.verdict, told.computed, told.reader
    if own is None and computed is None:
        return []
    said = verdict_words(reader, own) if own else reader.say("no verdict")
    words = reader.say(
        "Before: {verdict}; the figures said: {computed}", verdict=said, computed=verdict_words(reader, computed)
    )
    return [context(words + (" · " + reader.say("they disagreed") if disagrees(own, computed) else ""))]


RENDERS: dict[str, Render] = {ROOT: render_root, REPLY: render_reply, SUMMARY: render_summary}
