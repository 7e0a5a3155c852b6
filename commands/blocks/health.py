"""What health looks like: its line, its factors in words, why it changed, its curve. Pure: rows in, text out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from commands.blocks.health_gaps import gap_words
from rules.health.contributions import COMPOSITION, KNOCK_OUT, Contribution, explain_change
from rules.health.factors import FACTORS
from rules.health.health import CAP, GREEN_FROM, YELLOW_FROM, KnockOut, show_score
from rules.health.readings import ReadingState
from rules.health.usage import DAILY, MONTHLY, SILENT_WORKING_DAYS, WINDOW_DAYS
from rules.records import Band
from storage.health.health import HealthScoreRow, to_day_score
from words.reader import Reader

BAND_MARKS = {Band.RED: "🔴", Band.YELLOW: "🟡", Band.GREEN: "🟢", Band.UNKNOWN: "⚪"}
MISSING_MARK, LEFT_OUT_MARK = "⚪", "▫️"
_BARS = "▁▂▃▄▅▆▇█"
_NO_BAR = "·"

Facts = Mapping[str, Any]


def health_line(reader: Reader, row: HealthScoreRow | None, previous: HealthScoreRow | None = None) -> str:
    """One line: "🟡 health 62 · −10 in 14 days · coverage 85 %", with the knock-out that holds."""
    if row is None:
        return f"{MISSING_MARK} " + reader.say("no health score yet")
    if row.score is None:
        share = reader.quantity(_percent(row.coverage), "%")
        words = [reader.say("health unknown: only {share} of what it needs is there", share=share)]
    else:
        words = [reader.say("health {score}", score=show_score(row.score)), *_change_words(reader, row, previous)]
        if _percent(row.coverage) < _ALL:
            words.append(reader.say("coverage {share}", share=reader.quantity(_percent(row.coverage), "%")))
    return f"{BAND_MARKS[row.band]} " + " · ".join([*words, *knock_out_words(reader, row)])


def _change_words(reader: Reader, row: HealthScoreRow, previous: HealthScoreRow | None) -> list[str]:
    if previous is None or previous.score is None or row.score is None:
        return []
    change = show_score(row.score) - show_score(previous.score)
    span = reader.span((row.day - previous.day).days)
    if not change:
        return [reader.say("the same as {span} ago", span=span)]
    return [reader.say("{change} in {span}", change=reader.signed(change), span=span)]


def knock_out_words(reader: Reader, row: HealthScoreRow) -> list[str]:
    """Why the score is capped; empty when it is not."""
    if not row.capped_by:
        return []
    return [_knock_out_reason(reader, row.capped_by) if row.score is None else capped_words(reader, row.capped_by)]


def capped_words(reader: Reader, knock_out: str) -> str:
    """At what a score is capped, and why; a knock-out of an older version stands for itself."""
    return reader.say("at most {cap}: {reason}", cap=int(CAP), reason=_knock_out_reason(reader, knock_out))


def _knock_out_reason(reader: Reader, knock_out: str) -> str:
    reasons: dict[str, str] = {
        KnockOut.NOTICE: reader.say("notice received"),
        KnockOut.OVERDUE: reader.say("an invoice is more than 30 days late"),
        KnockOut.SILENCE: reader.say("no use for {days} working days", days=SILENT_WORKING_DAYS),
    }
    return reasons.get(knock_out, knock_out)


def change_lines(reader: Reader, before: HealthScoreRow, after: HealthScoreRow) -> list[str]:
    """Why the score changed, adding up: "72 → 62 since 24 Feb: Active users −12 · Targets +2"; empty without change."""
    moved = [each for each in explain_change(to_day_score(before), to_day_score(after)) if each.points]
    if not moved or before.score is None or after.score is None:
        return []
    return [
        reader.say(
            "{before} → {after} since {day}: {parts}",
            before=show_score(before.score),
            after=show_score(after.score),
            day=reader.date(before.day, today=after.day),
            parts=" · ".join(_contribution_words(reader, each) for each in moved),
        )
    ]


def _contribution_words(reader: Reader, contribution: Contribution) -> str:
    if contribution.name == KNOCK_OUT:
        name = reader.say("cap at {cap}", cap=int(CAP))
    elif contribution.name == COMPOSITION:
        name = reader.say("factors that came or went")
    else:
        name = factor_name(reader, contribution.name)
    return f"{name} {reader.signed(contribution.points)}"


def factor_name(reader: Reader, slug: str) -> str:
    """A factor's name to people; a factor of an older version stands for itself."""
    name = next((factor.name for factor in FACTORS if factor.slug == slug), slug)
    return reader.say(name) if name != slug else slug


def factor_lines(reader: Reader, row: HealthScoreRow) -> list[str]:
    """One line per factor in the order of the score: its value and the facts behind it, or what lacks and how to
    supply it.
    """
    return [_factor_line(reader, slug, row.factors[slug]) for slug in _ordered(row.factors)]


def _ordered(factors: Mapping[str, Any]) -> list[str]:
    places = {factor.slug: place for place, factor in enumerate(FACTORS)}
    return sorted(factors, key=lambda slug: (places.get(slug, len(places)), slug))


def _factor_line(reader: Reader, slug: str, factor: Facts) -> str:
    name = f"*{factor_name(reader, slug)}*"
    if factor["state"] != ReadingState.PRESENT:
        is_missing = factor["state"] == ReadingState.MISSING
        words = gap_words(reader, factor["facts"])
        return f"{MISSING_MARK if is_missing else LEFT_OUT_MARK} {name}  {words}"
    word = _FACT_WORDS.get(slug)
    facts = f" · {word(reader, factor['facts'])}" if word else ""
    return f"{_value_mark(factor['x'])} {name}  {show_score(factor['x'])}{facts}"


def _value_mark(x: float) -> str:
    band = Band.GREEN if x >= GREEN_FROM else Band.YELLOW if x >= YELLOW_FROM else Band.RED
    return BAND_MARKS[band]


def _utilisation(reader: Reader, facts: Facts) -> str:
    words = {"active": reader.number(round(facts["active"])), "seats": reader.number(facts["seats"])}
    if facts["gauge"] == MONTHLY:
        return reader.say("{active} of {seats} seats active in a month", **words)
    if facts["gauge"] == DAILY:
        return reader.say("{active} of {seats} seats active on the best day of the week", **words)
    return reader.say("{active} of {seats} seats active in a week", **words)


def _trend(reader: Reader, facts: Facts) -> str:
    if not facts["current"] and not facts["previous"]:
        return reader.say("no use in {span}", span=reader.span(2 * WINDOW_DAYS))
    words = {
        "current": reader.number(round(facts["current"])),
        "previous": reader.number(round(facts["previous"])),
        "span": reader.span(WINDOW_DAYS),
    }
    said = reader.say("{current} in {span}, {previous} in the {span} before", **words)
    change = facts.get("change")
    return said if change is None else f"{said} ({reader.signed(round(change * 100), '%')})"


def _breadth(reader: Reader, facts: Facts) -> str:
    return reader.say("{used} of {core} core features used in {span}", span=reader.span(WINDOW_DAYS), **facts)


def _targets(reader: Reader, facts: Facts) -> str:
    said = reader.say("{good} of {judged} on track or better", good=facts["good"], judged=facts["judged"])
    if not facts["stale"]:
        return said
    return f"{said} · " + reader.say_many(
        "{count} without a recent value", "{count} without recent values", facts["stale"]
    )


def _support(reader: Reader, facts: Facts) -> str:
    words = [reader.say_many("{count} open ticket", "{count} open tickets", facts["running"])]
    if facts["slow"]:
        words.append(reader.say("{count} for more than 5 days", count=facts["slow"]))
    if facts["escalated"]:
        words.append(reader.say("{count} escalated", count=facts["escalated"]))
    if facts["satisfaction"] is not None:
        words.append(
            reader.say("satisfaction {value} of 5", value=reader.number(Decimal(str(round(facts["satisfaction"], 1)))))
        )
    return " · ".join(words)


def _payment(reader: Reader, facts: Facts) -> str:
    if not facts["overdue_days"]:
        return reader.say("nothing overdue")
    return reader.say("an invoice is {span} late", span=reader.span(facts["overdue_days"]))


_FACT_WORDS: Mapping[str, Callable[[Reader, Facts], str]] = {
    "utilisation": _utilisation,
    "trend": _trend,
    "breadth": _breadth,
    "targets": _targets,
    "support": _support,
    "payment": _payment,
}


def sparkline(values: Sequence[float | None]) -> str:
    """A curve of scores on the fixed scale 0...100, a dot where the score was unknown."""
    top = len(_BARS)
    return "".join(_NO_BAR if each is None else _BARS[min(top - 1, int(each * top / 100))] for each in values)


def weekly(scores: Mapping[date, float | None], until: date, weeks: int = 12) -> list[float | None]:
    """The last known score of each of the weeks that end on `until`'s weekday, the latest week last."""
    found: list[float | None] = [None] * weeks
    for day in sorted(scores):
        week = weeks - 1 - (until - day).days // 7
        if 0 <= week < weeks and scores[day] is not None:
            found[week] = scores[day]
    return found


_ALL = 100


def _percent(share: float) -> int:
    return round(share * _ALL)
