"""`/cs digest` and the buttons in digests. Owns what they do; each deed is its own subject's, and the digest it stands
in is shown anew behind it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from commands.alerts import alerts
from commands.delivery import digest_wishes
from commands.delivery.agenda_lines import DONE, SETTLE, TAKE
from commands.delivery.digest_views import (
    ALL,
    BACK,
    MORE,
    NEWS_DAYS,
    Shelf,
    list_section,
    render_digest_of,
    render_now,
    render_section,
)
from commands.delivery.digest_wishes import WISH
from commands.kit import message, section
from commands.pages import wanted_page
from commands.slice import (
    Button,
    Call,
    Command,
    Handler,
    Message,
    Replace,
    Reply,
    Slice,
    Surface,
    Whisper,
    answer_in_place,
)
from commands.success import milestones, tasks
from rules.delivery.digests import Item, Section
from rules.errors import UserError
from rules.people.roles import Permission
from rules.records import DigestWish
from storage.agenda import list_items_of
from storage.db import Tx
from storage.delivery.digests import DIGEST, find_digest, refresh_digest
from storage.people.members import MemberRow, get_member
from storage.people.team import read_working_time
from storage.people.workspaces import get_workspace


def show(call: Call, tx: Tx) -> list[Reply]:
    """`/cs digest`: what needs me now; with a section's name all of it; with a wish, when it comes by itself."""
    call.require(Permission.READ)
    words = call.text.strip().casefold()
    if not words:
        return [Whisper(_render_mine(call, tx))]
    if words in set(Section):
        return [Whisper(_render_shelf(call, tx, Section(words), 1))]
    if digest_wishes.get_access(call.text) == "writes":
        return digest_wishes.choose(call, tx)
    raise UserError(
        "I do not know what “{text}” means here. Type `/cs digest` for yours now, `/cs digest weekly`, `daily`, `off` "
        "or `at 8:30`.",
        text=call.text.strip(),
    )


def turn_page(call: Call, tx: Tx) -> list[Reply]:
    """All of one section, a page at a time."""
    call.require(Permission.READ)
    extra = call.ref.extra if call.ref else {}
    named = extra.get("section", "")
    of = Section(named) if named in set(Section) else Section.TODAY
    return [answer_in_place(call, _render_shelf(call, tx, of, wanted_page(call)))]


def show_all(call: Call, tx: Tx) -> list[Reply]:
    """The first page of one section, beside the digest that only counts it."""
    return [Whisper(each.message) for each in turn_page(call, tx) if isinstance(each, Whisper | Replace)]


def load_items(call: Call, tx: Tx) -> tuple[MemberRow, date, list[Item]]:
    """Who acts, their local day, and all there is for them."""
    member = get_member(tx, call.person.id)
    day = read_working_time(member, get_workspace(tx)).to_local(call.now).date()
    return member, day, list_items_of(tx, member, day, call.now - NEWS_DAYS)


def _render_mine(call: Call, tx: Tx) -> Message:
    member, day, items = load_items(call, tx)
    said = render_now(tx, call.reader, member, day, items)
    if said is not None:
        return said
    free = call.reader.say("Nothing needs you: no alert, check-in, milestone, next step or renewal is waiting.")
    return message(free, section(free), *digest_wishes.wish_blocks(call.reader, tx, member))


def _render_shelf(call: Call, tx: Tx, of: Section, wanted: int) -> Message:
    member, day, items = load_items(call, tx)
    shelf = Shelf(of, day, member.id, list_section(items, day, of))
    return render_section(tx, call.reader, shelf, wanted)


# ---------------------------------------------------------------- deeds


def _and_show(deed: Handler) -> Handler:
    """The deed of another subject, and the digest its button stands in as it is afterwards."""

    def act(call: Call, tx: Tx) -> list[Reply]:
        replies = list(deed(replace(call, surface=Surface.MESSAGE), tx))
        digest_id = call.ref.extra.get("digest", "") if call.ref else ""
        if digest_id and find_digest(tx, digest_id) is not None:
            refresh_digest(tx, digest_id, call.now)
        elif call.surface is Surface.EPHEMERAL:
            replies.insert(0, Replace(_render_mine(call, tx)))
        return replies

    return act


SLICE = Slice(
    "digests",
    commands=(
        Command(
            "digest",
            "[today | week | renewals | news] or off | daily | weekly | at TIME",
            "What needs you now, and when that comes by itself",
            show,
            digest_wishes.get_access,
            examples=("digest", "digest renewals", "digest at 8:30", "digest weekly", "digest off"),
        ),
    ),
    buttons=(
        Button(TAKE, _and_show(alerts.take), "writes"),
        Button(DONE, _and_show(tasks.finish), "writes"),
        Button(SETTLE, _and_show(milestones.press_done), "writes"),
        Button(ALL, show_all, "reads"),
        Button(BACK, turn_page, "reads"),
        Button(MORE, turn_page, "reads"),
        *(Button(f"{WISH}{wish.value}", digest_wishes.press, "writes") for wish in DigestWish),
    ),
    renders={DIGEST: render_digest_of},
)
