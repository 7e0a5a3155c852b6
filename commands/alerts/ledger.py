"""`/cs alerts ledger [days]`: what became of the alerts, rule by rule, as a table and a picture. Owns both; refuses
to count (`storage.alerts.ledger`), to judge (`rules.alerts.ledger`) and to draw (`commands.blocks.ledger_picture`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from commands.blocks.ledger_picture import Bar, Sheet, draw_sheet
from commands.blocks.timeline import alert_words
from commands.kit import context, message, section, table
from commands.slice import Call, Message, Picture, Reply, Whisper
from rules.alerts.ledger import (
    DEFAULT_DAYS,
    IGNORED_AFTER,
    LEAST_JUDGED,
    MOST_DAYS,
    Line,
    draw_up,
    sum_up,
)
from rules.errors import UserError
from rules.people.roles import Permission, may
from rules.records import DismissReason, Enqueue
from storage.alerts.ledger import Messages, count_alerts, count_messages
from storage.alerts.ledger_waits import measure_waits
from storage.db import Tx
from storage.delivery.outbox import enqueue
from storage.people.team import list_working_times
from words.reader import Reader

PICTURE = "ledger_picture"
"""Kind of the outbox row with the picture; its reference is the period, "since/until" as ISO moments."""


@dataclass(frozen=True)
class Ledger:
    """The figures of [since, until): a line per rule, all together, and how many messages went out."""

    since: datetime
    until: datetime
    lines: Sequence[Line]
    total: Line
    messages: Messages

    @property
    def days(self) -> int:
        """Length of the period."""
        return (self.until - self.since).days


def show_ledger(call: Call, tx: Tx, words: str) -> list[Reply]:
    """The table at once; the picture follows by direct message, but for viewers: nothing is written for them."""
    call.require(Permission.READ)
    since = call.now - timedelta(days=_read_days(words))
    ledger = read_ledger(tx, since, call.now)
    has_picture = bool(ledger.lines) and may(call.person.role, Permission.OWN_TIME)
    if has_picture:
        reference = f"{since.isoformat()}/{call.now.isoformat()}"
        key = f"{PICTURE}:{call.person.id}:{reference}"
        enqueue(tx, [Enqueue(PICTURE, reference, call.person.slack_id, key, priority=0)], call.now)
    return [Whisper(render_ledger(call.reader, ledger, has_picture=has_picture))]


def read_ledger(tx: Tx, since: datetime, until: datetime) -> Ledger:
    """The figures of the period, as things stand at its end: a fixed number of queries, whatever it holds."""
    found, waits = count_alerts(tx, since, until), measure_waits(tx, since, until, list_working_times(tx))
    return Ledger(since, until, draw_up(found, waits), sum_up(found, waits), count_messages(tx, since, until))


def render_picture_of(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """The picture of a period, with what it shows in words; None for what names no period, or one without alerts."""
    period = _read_period(reference)
    ledger = read_ledger(tx, *period) if period else None
    if ledger is None or not ledger.lines:
        return None
    sheet = _draw(reader, ledger)
    picture = Picture("ledger.png", _alt_words(reader, ledger), lambda: draw_sheet(sheet))
    title = _title(reader, ledger)
    return Message(title, (section(f"*{title}*"), context(*_notes(reader, ledger))), picture)


def _read_period(reference: str) -> tuple[datetime, datetime] | None:
    since, slash, until = reference.partition("/")
    try:
        return (datetime.fromisoformat(since), datetime.fromisoformat(until)) if slash else None
    except ValueError:
        return None


def render_ledger(reader: Reader, ledger: Ledger, *, has_picture: bool) -> Message:
    """The table: a row per rule that fired, and one for all of them."""
    title = _title(reader, ledger)
    if not ledger.lines:
        none = reader.say("No alert was raised in this time. What would be: `/cs alerts rules`.")
        return message(title, section(f"*{title}*"), context(none))
    rows = [_header(reader), *(_row(reader, each) for each in (*ledger.lines, ledger.total))]
    more = [reader.say("A picture follows by direct message.")] if has_picture else []
    rules = reader.say("All rules: `/cs alerts rules`.")
    return message(
        title, section(f"*{title}*"), table(rows), context(*_notes(reader, ledger), " ".join([*more, rules]))
    )


def _read_days(words: str) -> int:
    text = words.casefold().removesuffix("days").removesuffix("d").strip()
    if not text:
        return DEFAULT_DAYS
    if not text.isdecimal() or not 1 <= int(text) <= MOST_DAYS:
        sentence = "Give a number of days from 1 to {most}, like `/cs alerts ledger 30`."
        raise UserError(sentence, most=MOST_DAYS)
    return int(text)


def _title(reader: Reader, ledger: Ledger) -> str:
    return reader.say_many(
        "What became of {count} alert of the last {span}",
        "What became of {count} alerts of the last {span}",
        ledger.total.fired,
        span=reader.span(ledger.days),
    )


def _header(reader: Reader) -> list[str]:
    say = reader.say
    return [
        *(say("Rule"), say("Fired"), say("Acted on"), say("Dismissed"), say("Ignored"), say("Waiting")),
        *(say("Precision"), say("Acknowledged after")),
    ]


def _row(reader: Reader, line: Line) -> list[str]:
    counts = (line.fired, line.acted, line.dismissals, line.ignored, line.waiting)
    fired, acted, _dismissed, ignored, waiting = map(reader.number, counts)
    return [
        _name(reader, line),
        fired,
        acted,
        _dismissed_words(reader, line),
        ignored,
        waiting,
        precision_words(reader, line),
        _wait_words(reader, line),
    ]


def _name(reader: Reader, line: Line) -> str:
    return alert_words(reader, line.kind) if line.kind else reader.say("all rules")


def _dismissed_words(reader: Reader, line: Line) -> str:
    """How many, and why, the commonest reason first."""
    names = {
        DismissReason.WRONG_DATA: reader.say("wrong data"),
        DismissReason.KNOWN: reader.say("known"),
        DismissReason.NOT_RELEVANT: reader.say("not relevant"),
        DismissReason.TOO_SENSITIVE: reader.say("too sensitive"),
        DismissReason.OTHER: reader.say("other"),
    }
    ordered = sorted(line.dismissed.items(), key=lambda each: (-each[1], each[0]))
    why = ", ".join(f"{reader.number(count)} {names[reason]}" for reason, count in ordered)
    return reader.number(line.dismissals) + (f" ({why})" if why else "")


def precision_words(reader: Reader, line: Line) -> str:
    """Like "62 % of 34 (45–77 %)", or that there are too few to say."""
    share = line.precision
    if not line.is_enough:
        return reader.say("too few ({count})", count=reader.number(share.n))
    value, low, high = (round(100 * each) for each in (share.value, share.low, share.high))
    shown = {"low": reader.number(low), "high": reader.quantity(high, "%"), "n": reader.number(share.n)}
    return reader.say("{share} of {n} ({low}–{high})", share=reader.quantity(value, "%"), **shown)


def _wait_words(reader: Reader, line: Line) -> str:
    if line.hours is None or line.working_hours is None:
        return "–"
    return reader.say(
        "{worked} h of work ({hours} h), {answered} of {told}",
        worked=reader.number(_tenth(line.working_hours)),
        hours=reader.number(_tenth(line.hours)),
        answered=reader.number(line.answered),
        told=reader.number(line.told),
    )


def _notes(reader: Reader, ledger: Ledger) -> list[str]:
    """How to read the figures, and how many messages people got."""
    ignored = reader.say(
        "Ignored: ended by itself, or open and unanswered for more than {span}. Precision: acted on, of those that can "
        "be judged (not what was known and handled, or still waits), with its 95 % interval; from {least} alerts on.",
        span=reader.span(IGNORED_AFTER.days),
        least=reader.number(LEAST_JUDGED),
    )
    return [ignored, _message_words(reader, ledger)]


def _message_words(reader: Reader, ledger: Ledger) -> str:
    """Messages per person and day over the whole period, and the busiest day of one person and of a channel."""
    sent = ledger.messages
    if not sent.people and not sent.most_in_channel:
        return reader.say("No message was sent in this time.")
    mean = Decimal(sent.to_people) / (sent.people * max(1, ledger.days)) if sent.people else Decimal(0)
    return reader.say_many(
        "Messages: {mean} a day to {count} person, at most {most} in one day; at most {channel} in a channel a day.",
        "Messages: {mean} a day to each of {count} people, at most {most} to one in one day; at most {channel} in a "
        "channel in one day.",
        sent.people,
        mean=reader.number(round(mean, 1 if mean >= 1 else 2)),
        most=reader.number(sent.most_to_one),
        channel=reader.number(sent.most_in_channel),
    )


def _tenth(hours: float) -> Decimal:
    return round(Decimal(str(hours)), 1).normalize() + 0


# ---------------------------------------------------------------- the picture


def _draw(reader: Reader, ledger: Ledger) -> Sheet:
    say = reader.say
    parts = (
        say("acted on"),
        say("dismissed"),
        say("dismissed as too sensitive"),
        say("ignored"),
        say("waiting or moot"),
    )
    bars = tuple(
        Bar(
            _name(reader, line),
            precision_words(reader, line),
            (
                line.acted,
                line.dismissals - line.dismissed.get(DismissReason.TOO_SENSITIVE, 0),
                line.dismissed.get(DismissReason.TOO_SENSITIVE, 0),
                line.ignored,
                line.waiting + line.moot,
            ),
        )
        for line in ledger.lines
    )
    return Sheet(_title(reader, ledger), parts, bars)


def _alt_words(reader: Reader, ledger: Ledger) -> str:
    parts = [f"{_name(reader, each)}: {precision_words(reader, each)}" for each in ledger.lines]
    return reader.say("Bars by rule, with the precision of each.") + " " + "; ".join(parts)


RENDERS = {PICTURE: render_picture_of}
