"""A change of a milestone as people type it: "move go-live to 12 Mar because …". Owns the grammar and which milestone a
name means; refuses to judge the change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from commands.blocks.journeys import NAME_LENGTH
from commands.kit import clip
from commands.typed import read_date, split_date
from rules.errors import UserError
from rules.records import Lane
from rules.success.journeys import JourneyFacts, MilestoneFacts
from storage.library import find_template
from words.names import Named, split_leading_name


class Verb(StrEnum):
    """What is to happen to a milestone."""

    DONE = "done"
    MOVE = "move"
    SKIP = "skip"
    ADD = "add"
    REOPEN = "reopen"


_VERBS = {verb.value: verb for verb in Verb} | {
    "finished": Verb.DONE,
    "finish": Verb.DONE,
    "reached": Verb.DONE,
    "postpone": Verb.MOVE,
    "reschedule": Verb.MOVE,
    "完成": Verb.DONE,
    "推迟": Verb.MOVE,
    "推遲": Verb.MOVE,
    "改期": Verb.MOVE,
    "跳过": Verb.SKIP,
    "跳過": Verb.SKIP,
    "添加": Verb.ADD,
    "新增": Verb.ADD,
    "重开": Verb.REOPEN,
    "重開": Verb.REOPEN,
}
_LANES = {"customer": Lane.CUSTOMER, "theirs": Lane.CUSTOMER, "ours": Lane.OURS, "us": Lane.OURS, "goal": Lane.GOAL}
_BECAUSE = re.compile(r"(?:^|\s+)(?:because|due to)\s+|[\s,，]*(?:因为|因為|由于|由於)\s*", re.IGNORECASE)
_LATER = re.compile(r"\s*,?\s*\b(?:and|with)\s+(?:all\s+)?(?:the\s+)?(?:later|following)(?:\s+ones)?\b", re.IGNORECASE)
_TO = re.compile(r"^(?:to|until|on|到|至)\s*", re.IGNORECASE)
_DUE = re.compile(r"\s+(?:by|due|on|until)\s+", re.IGNORECASE)


@dataclass(frozen=True)
class TypedChange:
    """What stood behind a milestone's name; None and "" for what did not."""

    day: date | None = None
    reason: str = ""
    is_shifting: bool = False


@dataclass(frozen=True)
class TypedMilestone:
    """A milestone to add, as typed."""

    name: str
    day: date | None = None
    lane: Lane = Lane.OURS
    is_required: bool = False


def split_verb(text: str) -> tuple[Verb | None, str]:
    """The verb that `text` begins with, None for none, and the rest."""
    first, _space, rest = text.strip().partition(" ")
    verb = _VERBS.get(first.casefold())
    return (verb, rest.strip()) if verb else (None, text.strip())


def has_verb(text: str) -> bool:
    """Whether any word of `text` says what is to happen, so that something may be written."""
    return any(word.casefold() in _VERBS for word in text.split())


def pick_milestone(journey: JourneyFacts, text: str) -> tuple[MilestoneFacts, str]:
    """The milestone that `text` begins with, open ones before settled ones, and the rest. It may be called by its name
    or by that of its template in any language.

    Raises `UserError` with the nearest.
    """
    open_ones = [_to_named(journey, each) for each in journey.milestones if each.is_open]
    settled = [_to_named(journey, each) for each in journey.milestones if not each.is_open]
    for among in (open_ones, settled):
        found, rest = split_leading_name(text, among)
        if found.match is not None:
            return journey.get_milestone(found.match.id), rest
    found, rest = split_leading_name(text, open_ones)
    nearest = tuple((f'"{each.names[0]}"', clip(each.names[0], NAME_LENGTH)) for each in found.nearest)
    typed = _BECAUSE.split(_DUE.split(text)[0])[0].split(" to ")[0].strip()
    raise UserError(
        "I know no milestone “{milestone}” here. Did you mean one of these? Or see `/cs journey`.",
        nearest=nearest,
        milestone=typed,
    )


def read_change(text: str, today: date, *, is_past: bool = False) -> TypedChange:
    """What is said after the name: a day, `and later ones`, `because …`. `is_past`: a day without a year has been.

    Raises `UserError` for words that are no day.
    """
    parts = _BECAUSE.split(text, maxsplit=1)
    before, reason = parts[0], parts[1].strip() if len(parts) > 1 else ""
    later = _LATER.search(before)
    words = _TO.sub("", _LATER.sub(" ", before).strip())
    day = read_date(words, today, prefer="past" if is_past else "future") if words else None
    return TypedChange(day, reason, later is not None)


def read_addition(text: str, today: date) -> TypedMilestone:
    """`Security review by 12 Mar required customer`: a name, then its day and what else is known."""
    name, day, rest = text, None, ""
    for match in _DUE.finditer(text):
        found, after = split_date(text[match.end() :], today, prefer="future")
        if found is not None:
            name, day, rest = text[: match.start()], found, after
    words = rest.replace(",", " ").casefold().split()
    unknown = [word for word in words if word not in _LANES and word not in {"required", "optional"}]
    if unknown:
        raise UserError(
            "I do not understand “{word}” here. After the day may stand required, and customer, ours or goal.",
            word=unknown[0],
        )
    lane = next((_LANES[word] for word in words if word in _LANES), Lane.OURS)
    return TypedMilestone(name.strip(' "“”'), day, lane, "required" in words)


def _to_named(journey: JourneyFacts, milestone: MilestoneFacts) -> Named:
    template = find_template(journey.template_key)
    stages = template.stages if template else ()
    known = [each for stage in stages for each in stage.milestones if each.key == milestone.template_key]
    names = dict.fromkeys([milestone.name, *(name for each in known for name in each.names.values())])
    keys = [milestone.template_key] if milestone.template_key else []
    return Named(milestone.id, (*names, *keys))
