"""Settings of noise in words. Owns these sentences; refuses to lay out a form (`commands.alerts.noise_form`)."""

from __future__ import annotations

from collections.abc import Iterable

from rules.alerts.noise_settings import Chosen, NoiseSettings
from rules.records import Severity, Tier
from words.reader import Reader

TIER_CHOICES = ("", "D", "CD", "BCD", "ABCD")
"""Which tiers may be left to digests: the lowest ones."""


def setting_lines(reader: Reader, settings: NoiseSettings, chosen: Chosen, *, is_personal: bool) -> list[str]:
    """What holds, a line each; what was chosen here is marked."""
    names = [*label_words(reader)] if not is_personal else [*personal_names(reader)]
    return [
        f"{label_words(reader)[name]}: *{value_words(reader, settings, name)}*" + _origin(reader, name in chosen)
        for name in names
    ]


def _origin(reader: Reader, is_chosen: bool) -> str:  # noqa: FBT001  # what it says is what it is
    return "" if is_chosen else f" ({reader.say('as usual')})"


def personal_names(reader: Reader) -> Iterable[str]:
    """The settings a person has, in their order."""
    return (each for each in label_words(reader) if each not in ("channel_daily", "summary_above"))


def label_words(reader: Reader) -> dict[str, str]:
    """What each setting is called, in the order of the form."""
    return {
        "owner_daily": reader.say("Alerts at once per person and day"),
        "channel_daily": reader.say("Messages about alerts per channel and day"),
        "summary_above": reader.say("One summary for more messages at once than"),
        "digest_tiers": reader.say("Tiers that wait for digests"),
        "is_quiet_off_hours": reader.say("Quiet outside working hours"),
        "is_quiet_off_days": reader.say("Quiet on weekends and public holidays"),
        "at_once_from": reader.say("What interrupts"),
    }


def value_words(reader: Reader, settings: NoiseSettings, name: str) -> str:
    """The value of a setting."""
    value = getattr(settings, name)
    if isinstance(value, Severity):
        return severity_words(reader)[value]
    if isinstance(value, bool):
        return reader.say("yes") if value else reader.say("no")
    if isinstance(value, frozenset):
        return tier_words(reader, value)
    return reader.number(value)


def tier_words(reader: Reader, tiers: Iterable[Tier]) -> str:
    """Tiers by their letters."""
    return ", ".join(sorted(tiers)) or reader.say("none")


def severity_words(reader: Reader) -> dict[Severity, str]:
    """From which severity on an alert interrupts."""
    return {
        Severity.NOTICE: reader.say("every alert"),
        Severity.HIGH: reader.say("urgent ones"),
        Severity.CRITICAL: reader.say("critical ones only"),
    }
