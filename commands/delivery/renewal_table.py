"""The weekly table of renewals: what is decided in the next 90 days, where verdict and figures disagree first. Owns its
columns and sums; refuses to judge (`rules.renewals.verdicts`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from commands.blocks.accounts import health_mark
from commands.blocks.renewals import verdict_words
from commands.kit import clip, context, message, section, table
from commands.slice import Message
from rules.delivery.digests import RENEWAL_DAYS
from rules.records import RenewalVerdict
from rules.renewals.verdicts import disagrees, measure_gap
from storage.accounts.accounts import AccountRow
from storage.agenda import list_next_steps
from storage.db import Tx
from storage.health.health import HealthScoreRow, list_latest
from storage.people.workspaces import get_workspace
from storage.renewals.readiness import Prospect, list_prospects
from storage.renewals.renewals import RenewalRow, list_coming
from storage.success.risks import count_open_risks
from storage.success.tasks import TaskRow
from words.money import Amount
from words.reader import Reader

MOST_ROWS = 40
"""Rows of the table: Slack takes 100, but 13,000 characters in all."""
_MOST_READ = 400
_TREND_DAYS = 30
_LEAST_TREND = 3
"""A score that moved by fewer points is level."""
_NAME_LENGTH, _STEP_LENGTH = 40, 60
_FORECASTS = (*RenewalVerdict, None)


@dataclass(frozen=True)
class _Line:
    """One renewal with everything its row tells."""

    row: RenewalRow
    account: AccountRow
    prospect: Prospect
    before: HealthScoreRow | None
    risks: int
    step: TaskRow | None

    @property
    def gap(self) -> int:
        """How far verdict and figures are apart, where they disagree."""
        own, computed = self.row.verdict, self.prospect.computed
        return measure_gap(own, computed) if disagrees(own, computed) else 0


def render_renewals(tx: Tx, reader: Reader, day: date) -> Message | None:
    """What is open as of `day`; None without renewals. Money only where the workspace shows it in channels."""
    lines = _load(tx, day)
    if not lines:
        return None
    is_hiding = get_workspace(tx).is_hiding_amounts
    title = reader.say_many(
        "{count} renewal to decide in {days} days", "{count} renewals to decide in {days} days",
        len(lines), days=RENEWAL_DAYS,
    )  # fmt: skip
    said = [title, *_disagreement_words(reader, lines)]
    rows = _rows(reader, lines[:MOST_ROWS], day, is_hiding=is_hiding)
    more = len(lines) - MOST_ROWS
    rest = [reader.say("and {count} more: `/cs renewals`", count=reader.number(more))] if more > 0 else []
    sums = context(" · ".join(_sums(reader, lines, is_hiding=is_hiding)), *rest)
    return message(title, section("\n".join([f"*{said[0]}*", *said[1:]])), table(rows), sums)


def _load(tx: Tx, day: date) -> list[_Line]:
    found = list_coming(tx, day + timedelta(days=RENEWAL_DAYS), limit=_MOST_READ)
    ids = sorted({account.id for _row, account in found})
    prospects = list_prospects(tx, [row for row, _account in found], day)
    before = list_latest(tx, ids, day - timedelta(days=_TREND_DAYS))
    risks, steps = count_open_risks(tx, ids), list_next_steps(tx, ids)
    lines = [
        _Line(row, account, prospects[row.id], before.get(account.id), risks.get(account.id, 0), steps.get(account.id))
        for row, account in found
    ]
    return sorted(lines, key=lambda line: (-line.gap, line.row.decides_on, line.row.id))


def _rows(reader: Reader, lines: Sequence[_Line], day: date, *, is_hiding: bool) -> list[list[str]]:
    columns: list[tuple[str, Callable[[_Line], str]]] = [
        (reader.say("Account"), lambda line: clip(line.account.name, _NAME_LENGTH)),
        (reader.say("Decides"), lambda line: reader.date(line.row.decides_on, today=day)),
        (reader.say("Amount"), lambda line: _amount(reader, line)),
        (reader.say("Health"), _health),
        (reader.say("Targets"), _targets),
        (reader.say("Risks"), lambda line: reader.number(line.risks)),
        (reader.say("Verdict"), lambda line: _verdict(reader, line.row.verdict)),
        (reader.say("Figures say"), lambda line: verdict_words(reader, line.prospect.computed)),
        (reader.say("Next step"), lambda line: _step(reader, line, day)),
    ]
    shown = [each for each in columns if not (is_hiding and each[0] == reader.say("Amount"))]
    return [[name for name, _draw in shown], *([draw(line) for _name, draw in shown] for line in lines)]


def _amount(reader: Reader, line: _Line) -> str:
    return reader.money(Amount(line.row.yearly_minor, line.row.currency), is_compact=True)


def _health(line: _Line) -> str:
    now, before = line.prospect.health, line.before
    mark = health_mark(now)
    if now is None or now.score is None or before is None or before.score is None:
        return mark
    change = now.score - before.score
    if abs(change) < _LEAST_TREND:
        return f"{mark} →"
    return f"{mark} {'↑' if change > 0 else '↓'}"


def _targets(line: _Line) -> str:
    found = line.prospect.targets
    return f"{sum(each.is_achieved for each in found)}/{len(found)}" if found else "–"


def _verdict(reader: Reader, verdict: RenewalVerdict | None) -> str:
    return verdict_words(reader, verdict) if verdict else reader.say("none yet")


def _step(reader: Reader, line: _Line, day: date) -> str:
    if line.step is None:
        return "–"
    text = clip(line.step.text, _STEP_LENGTH)
    return f"{text} ({reader.date(line.step.due_on, today=day)})" if line.step.due_on else text


def _disagreement_words(reader: Reader, lines: Sequence[_Line]) -> list[str]:
    count = sum(line.gap > 0 for line in lines)
    if not count:
        return []
    return [
        reader.say_many(
            "{count} verdict disagrees with the figures: it comes first",
            "{count} verdicts disagree with the figures: they come first",
            count,
        )
    ]


def _sums(reader: Reader, lines: Sequence[_Line], *, is_hiding: bool) -> list[str]:
    """By verdict how many, and how much a year in each currency."""
    sums = []
    for forecast in _FORECASTS:
        own = [line.row for line in lines if line.row.verdict is forecast]
        if own:
            name = verdict_words(reader, forecast) if forecast else reader.say("no verdict yet")
            sums.append(f"{name}: {reader.number(len(own))}{'' if is_hiding else _money(reader, own)}")
    return sums


def _money(reader: Reader, rows: Sequence[RenewalRow]) -> str:
    found: dict[str, int] = {}
    for row in rows:
        found[row.currency] = found.get(row.currency, 0) + row.yearly_minor
    sums = (reader.money(Amount(minor, currency), is_compact=True) for currency, minor in sorted(found.items()))
    return f" ({' + '.join(sums)})"
