"""`/cs admin`: what the bot itself does and where it is stuck, for admins: send again, drop, pause, resume. Owns the
command and its buttons; the page is `admin_views`'.
"""

from __future__ import annotations

from commands.delivery import admin_views as views
from commands.pages import wanted_page
from commands.slice import Button, Call, Command, Reply, Slice, Whisper, answer_in_place
from rules.people.roles import Permission
from storage.db import Tx
from storage.delivery.outbox import OutboxRow, find_row
from storage.delivery.stuck import Wanted, drop, requeue
from storage.errors import NotFoundError
from storage.people.connections import BY_HAND, pause_workspace, resume_workspace


def admin(call: Call, tx: Tx) -> list[Reply]:
    """`/cs admin`: the page."""
    call.require(Permission.OPERATE)
    return [Whisper(views.render_admin(call, tx))]


def turn(call: Call, tx: Tx) -> list[Reply]:
    """Another page."""
    call.require(Permission.OPERATE)
    return [answer_in_place(call, views.render_admin(call, tx, wanted_page(call)))]


def retry(call: Call, tx: Tx) -> list[Reply]:
    """Send the messages of one channel and reason again."""
    call.require(Permission.OPERATE)
    row = _get_message(call, tx)
    return _tell_retried(call, tx, requeue(tx, _group_of(row), call.person.actor, call.now))


def retry_all(call: Call, tx: Tx) -> list[Reply]:
    """Send all messages again that could not be sent."""
    call.require(Permission.OPERATE)
    return _tell_retried(call, tx, requeue(tx, Wanted(), call.person.actor, call.now))


def drop_group(call: Call, tx: Tx) -> list[Reply]:
    """Give the messages of one channel and reason up."""
    call.require(Permission.OPERATE)
    count = drop(tx, _group_of(_get_message(call, tx)), call.person.actor, call.now)
    return _tell(call, tx, call.reader.say_many("Dropped {count} message.", "Dropped {count} messages.", count))


def pause(call: Call, tx: Tx) -> list[Reply]:
    """Send nothing and run nothing until somebody resumes."""
    call.require(Permission.OPERATE)
    is_new = pause_workspace(tx, BY_HAND, call.now, call.person.actor)
    return _tell(call, tx, call.reader.say("Paused.") if is_new else call.reader.say("It is paused already."))


def resume(call: Call, tx: Tx) -> list[Reply]:
    """Go on."""
    call.require(Permission.OPERATE)
    is_new = resume_workspace(tx, call.person.actor, call.now)
    said = call.reader.say("Resumed: what waited goes out now, as things stand today.")
    return _tell(call, tx, said if is_new else call.reader.say("It is not paused."))


def _get_message(call: Call, tx: Tx) -> OutboxRow:
    row = find_row(tx, call.ref.id) if call.ref else None
    if row is None:
        raise NotFoundError("This message is not there any more. Look again with `/cs admin`.")
    return row


def _group_of(row: OutboxRow) -> Wanted:
    return Wanted(channel=row.channel, error=row.error)


def _tell_retried(call: Call, tx: Tx, count: int) -> list[Reply]:
    return _tell(call, tx, call.reader.say_many("Sending {count} message.", "Sending {count} messages.", count))


def _tell(call: Call, tx: Tx, said: str) -> list[Reply]:
    return [answer_in_place(call, views.render_admin(call, tx, said=said))]


SLICE = Slice(
    "admin",
    commands=(
        Command(
            "admin",
            "",
            "See what is stuck and mend it: messages, jobs, data (admins)",
            admin,
            "reads",
            examples=("admin",),
        ),
    ),
    buttons=(
        Button(views.RETRY, retry, "writes"),
        Button(views.RETRY_ALL, retry_all, "writes"),
        Button(views.DROP, drop_group, "writes"),
        Button(views.PAUSE, pause, "writes"),
        Button(views.RESUME, resume, "writes"),
        Button(views.BACK, turn, "reads"),
        Button(views.NEXT, turn, "reads"),
    ),
)
