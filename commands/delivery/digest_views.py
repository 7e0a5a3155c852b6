"""What a digest looks like: a person's, the team channel's, and one section of it in full. Owns their layout; each line
is drawn by `agenda_lines`, the table of renewals by `renewal_table`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from commands.alerts.alert_views import load_views
from commands.blocks.alerts import alert_line
from commands.delivery.agenda_lines import TAKE, line_blocks, load_sight
from commands.delivery.renewal_table import render_renewals
from commands.kit import Json, button, context, mention, message, section
from commands.pages import Page
from commands.slice import Message, Ref
from rules.delivery.digests import Contents, Item, Section, arrange, choose_section, recall
from rules.records import DigestKind, EpisodeState
from storage.agenda import list_items_of, load_alerts
from storage.alerts.alerts import EpisodeRow
from storage.db import Tx
from storage.delivery.digests import DIGEST, DigestRow, find_digest
from storage.delivery.outbox import find_posted
from storage.people.members import MemberRow, find_by_slack_id
from words.reader import Reader

ALL, BACK, MORE = "digests.all", "digests.back", "digests.more"
NEWS_DAYS = timedelta(days=8)
PAGE_LENGTH = 10
MOST_TEXT = 12_000
"""Slack takes some 13,000 characters in the blocks of a message."""


def render_digest_of(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """The digest `reference` as of now. Once everything it told of is settled: a line that says so where it was posted
    before, so that no old button stays; None where it was not.
    """
    row = find_digest(tx, reference)
    if row is None:
        return None
    found = _render(tx, reader, row)
    is_posted = found is None and find_posted(tx, DIGEST, row.id) is not None
    return _render_settled(reader, row) if is_posted else found


def _render(tx: Tx, reader: Reader, row: DigestRow) -> Message | None:
    match row.kind:
        case DigestKind.PERSON:
            return _render_personal(tx, reader, row)
        case DigestKind.TEAM:
            return _render_unclaimed(tx, reader, row)
        case DigestKind.RENEWALS:
            return render_renewals(tx, reader, row.day)


def _render_settled(reader: Reader, row: DigestRow) -> Message:
    """One grey line, as of a closed alert."""
    said = {
        DigestKind.PERSON: reader.say("all of it is settled"),
        DigestKind.TEAM: reader.say("each of these alerts was taken or has ended"),
        DigestKind.RENEWALS: reader.say("no renewal is to be decided any more"),
    }[row.kind]
    text = f"✓ {reader.weekday(row.day.weekday())} · {said}"
    return message(text, context(text))


# ---------------------------------------------------------------- a person's


def _render_personal(tx: Tx, reader: Reader, row: DigestRow) -> Message | None:
    member = find_by_slack_id(tx, row.recipient)
    if member is None:
        return None
    contents = recall(row.contents, list_items_of(tx, member, row.day, row.created_at - NEWS_DAYS))
    if not contents.list_items():
        return None
    return _lay_out(tx, reader, contents, row.day, member.id, row.id)


def render_now(tx: Tx, reader: Reader, member: MemberRow, day: date, items: Sequence[Item]) -> Message | None:
    """The digest that somebody would get if it were made now; None where it would be empty."""
    contents = arrange(items, day)
    return _lay_out(tx, reader, contents, day, member.id) if contents.list_items() else None


def agenda_blocks(
    tx: Tx, reader: Reader, contents: Contents, day: date, reader_id: str, digest_id: str = ""
) -> list[Json]:
    """Every section with its lines, and a way to those that are only counted."""
    sight = load_sight(tx, reader, contents.list_items(), day, reader_id, digest_id)
    blocks: list[Json] = []
    for each in Section:
        told = contents.sections.get(each, ())
        if lines := line_blocks(reader, told, sight):
            blocks += [section(f"*{section_name(reader, each)}*"), *lines]
            blocks += _more(reader, each, contents.counts.get(each, 0) - len(told))
    return blocks


def title_words(reader: Reader, contents: Contents, day: date) -> str:
    """The first line, as a phone shows it: "Tuesday · 4 things need you, 2 can wait"."""
    urgent, rest = contents.counts.get(Section.TODAY, 0), contents.counts.get(Section.WEEK, 0)
    needs = reader.say_many("{count} thing needs you", "{count} things need you", urgent)
    waits = reader.say_many("{count} can wait", "{count} can wait", rest)
    parts = [needs] * bool(urgent) + [waits] * bool(rest)
    said = ", ".join(parts) or _quiet_words(reader, contents)
    return f"{reader.weekday(day.weekday())} · {said}"


def _quiet_words(reader: Reader, contents: Contents) -> str:
    renewals = contents.counts.get(Section.RENEWALS, 0)
    if renewals:
        return reader.say_many("{count} renewal is coming", "{count} renewals are coming", renewals)
    return reader.say("good news") if contents.counts.get(Section.NEWS) else reader.say("nothing needs you")


def section_name(reader: Reader, of: Section) -> str:
    """The headline of a section."""
    return {
        Section.TODAY: reader.say("Today"),
        Section.WEEK: reader.say("This week"),
        Section.RENEWALS: reader.say("Renewals"),
        Section.NEWS: reader.say("Good news"),
    }[of]


def _lay_out(
    tx: Tx, reader: Reader, contents: Contents, day: date, reader_id: str, digest_id: str = ""
) -> Message | None:
    lines = agenda_blocks(tx, reader, contents, day, reader_id, digest_id)
    if not lines:
        return None
    title = title_words(reader, contents, day)
    hint = context(reader.say("How often and when: `/cs digest weekly`, `/cs digest at 8:30`, `/cs digest off`"))
    return message(title, section(f"*{title}*"), *_fit(reader, lines), hint)


def _fit(reader: Reader, blocks: Sequence[Json]) -> list[Json]:
    """The first blocks whose text together Slack still takes; names and texts may be long."""
    lengths = accumulate(len(block["text"]["text"]) + len(str(block.get("accessory", ""))) for block in blocks)
    kept = [block for block, length in zip(blocks, lengths, strict=True) if length <= MOST_TEXT]
    if len(kept) == len(blocks):
        return kept
    return [*kept, context(reader.say("and more: `/cs digest today`, `week`, `renewals` or `news`"))]


def _more(reader: Reader, of: Section, count: int) -> list[Json]:
    if count <= 0:
        return []
    ref = Ref("digest", "", {"section": of.value})
    said = reader.say_many("and {count} more", "and {count} more", count)
    return [section(said, accessory=button(reader.say("Show all"), ALL, ref))]


# ---------------------------------------------------------------- one section in full


def list_section(items: Iterable[Item], day: date, of: Section) -> tuple[Item, ...]:
    """Everything of one section, in its order."""
    own = [item for item in items if choose_section(item, day) is of]
    return arrange(own, day, {of: len(own)}).sections.get(of, ())


@dataclass(frozen=True)
class Shelf:
    """All the items of one section on a local day, as the member `reader_id` sees them."""

    of: Section
    day: date
    reader_id: str
    items: tuple[Item, ...]


def render_section(tx: Tx, reader: Reader, shelf: Shelf, wanted: int) -> Message:
    """The `wanted`th page (from 1) of the lines of one section."""
    page = Page(len(shelf.items), PAGE_LENGTH, wanted)
    if not page.total:
        return message(reader.say("Nothing there any more: it was done meanwhile, or is not due yet."))
    shown = page.cut(shelf.items)
    title = f"*{section_name(reader, shelf.of)}* · {reader.number(page.total)}"
    lines = line_blocks(reader, shown, load_sight(tx, reader, shown, shelf.day, shelf.reader_id))
    turns = page.turns(reader, BACK, MORE, Ref("digest", "", {"section": shelf.of.value}))
    return message(title, section(title), *lines, *turns)


# ---------------------------------------------------------------- the team channel's


def _render_unclaimed(tx: Tx, reader: Reader, row: DigestRow) -> Message | None:
    """Urgent alerts that nobody took for a day, as they are now; None once all are taken."""
    ids = [str(each) for each in row.contents.get("alerts", ())]
    alerts = load_alerts(tx, ids)
    waiting = [each for each in alerts.values() if each.state is EpisodeState.OPEN]
    if not waiting:
        return None
    count = int(row.contents.get("count", 0)) - len(ids) + len(waiting)
    title = reader.say_many(
        "{count} red alert that nobody took for a day", "{count} red alerts that nobody took for a day", count
    )
    lines = _unclaimed_lines(tx, reader, waiting, row.id)
    more = count - len(waiting)
    rest = [context(reader.say("and {count} more: `/cs alerts all`", count=reader.number(more)))] if more > 0 else []
    return message(title, section(f"*{title}*"), *lines, *rest)


def _unclaimed_lines(tx: Tx, reader: Reader, rows: Sequence[EpisodeRow], digest_id: str) -> list[Json]:
    blocks = []
    for view in load_views(tx, reader, rows):
        owner = mention(view.owner.slack_id) if view.owner else reader.say("no owner")
        take = button(reader.say("Take"), TAKE, Ref("episode", view.row.id, {"digest": digest_id}))
        blocks.append(section(f"{alert_line(reader, view, is_in_digest=True)} · {owner}", accessory=take))
    return blocks
