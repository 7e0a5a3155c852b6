"""Health: `/cs health`. Owns how the health of many accounts is shown; refuses to show one
(`commands.health.health_card`) and to compute any (`rules.health.health`, the score job).
"""

from __future__ import annotations

from datetime import date

from commands.blocks.accounts import shown_name
from commands.blocks.health import BAND_MARKS
from commands.health import feeds
from commands.health.health_card import CHANGE_DAYS, render_health
from commands.kit import Json, context, message, section
from commands.naming import find_account_here
from commands.slice import Call, Command, Message, Reply, Slice, Whisper
from commands.typed import get_today
from rules.health.health import show_score
from rules.people.roles import Permission
from rules.records import Band
from storage.db import Tx
from storage.health.portfolio import (
    Standing,
    count_bands,
    find_score_day,
    find_score_day_before,
    list_falls,
    list_lowest,
)
from words.reader import Reader


def health(call: Call, tx: Tx) -> list[Reply]:
    """`/cs health [ACCOUNT]`: one account's score explained, or one's accounts by band."""
    call.require(Permission.READ)
    account, _rest = find_account_here(call, tx, call.text)
    today = get_today(call, tx)
    shown = render_health(call.reader, tx, account, today) if account else render_portfolio(call, tx, today)
    return [Whisper(shown)]


def render_portfolio(call: Call, tx: Tx, today: date) -> Message:
    """How many of the person's accounts (of all, where they own none) are in each band, who is red, who fell."""
    reader, day = call.reader, find_score_day(tx, today) or today
    owner_id: str | None = call.person.id
    counts = count_bands(tx, day, owner_id)
    if not sum(counts.values()):
        owner_id, counts = None, count_bands(tx, day)
    total = sum(counts.values())
    if not total:
        return message(reader.say("There are no accounts yet. Add one with `/cs add`, or import a file."))
    if owner_id:
        head = reader.say_many("Your {count} account", "Your {count} accounts", total)
    else:
        head = reader.say_many("All accounts: {count} (you own none)", "All accounts: {count} (you own none)", total)
    bands = "  ".join(f"{BAND_MARKS[band]} {reader.number(counts[band])}" for band in _SHOWN_BANDS)
    text = f"*{head}*  {bands}"
    return message(text, section(text), *_lists(reader, tx, day, owner_id), _footer(reader, counts, day, today))


_SHOWN_BANDS = (Band.RED, Band.YELLOW, Band.GREEN, Band.UNKNOWN)


def _lists(reader: Reader, tx: Tx, day: date, owner_id: str | None) -> list[Json]:
    blocks = []
    lowest = list_lowest(tx, day, owner_id)
    if lowest:
        blocks.append(section("\n".join([f"*{reader.say('Lowest')}*", *(_line(each) for each in lowest)])))
    since = find_score_day_before(tx, day, CHANGE_DAYS)
    falls = list_falls(tx, day, since, owner_id) if since else []
    if since and falls:
        title = reader.say("Fell most in {span}", span=reader.span((day - since).days))
        lines = [_fall_line(reader, each) for each in falls]
        blocks.append(section("\n".join([f"*{title}*", *lines])))
    return blocks


def _line(standing: Standing) -> str:
    return f"{BAND_MARKS[standing.band]} {show_score(standing.score)}  {shown_name(standing.account)}"


def _fall_line(reader: Reader, standing: Standing) -> str:
    before = show_score(standing.before or 0)
    change = reader.signed(show_score(standing.score) - before)
    name = shown_name(standing.account)
    return f"{BAND_MARKS[standing.band]} {before} → {show_score(standing.score)} ({change})  {name}"


def _footer(reader: Reader, counts: dict[Band, int], day: date, today: date) -> Json:
    words = [reader.say("as of {day}", day=reader.date(day, today=today))]
    if counts[Band.UNKNOWN]:
        words.append(reader.say("⚪ too little is known: `/cs health` with the account's name says what is missing"))
    return context(*words)


SLICE = Slice(
    name="health",
    commands=(
        Command(
            name="health",
            usage="[ACCOUNT]",
            summary="An account's health score, explained, or your accounts by health",
            handle=health,
            access="reads",
            examples=("health acme", "health"),
        ),
    ),
    renders=feeds.RENDERS,
)
