"""One target with all there is about it: bar, plan and what was measured, owners, last values; and what can be done.

Owns this page; refuses to change anything (`commands.success.target_acts`).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise

from commands.blocks.accounts import shown_name
from commands.blocks.targets import bar_line, log_button, round_value, stand_line, status_mark, status_words
from commands.kit import Element, Json, actions, button, clip, confirm, context, esc, mention, message, section
from commands.slice import Message, Ref
from rules.records import TargetKind
from rules.success.curves import Point
from rules.success.targets import Assessment, TargetFacts, assess, curve_points, is_keep
from storage.accounts.accounts import AccountRow, get_account
from storage.db import Tx
from storage.people.members import get_members
from storage.success.metrics import name_metrics
from storage.success.targets import MeasurementRow, TargetRow, get_target, list_target_facts, list_values
from words.reader import Reader

AGREE, PAUSE, RESUME = "targets.agree", "targets.pause", "targets.resume"
EDIT, REPLACE, REMOVE, VALUES = "targets.edit", "targets.replace", "targets.remove", "targets.values"
_VALUES_SHOWN = 5
_STEPS_SHOWN = 16
_NOTE_LENGTH = 120
_NAME_LENGTH = 80


def render_target(reader: Reader, tx: Tx, target_id: str, today: date) -> Message:
    """The page of one target. Raises `NotFoundError`."""
    row = get_target(tx, target_id)
    account = get_account(tx, row.account_id)
    name = name_metrics(tx, {row.metric_key}, reader.locale)[row.metric_key]
    title = f"*{shown_name(account)}* · *{esc(clip(name, _NAME_LENGTH))}*"
    if row.removed_at is not None:
        text = reader.say("{target} was removed.", target=title)
        return message(text, section(text))
    facts = _find_facts(tx, account, row, today)
    found = assess(facts, today)
    head = f"{status_mark(found)} {title}  {stand_line(reader, row, found)}"
    return message(
        head,
        section(f"{head}\n{bar_line(reader, row, found)} · {status_words(reader, row, found)}"),
        *_plan_blocks(reader, row, facts, found, today),
        section(_owner_words(reader, tx, row)),
        *_value_blocks(reader, row, list_values(tx, account.id, row.metric_key, today, limit=_VALUES_SHOWN)),
        actions(*_buttons(reader, row, found)),
    )


def _find_facts(tx: Tx, account: AccountRow, row: TargetRow, today: date) -> TargetFacts:
    known = list_target_facts(tx, [account.id], today)[account.id]
    return next(facts for each, facts in known if each.id == row.id)


# ---------------------------------------------------------------- the plan


def _plan_blocks(reader: Reader, row: TargetRow, facts: TargetFacts, found: Assessment, today: date) -> list[Json]:
    """Each step with what was measured by then, and what was expected of the last value; a limit has no steps."""
    points = curve_points(facts)
    if is_keep(facts.kind) or not points:
        return []
    lines = [_step_words(reader, row, facts, (before, point), today) for (before, _value), point in pairwise(points)]
    title = reader.say("*Plan*")
    if found.expected is not None and found.measured_on is not None:
        expected = reader.quantity(round_value(found.expected, row), row.unit)
        title += "  " + reader.say("{value} on {day}", value=expected, day=reader.date(found.measured_on))
    return [section("\n".join([title, *lines[:_STEPS_SHOWN]]))]


def _step_words(reader: Reader, row: TargetRow, facts: TargetFacts, part: tuple[date, Point], today: date) -> str:
    """Like "✓ 31 Mar 2026: 6 %, measured 6.1 %"."""
    after, (day, value) = part
    measured = _measured_by(facts, after, day)
    planned = reader.quantity(round_value(value, row), row.unit)
    line = reader.say("{day}: {value}", day=reader.date(day), value=planned)
    if measured is not None:
        reached = measured <= value if _is_down(facts) else measured >= value
        said = reader.say("measured {value}", value=reader.quantity(round_value(measured, row), row.unit))
        return f"{'✓' if reached else '○' if day <= today else '·'} {line}, {said}"
    if day <= today:
        return f"○ {line}, " + reader.say("not measured")
    return f"· {line}"


def _measured_by(facts: TargetFacts, after: date, day: date) -> Decimal | None:
    """The last value after the step before and until this one; of a total the sum so far."""
    if not any(after < each <= day for each, _value in facts.measurements):
        return None
    counted = [value for each, value in facts.measurements if facts.start_on <= each <= day]
    return sum(counted, Decimal(0)) if facts.kind is TargetKind.CUMULATIVE else counted[-1]


def _is_down(facts: TargetFacts) -> bool:
    start = curve_points(facts)[0][1]
    return facts.goal < start


# ---------------------------------------------------------------- people and values


def _owner_words(reader: Reader, tx: Tx, row: TargetRow) -> str:
    owner = get_members(tx, [row.owner_id]).get(row.owner_id) if row.owner_id else None
    us = mention(owner.slack_id) if owner else reader.say("nobody")
    them = esc(clip(row.customer_owner, _NAME_LENGTH)) or reader.say("nobody named")
    parts = [
        reader.say("*Owners*  us {us} · them: {them}", us=us, them=them),
        reader.say("measured every {span}", span=reader.span(row.cadence_days)),
    ]
    if row.agreed_on:
        parts.append(reader.say("agreed {day}", day=reader.date(row.agreed_on)))
    return " · ".join(parts)


def _value_blocks(reader: Reader, row: TargetRow, values: list[MeasurementRow]) -> list[Json]:
    lines = [value_words(reader, each, row.unit) for each in values]
    return [context("\n".join([reader.say("Last values"), *lines]))] if lines else []


def value_words(reader: Reader, value: MeasurementRow, unit: str) -> str:
    """A value with its day and note."""
    note = f" — {esc(clip(value.note, _NOTE_LENGTH))}" if value.note else ""
    return f"{reader.date(value.measured_on)}  {reader.quantity(value.value, unit)}{note}"


# ---------------------------------------------------------------- buttons


def _buttons(reader: Reader, row: TargetRow, found: Assessment) -> list[Element]:
    ref, say = Ref("target", row.id), reader.say
    if row.replaced_by is not None:
        return [button(say("Newer target"), "targets.show", Ref("target", row.replaced_by))]
    is_draft, is_paused = row.agreed_on is None, row.paused_on is not None
    log = log_button(reader, row.account_id, metric_key=row.metric_key, is_primary=not is_draft)
    agree = [button(say("Agree"), AGREE, ref, style="primary")] if is_draft else []
    rest = button(say("Resume"), RESUME, ref) if is_paused else button(say("Pause"), PAUSE, ref)
    values = [button(say("Values"), VALUES, ref)] if found.measured_on else []
    sure = confirm(say("Remove this target?"), say("Its values stay. You can undo it."), say("Remove"), say("Keep it"))
    remove = button(say("Remove"), REMOVE, ref, confirm=sure)
    edit, renew = button(say("Edit"), EDIT, ref), button(say("Replace"), REPLACE, ref)
    return [*agree, log, edit, rest, renew, *values, remove]
