"""What contacts look like: their line, their role in words, an account's sponsor. Pure: rows in, text out."""

from __future__ import annotations

from collections.abc import Sequence

from commands.kit import Element, clip, esc, overflow
from commands.slice import Ref
from rules.records import ContactRole
from storage.accounts.contacts import ContactRow
from words.reader import Reader

DO = "contacts.do"
EDIT, LEFT, REMOVE = "edit", "left", "remove"
"""What the menu behind a contact's line offers."""
_TEXT_LENGTH = 120
_SPONSORS_SHOWN = 2
GONE_MARK = "🔴"


def role_words(reader: Reader, role: ContactRole) -> str:
    """What a person is to us."""
    return {
        ContactRole.SPONSOR: reader.say("sponsor"),
        ContactRole.CHAMPION: reader.say("champion"),
        ContactRole.DECISION_MAKER: reader.say("decision maker"),
        ContactRole.USER: reader.say("user"),
        ContactRole.TECHNICAL: reader.say("technical contact"),
        ContactRole.BILLING: reader.say("billing contact"),
    }[role]


def person_words(row: ContactRow) -> str:
    """Name and title, safe in mrkdwn: "Jo Doe, Head of Sales"."""
    return _joined(_short(row.name), _short(row.title))


def contact_line(reader: Reader, row: ContactRow) -> str:
    """One line of a list: "*Jo Doe*, Head of Sales · sponsor · Sales · jo@example.com"; with the day they left."""
    parts = [_joined(f"*{_short(row.name)}*", _short(row.title)), role_words(reader, row.role)]
    parts += [_short(text) for text in (row.team, row.email, row.phone) if text]
    if row.left_on is not None:
        parts.append(reader.say("left {day}", day=reader.date(row.left_on)))
    return " · ".join(parts)


def sponsor_line(reader: Reader, sponsors: Sequence[ContactRow]) -> str:
    """Who stands for us at the customer: "Sponsor Jo Doe, CFO"; that they left and nobody followed; "" for none."""
    there = [row for row in sponsors if row.left_on is None]
    if there:
        said = reader.say("Sponsor {person}", person=" · ".join(map(person_words, there[:_SPONSORS_SHOWN])))
        more = len(there) - _SPONSORS_SHOWN
        return said + (" · " + reader.say_many("and {count} more", "and {count} more", more) if more > 0 else "")
    gone = next(iter(sponsors), None)
    if gone is None or gone.left_on is None:
        return ""
    said = reader.say(
        "Sponsor {person} left {day}: nobody has followed", person=person_words(gone), day=reader.date(gone.left_on)
    )
    return f"{GONE_MARK} {said}"


def contact_menu(reader: Reader, row: ContactRow) -> Element:
    """What can be done with a contact."""
    labels = {EDIT: reader.say("Edit…"), LEFT: reader.say("Has left…"), REMOVE: reader.say("Remove…")}
    if row.left_on is not None:
        del labels[LEFT]
    return overflow(DO, [(Ref("contact", row.id, {"do": do}).dump(), label) for do, label in labels.items()])


def _short(text: str) -> str:
    return esc(clip(text, _TEXT_LENGTH))


def _joined(*texts: str) -> str:
    return ", ".join(filter(None, texts))
