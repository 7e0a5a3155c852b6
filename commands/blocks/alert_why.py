"""The whole calculation behind an alert, to read and to do again by hand: rule, sum, days observed, where the condition
and the alert stand, why it is quiet, and what happened. Pure: rows in, blocks out; refuses to look anything up
(`commands.alerts.why`) and to word one kind's sum (the subjects' `*_alerts` beside it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from commands.blocks.alert_looks import AlertView
from commands.blocks.alert_sources import source_words
from commands.blocks.alert_words import verb_words
from commands.blocks.alerts import LOOKS, alert_line
from commands.kit import Json, clip, context, esc, section
from rules.alerts.alerts import COOLDOWN, NOTE_LENGTH
from rules.alerts.conditions import FLAPPING_DAYS, FLAPPING_OPENINGS, Condition
from rules.records import QuietReason
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from words.reader import Reader

_LAST_LINES = 10


@dataclass(frozen=True)
class Case:
    """An alert with all that its calculation tells.

    Args:
        view: the alert.
        condition: where its condition stands now; None once that is forgotten.
        history: what happened to it, oldest first; `names` are mentions by the actor's id.
    """

    view: AlertView
    condition: Condition | None = None
    history: Sequence[AlertEventRow] = ()
    names: Mapping[str, str] = field(default_factory=dict)


def render_why(reader: Reader, case: Case) -> list[Json]:
    """The blocks of a form that is only read."""
    view, look = case.view, LOOKS[case.view.row.kind]
    sums = look.sums(reader, view) if look.sums else ()
    parts = [
        (reader.say("The sum"), sums),
        (reader.say("The days"), _day_lines(reader, case)),
        (reader.say("Where it stands"), _standing_lines(reader, case)),
        (reader.say("What to do"), look.next_steps(reader, view)),
    ]
    blocks = [section(f"{alert_line(reader, view)}\n{look.why(reader, view)}"), section(look.rule(reader))]
    blocks += [section(f"*{title}*\n" + "\n".join(f"• {line}" for line in lines)) for title, lines in parts if lines]
    told = [_history_words(reader, each, case.names) for each in case.history[-_LAST_LINES:]]
    history = [section(f"*{reader.say('History')}*\n" + "\n".join(told))] if told else []
    return [*blocks, context(source_words(reader, view, look)), *history]


# ---------------------------------------------------------------- the days


def _day_lines(reader: Reader, case: Case) -> list[str]:
    """On which days it was seen, how bad it was on each, and how many days it takes."""
    view, look = case.view, LOOKS[case.view.row.kind]
    needed = int(view.facts.get("needed") or 0)
    sightings = view.facts.get("sightings") or []
    lines = []
    for day, level in sightings:
        shown = reader.date(date.fromisoformat(day))
        lines.append(f"{shown}: {look.level(reader, float(level))}" if look.level else shown)
    if needed:
        lines.append(
            reader.say_many("It takes {count} day to raise it", "It takes {count} different days to raise it", needed)
        )
    seen = view.facts.get("seen_on")
    if seen and all(seen != day for day, _level in sightings):
        lines.append(reader.say("The figures are of {day}", day=reader.date(date.fromisoformat(seen))))
    return lines


# ---------------------------------------------------------------- where it stands


def _standing_lines(reader: Reader, case: Case) -> list[str]:
    return [
        *_condition_lines(reader, case.condition),
        *_cooldown_lines(reader, case),
        *_quiet_lines(reader, case.view),
        *_escalation_lines(reader, case.view),
    ]


def _condition_lines(reader: Reader, condition: Condition | None) -> list[str]:
    if condition is None:
        return []
    state = reader.say("still so") if condition.is_on else reader.say("no longer so")
    checked = reader.date(condition.observed_on)
    lines = [reader.say("Last looked at on {day}: {state}", day=checked, state=state)]
    limits = {"limit": reader.number(FLAPPING_OPENINGS), "span": reader.span(FLAPPING_DAYS)}
    if condition.is_flapping:
        said = "It began {limit} times or more within {span}: digests only until as many days are quiet"
        return [*lines, reader.say(said, **limits)]
    if condition.openings:
        days = ", ".join(reader.date(day) for day in condition.openings)
        lines.append(reader.say("It began on {days}; {limit} times within {span} are too often", days=days, **limits))
    return lines


def _cooldown_lines(reader: Reader, case: Case) -> list[str]:
    back = [line for line in case.history if line.verb == "reopened"]
    if not back:
        return []
    when, span = reader.moment(back[-1].at), reader.span(COOLDOWN.days)
    return [reader.say("It came back {time}, within {span} of its end: the same alert again", time=when, span=span)]


def _quiet_lines(reader: Reader, view: AlertView) -> list[str]:
    """Why it was not told of at once, or not yet."""
    row, lines = view.row, []
    if row.is_quiet:
        lines.append(_quiet_words(reader, row).get(row.quiet_reason) or reader.say("Listed in digests only"))
    if row.held_until and row.announced_at is None and row.closed_at is None:
        lines.append(reader.say("Held back until {time}: until then it is quiet", time=reader.moment(row.held_until)))
    if row.announced_at:
        lines.append(reader.say("Told {time}", time=reader.moment(row.announced_at)))
    return lines


def _quiet_words(reader: Reader, row: EpisodeRow) -> Mapping[str, str]:
    spent = {"count": reader.number(row.quiet_count), "limit": reader.number(row.quiet_limit)}
    return {
        QuietReason.FLAPPING: reader.say("In digests only: it came and went too often lately"),
        QuietReason.DIGEST_KIND: reader.say("In digests only: this rule interrupts nobody"),
        QuietReason.TIER: reader.say("In digests only: accounts of this tier interrupt nobody"),
        QuietReason.SEVERITY: reader.say("In digests only: its person wants to hear of graver ones alone"),
        QuietReason.BUDGET: reader.say(
            "Left to the digest: its person was told of {count} of {limit} that day", **spent
        ),
        QuietReason.CHANNEL: reader.say(
            "Left to the digest: its channel had {count} of {limit} messages that day", **spent
        ),
        QuietReason.MUTED: reader.say("Not told of: muted"),
    }


def _escalation_lines(reader: Reader, view: AlertView) -> list[str]:
    """How far it was carried up, and when it goes further by itself."""
    row, lines = view.row, []
    plan = [each for each in row.escalation if each.get("level")]
    if plan:
        steps = ", ".join(reader.moment(datetime.fromisoformat(str(each["at"]))) for each in plan)
        lines.append(reader.say("Planned since it waits: carried up {moments}", moments=steps))
    if row.escalated_to:
        level, levels = reader.number(row.escalated_to), reader.number(max(row.escalated_to, len(plan)))
        lines.append(reader.say("Carried up so far: level {level} of {levels}", level=level, levels=levels))
    if row.timer_at and row.closed_at is None:
        lines.append(_timer_words(reader, row.timer_step, row.timer_at))
    return lines


def _timer_words(reader: Reader, step: str, at: datetime) -> str:
    said = {
        "escalate": "Carried up {time} unless somebody takes it",
        "ask": "Asked about {time} if nothing happens",
        "return": "Open again {time} if nobody answers",
    }.get(step, "Looked at again {time}")
    return reader.say(said, time=reader.moment(at))


def _history_words(reader: Reader, line: AlertEventRow, names: Mapping[str, str]) -> str:
    who = names.get(line.actor_id) or reader.say("Milepost")
    note = f": {esc(clip(line.note, NOTE_LENGTH))}" if line.note else ""
    return f"{reader.moment(line.at)} · {verb_words(reader, line.verb)} · {who}{note}"
