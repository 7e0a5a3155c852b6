"""Where accounts stand on their journeys, a page at a time: what `/cs journeys` says. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

from commands.blocks.accounts import shown_name
from commands.blocks.journeys import NAME_LENGTH, journey_button
from commands.kit import Json, clip, context, esc, message, section
from commands.pages import Page
from commands.slice import Call, Message, Ref
from commands.typed import find_person_id, split_mentions
from rules.errors import UserError
from storage.db import Tx
from storage.success.journey_lists import Standing, Standings, list_standings, list_without_journey
from words.reader import Reader

BACK, NEXT = "journeys.back_page", "journeys.next_page"
PAGE_LENGTH = 10
_NAMES_SHOWN = 5
_LONGEST_FILTER = 200
_MINE, _ALL, _STUCK = (
    frozenset({"mine", "my", "me", "我的"}),
    frozenset({"all", "全部"}),
    frozenset({"stuck", "停滞", "停滯"}),
)


def render_walks(call: Call, tx: Tx, text: str, wanted: int, today: date) -> Message:
    """The `wanted`th (from 1) ten: one's own accounts, everybody's (`all`) or a person's, all or only the `stuck` ones.

    Raises `UserError` for another word.
    """
    owner_id, is_stuck = _read_filter(call, tx, text)
    found, page = _turn_to(partial(list_standings, tx, owner_id, today, PAGE_LENGTH, is_stuck=is_stuck), wanted)
    missing = _missing_blocks(call.reader, tx, owner_id)
    if not found.rows:
        said = _empty_words(call.reader, is_stuck=is_stuck)
        return message(said, section(said), *missing)
    title = f"*{_title(call.reader, found)}*"
    return message(
        title,
        section(title),
        *(
            section(_line(call.reader, each, today), accessory=journey_button(call.reader, each.account_id))
            for each in found.rows
        ),
        *page.turns(call.reader, BACK, NEXT, Ref("journeys", "", {"text": text[:_LONGEST_FILTER]})),
        *missing,
    )


def _read_filter(call: Call, tx: Tx, text: str) -> tuple[str | None, bool]:
    """Whose accounts (None: everybody's), and whether only the stuck ones."""
    person, _channel, rest = split_mentions(text[:_LONGEST_FILTER])
    words = frozenset(rest.replace(",", " ").lower().split())
    if unknown := sorted(words - _MINE - _ALL - _STUCK):
        sentence = "I cannot list journeys by “{word}”. Use mine, all, stuck or a person's @name."
        raise UserError(sentence, word=unknown[0])
    if person:
        return find_person_id(tx, person), bool(words & _STUCK)
    return (None if words & _ALL else call.person.id), bool(words & _STUCK)


def _turn_to(find: Callable[[int], Standings], wanted: int) -> tuple[Standings, Page]:
    """The wanted page; where it is gone by now, the last one."""
    found = find(max(0, wanted - 1) * PAGE_LENGTH)
    if not found.rows and wanted > 1:
        found = find(Page(find(0).total, PAGE_LENGTH, wanted).offset)
    return found, Page(found.total, PAGE_LENGTH, wanted)


def _title(reader: Reader, found: Standings) -> str:
    title = reader.say_many("{count} account on its journey", "{count} accounts on their journeys", found.total)
    return f"{title} · " + reader.say_many("{count} stuck", "{count} stuck", found.stuck) if found.stuck else title


def _line(reader: Reader, each: Standing, today: date) -> str:
    """Mark, name, stage with its day, what is overdue."""
    pace = each.pace
    mark = "🟡" if pace.is_stuck(today) else "●"
    day = reader.number(max(1, (today - pace.since).days + 1))
    stage = esc(clip(each.stage, NAME_LENGTH))
    where = reader.say("{stage}: day {day}", stage=stage, day=day)
    if pace.planned_days is not None:
        planned = reader.number(pace.planned_days)
        where = reader.say("{stage}: day {day} of {planned}", stage=stage, day=day, planned=planned)
    parts = [f"{mark} *{esc(clip(each.name, NAME_LENGTH))}*", where]
    if each.overdue:
        parts.append(reader.say_many("{count} milestone overdue", "{count} milestones overdue", each.overdue))
    if pace.is_stuck(today):
        parts.append(reader.say("stuck"))
    return " · ".join(parts)


def _missing_blocks(reader: Reader, tx: Tx, owner_id: str | None) -> list[Json]:
    """Customers that have no journey, by name; nothing where all have one."""
    total, first = list_without_journey(tx, owner_id, _NAMES_SHOWN)
    if not total:
        return []
    text = reader.say_many("{count} customer has no journey:", "{count} customers have no journey:", total)
    label = reader.say("Start")
    rows = [section(shown_name(row), accessory=journey_button(reader, row.id, label=label)) for row in first]
    return [context(text), *rows]


def _empty_words(reader: Reader, *, is_stuck: bool) -> str:
    if is_stuck:
        return reader.say("No journey is stuck. `/cs journeys` shows where everybody stands.")
    return reader.say(
        "No account of yours is on a journey. Start one with `/cs journey` and its name, "
        "or see everybody's: `/cs journeys all`."
    )
