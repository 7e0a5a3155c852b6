"""How alerts about health are worked out, line by line, so that anybody can do the sum again. Owns these lines; refuses
the words of the alert itself (`commands.blocks.health_alerts`).

A figure stands with two decimals, as it is stored; what is rounded further is rounded last.
"""

from __future__ import annotations

from decimal import Decimal

from commands.blocks.alert_looks import AlertView, Facts, shown_day
from commands.blocks.health import capped_words, factor_name
from rules.alerts.health_signals import HEARD_DAYS
from rules.health.contributions import KNOCK_OUT
from rules.health.drops import FAST_DAYS, MARGIN, SLOW_DAYS, Criterion
from rules.health.health import YELLOW_FROM, show_score
from rules.health.usage import RARE_GAPS, SILENT_WORKING_DAYS
from words.reader import Reader

# ---------------------------------------------------------------- a drop


def drop_sums(reader: Reader, view: AlertView) -> list[str]:
    """Each factor's part, what they come to, and the threshold that was passed."""
    facts = view.facts
    shares = facts.get("shares", [])
    total = sum(each["weight"] for each in shares) or 1
    return [
        *(_share_line(reader, facts, each, total) for each in shares),
        *_total_lines(reader, facts),
        *_threshold_lines(reader, facts),
    ]


def _share_line(reader: Reader, facts: Facts, share: Facts, total: float) -> str:
    points = exact(reader, share["points"])
    if share["factor"] == KNOCK_OUT:
        cap = facts.get("capped_by") or facts.get("capped_before") or ""
        return f"{capped_words(reader, cap)} = {points}"
    before, after = exact(reader, share["before"]), exact(reader, share["after"])
    name = factor_name(reader, share["factor"])
    return f"{name}: ({after} − {before}) × {share['weight']:g} / {total:g} = {points}"


def _total_lines(reader: Reader, facts: Facts) -> list[str]:
    before, after = float(facts["before"]), float(facts["after"])
    days = reader.say(
        "{day} and {later}", day=shown_day(reader, facts, "from_day"), later=shown_day(reader, facts, "day")
    )
    sides = {"before": exact(reader, before), "after": exact(reader, after), "change": exact(reader, after - before)}
    said = "On the factors known on both {days}: {before} → {after}, which is {change}"
    lines = [reader.say(said, days=days, **sides)]
    old, new = facts.get("score_before"), facts.get("score")
    if old is not None and new is not None:
        shown = {"before": exact(reader, old), "after": exact(reader, new)}
        lines.append(reader.say("The scores of these days, on all factors: {before} → {after}", **shown))
    return lines


def _threshold_lines(reader: Reader, facts: Facts) -> list[str]:
    """Which part of the rule was met; older alerts did not keep the limit."""
    if facts.get("limit") is None:
        return []
    limit, lost = float(facts["limit"]), float(facts["before"]) - float(facts["after"])
    shown = {"lost": exact(reader, lost), "limit": exact(reader, limit)}
    said = {
        Criterion.INTO_RED: "Threshold: {limit} points lost into red. Lost were {lost}",
        Criterion.BAND_LOST: "Threshold: {limit} points lost with a band. Lost were {lost}",
        Criterion.FAST: "Threshold: {limit} points lost within {days}. Lost were {lost}",
        Criterion.SLOW: "Threshold: {limit} points lost within {days}. Lost were {lost}",
    }[Criterion(facts["criterion"])]
    days = SLOW_DAYS if facts["criterion"] == Criterion.SLOW else FAST_DAYS
    margin = reader.say("It ends {margin} points short of every threshold", margin=reader.number(round(MARGIN)))
    return [reader.say(said, days=reader.span(days), **shown), margin]


# ---------------------------------------------------------------- red


def red_sums(reader: Reader, view: AlertView) -> list[str]:
    """The score as it is made, and the limit it is under."""
    facts = view.facts
    factors = facts.get("factors", [])
    parts = [(factor_name(reader, each["factor"]), each["x"], each["weight"]) for each in factors]
    lines = [f"{name}: {exact(reader, x)} × {weight:g} = {exact(reader, x * weight)}" for name, x, weight in parts]
    weight, total = sum(each["weight"] for each in factors), sum(each["x"] * each["weight"] for each in factors)
    if weight:
        made = {"total": exact(reader, total), "weight": f"{weight:g}", "score": exact(reader, total / weight)}
        lines.append(reader.say("Together: {total} / {weight} = {score}", **made))
    if facts.get("capped_by"):
        lines.append(capped_words(reader, str(facts["capped_by"])))
    limit = float(facts.get("limit", YELLOW_FROM))
    shown = {"score": reader.number(show_score(float(facts["score"]))), "limit": reader.number(_whole(limit))}
    ends = reader.number(_whole(limit + MARGIN))
    lines.append(reader.say("Threshold: under {limit}. The score is {score}. It ends at {ends}", ends=ends, **shown))
    return lines


# ---------------------------------------------------------------- silence


def silence_sums(reader: Reader, view: AlertView) -> list[str]:
    """The days without use, the threshold, and the account's usual gap."""
    facts = view.facts
    since, until = shown_day(reader, facts, "last_use"), shown_day(reader, facts, "data_day")
    counted = reader.say(
        "After {since} up to {until}: {days} working days without use",
        since=since,
        until=until,
        days=reader.number(int(facts.get("working_days", 0))),
    )
    if facts.get("country"):
        counted += " " + reader.say("(by the calendar of {country})", country=reader.country(str(facts["country"])))
    limit = _whole(float(facts.get("limit", SILENT_WORKING_DAYS)))
    threshold = reader.say("Threshold: {limit} working days", limit=reader.number(limit))
    ends = reader.say("It ends when the last use is {days} working days back or less", days=reader.number(HEARD_DAYS))
    return [counted, *_gap_lines(reader, facts), f"{threshold}. {ends}"]


def _gap_lines(reader: Reader, facts: Facts) -> list[str]:
    lived, active = facts.get("lived_days"), facts.get("active_days")
    if not lived or not active:
        return []
    gap = lived / active
    shown = {
        "lived": reader.number(int(lived)),
        "active": reader.number(int(active)),
        "gap": exact(reader, gap),
        "times": reader.number(round(RARE_GAPS)),
        "least": exact(reader, RARE_GAPS * gap),
    }
    lines = [reader.say("Usual gap: {lived} days / {active} days of use = {gap}; {times} of them are {least}", **shown)]
    if facts.get("outage_days"):
        out = reader.span(int(facts["outage_days"]))
        lines.append(reader.say("Not counted: {span} on which no usage data came at all", span=out))
    return lines


def exact(reader: Reader, value: float) -> str:
    """A figure with at most two decimals."""
    return reader.number(round(Decimal(str(value)), 2).normalize() + 0)


def _whole(value: float) -> Decimal:
    return Decimal(f"{value:g}")
