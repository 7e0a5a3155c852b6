"""What people type after `/cs journey ACCOUNT`: "start standard at adoption from 1 Mar", "next", a stage. Owns this
grammar; refuses to act.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum

from commands.slice import Access
from commands.success.journey_forms import Choice
from commands.typed import read_date
from rules.errors import UserError
from rules.success.journeys import JourneyFacts
from rules.success.templates import Template
from storage.library import list_templates
from words.names import Found, Named, find_name, split_leading_name


class Wish(StrEnum):
    """What is to happen to a journey."""

    START = "start"
    NEXT = "next"
    BACK = "back"
    CLOSE = "close"


_WISHES = {wish.value: wish for wish in Wish} | {
    "advance": Wish.NEXT,
    "finish": Wish.NEXT,
    "end": Wish.CLOSE,
    "开始": Wish.START,
    "開始": Wish.START,
    "下一步": Wish.NEXT,
    "退回": Wish.BACK,
    "关闭": Wish.CLOSE,
    "關閉": Wish.CLOSE,
}
_BECAUSE = re.compile(r"^(?:because|due to|因为|因為|由于|由於)\s*", re.IGNORECASE)
_CLAUSE = re.compile(r"(?:^|\s+)(?P<word>from|since|on|at|in|从|從|自|在)\s+", re.IGNORECASE)
_PLACES = frozenset({"at", "in", "在"})


def split_wish(text: str) -> tuple[Wish | None, str]:
    """The wish that `text` begins with, None for none, and the rest, without "because"."""
    first, _space, rest = text.strip().partition(" ")
    wish = _WISHES.get(first.casefold())
    return (wish, _BECAUSE.sub("", rest.strip())) if wish else (None, text.strip())


def get_access(text: str) -> Access:
    """A line with a wish anywhere in it may store something."""
    return "writes" if any(word.casefold() in _WISHES for word in text.split()) else "reads"


def read_start(text: str, today: date) -> Choice:
    """`standard at adoption from 1 Mar`, in any order after the template. Raises `UserError` for what is unknown."""
    found = list(_CLAUSE.finditer(text))
    ends = [match.start() for match in found] + [len(text)]
    lead, started_on, stage = text[: ends[0]].strip(), None, ""
    for match, end in zip(found, ends[1:], strict=True):
        words = text[match.end() : end].strip()
        if match["word"].casefold() in _PLACES:
            stage = words
        else:
            started_on = read_date(words, today, field="started_on")
    template = _find_template(lead) if lead else None
    stage_key = _find_stage_key(template, stage) if template and stage else ""
    return Choice(template.key if template else "", started_on, stage_key)


def find_stage(journey: JourneyFacts, text: str) -> str:
    """The key of the stage that `text` names. Raises `UserError` with the nearest."""
    named = [Named(each.key, (each.name,)) for each in journey.stages]
    return _get_match(find_name(text, named), text, "This journey has no stage “{name}”. Which one?")


def _find_template(text: str) -> Template:
    templates = {each.key: each for each in list_templates()}
    named = [Named(each.key, tuple(each.names.values())) for each in templates.values()]
    found, rest = split_leading_name(text, named, nearest=len(named))
    if rest and found.match is not None:
        sentence = "I found the template, but not what “{rest}” means. Type it like `start standard from 1 Mar`."
        raise UserError(sentence, rest=rest)
    return templates[_get_match(found, text, "There is no template “{name}”. Which one?")]


def _find_stage_key(template: Template, text: str) -> str:
    named = [Named(each.key, tuple(each.names.values())) for each in template.stages]
    return _get_match(find_name(text, named), text, "This template has no stage “{name}”. Which one?")


def _get_match(found: Found, text: str, sentence: str) -> str:
    if found.match is None:
        nearest = tuple((each.names[0], each.names[0]) for each in found.nearest)
        raise UserError(sentence, nearest=nearest, name=text)
    return found.match.id
