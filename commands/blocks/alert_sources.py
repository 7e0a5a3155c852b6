"""What an alert rests on: the rule and its version, what people changed about it, how old the data is, what the CSM
feels. Owns this one grey line; refuses the sum itself (`commands.blocks.alert_why`).
"""

from __future__ import annotations

from commands.blocks.alert_looks import AlertView, Look, shown_day
from commands.blocks.rule_words import adjustment_words, read_adjustment
from commands.kit import mention
from words.reader import Reader


def source_words(reader: Reader, view: AlertView, look: Look) -> str:
    """Like "rule drop-1 · usage up to 9 Mar 2026 · coverage 85 % · pulse 4 of 5 on 26 Feb 2026"."""
    parts = [reader.say("rule {rule}", rule=view.row.rule_version), *_changes(reader, view)]
    return " · ".join([*parts, *_ages(reader, view, look), *_pulse(reader, view)])


def _changes(reader: Reader, view: AlertView) -> list[str]:
    """What people had changed about the rule when the alert was raised."""
    kept = [read_adjustment(view.row.kind, each) for each in view.facts.get("adjusted", [])]
    changers = [view.changers.get(each.by) for each in kept]
    names = [mention(who.slack_id) if who else reader.say("somebody who left") for who in changers]
    return [adjustment_words(reader, each, who) for each, who in zip(kept, names, strict=True)]


def _ages(reader: Reader, view: AlertView, look: Look) -> list[str]:
    if look.sources is not None:
        return list(look.sources(reader, view))
    return (
        [reader.say("seen on {day}", day=shown_day(reader, view.facts, "seen_on"))] if "seen_on" in view.facts else []
    )


def _pulse(reader: Reader, view: AlertView) -> list[str]:
    if view.pulse is None:
        return []
    felt, day = view.pulse
    return [reader.say("pulse {value} of 5 on {day}", value=felt, day=reader.date(day))]
