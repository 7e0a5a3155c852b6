"""What an admin is told when messages cannot be delivered. Owns the notice's words and how often it comes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from commands.blocks.channels import place_words
from commands.delivery.places import advice_words
from commands.kit import context, esc, message, section
from commands.people.setup import GREETING
from commands.slice import Message, Render
from rules.records import Enqueue, Role
from storage.audit import find_line
from storage.db import Tx
from storage.delivery.outbox import OutboxRow, enqueue, find_row
from storage.people.members import find_member
from storage.people.team import list_people
from storage.people.workspaces import get_workspace
from words.reader import Reader

KIND = "dead_letter"
PAUSE = "pause_over"


def make_notice(tx: Tx, row: OutboxRow, error: str, today: date) -> Enqueue | None:
    """One notice per channel, reason and day to the installer (else the first admin); none about a notice. That a new
    channel cannot be greeted is told to who chose it.
    """
    admin = (_find_chooser(tx, row.reference) if row.kind == GREETING else "") or find_admin(tx)
    if row.kind == KIND or not admin:
        return None
    key = f"{KIND}:{row.channel}:{error}:{today.isoformat()}"
    return Enqueue(KIND, row.id, channel=admin, dedupe_key=key, priority=4)


def render_dead_letter(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """Which channel, why, and what to do; nothing if the message went out meanwhile."""
    row = find_row(tx, reference)
    if row is None or row.state != "dead":
        return None
    place = place_words(row.channel)
    what = reader.say("I could not post in {place}: Slack says “{error}”.", place=place, error=esc(row.error))
    advice = advice_words(reader, row.error)
    kept = reader.say(
        "This message is kept: `/cs admin` sends it once this is mended. Later ones arrive by themselves."
    )
    return message(what, section(f"⚠️ {what}\n{advice}"), context(kept))


def tell_pause(tx: Tx, line_id: str, now: datetime) -> None:
    """Say to an admin, once it works again, that Slack had refused the token; `line_id` is the audit's of the pause."""
    admin = find_admin(tx)
    enqueue(tx, [Enqueue(PAUSE, line_id, admin, priority=0)] if admin else [], now)


def render_pause(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """Since when nothing could be sent, why, and what became of it."""
    line = find_line(tx, reference)
    if line is None:
        return None
    since, reason = reader.moment(line.at), esc(str((line.after or {}).get("reason", "")))
    what = reader.say(
        "Slack had refused my access since {since} (“{reason}”). It works again.", since=since, reason=reason
    )
    kept = reader.say("Nothing is lost: what waited goes out now, as things stand today. Jobs missed run once.")
    return message(what, section(what), context(kept))


def find_admin(tx: Tx) -> str:
    """Slack's id of who installed the app, else of the first admin; "" for none."""
    installer = get_workspace(tx).installer_id
    admins = (member.slack_id for member in list_people(tx) if member.role is Role.ADMIN)
    return installer or next(admins, "")


def _find_chooser(tx: Tx, line_id: str) -> str:
    line = find_line(tx, line_id)
    person = find_member(tx, line.actor_id) if line else None
    return person.slack_id if person else ""


NOTICES: Mapping[str, Render] = {KIND: render_dead_letter, PAUSE: render_pause}
