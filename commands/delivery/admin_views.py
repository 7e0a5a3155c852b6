"""What `/cs admin` shows: messages that are stuck, jobs that failed, the feed. Owns the page; changes nothing."""

from __future__ import annotations

from commands.blocks.channels import place_words, sharing_lines, team_shared_words
from commands.delivery.places import advice_words
from commands.kit import Element, Json, actions, button, confirm, context, divider, esc, message, section
from commands.pages import Page
from commands.slice import Call, Message, Ref
from commands.typed import get_today
from rules.delivery.channels import Sharing
from rules.delivery.outbox import UNSEEN
from storage.audit import find_latest_change
from storage.db import Tx
from storage.delivery.backlog import Backlog, list_last_runs, list_late, read_backlog
from storage.delivery.channels import count_sharing, read_team_place
from storage.delivery.schedules import list_failures
from storage.delivery.stuck import Group, count_groups, list_groups
from storage.health.usage_days import last_day
from storage.people.connections import BY_HAND
from storage.people.workspaces import get_workspace
from words.reader import Reader

RETRY, RETRY_ALL, DROP = "admin.retry", "admin.retry_all", "admin.drop"
PAUSE, RESUME, BACK, NEXT = "admin.pause", "admin.resume", "admin.back", "admin.next"
PAGE_LENGTH = 8
_MOST_FAILURES = 3
_OUTBOX = Ref("outbox", "")


def render_admin(call: Call, tx: Tx, wanted: int = 1, said: str = "") -> Message:
    """The `wanted`th page (from 1); `said` is what was just done, "" for nothing."""
    reader, backlog = call.reader, read_backlog(tx)
    page = Page(count_groups(tx), PAGE_LENGTH, wanted)
    groups = list_groups(tx, limit=PAGE_LENGTH, offset=page.offset)
    title = _title(reader, backlog)
    return message(
        title,
        *([section(said)] if said else []),
        section(f"*{title}*\n{_state_line(call, tx)}"),
        *(block for group in groups for block in _group_blocks(reader, group)),
        *page.place_line(reader),
        actions(*page.buttons(reader, BACK, NEXT, _OUTBOX), *_buttons(call, tx, backlog)),
        divider(),
        *_job_blocks(call, tx),
        context("\n".join([_feed_line(call, tx), *_channel_lines(reader, tx)])),
    )


def group_words(reader: Reader, group: Group) -> str:
    """How many messages of which channel are how, and why."""
    place = place_words(group.channel)
    if group.state == "dead":
        text = reader.say_many(
            "❌ {place}: {count} message could not be sent",
            "❌ {place}: {count} messages could not be sent",
            group.count,
            place=place,
        )
    elif group.state == "uncertain":
        text = reader.say_many(
            "❔ {place}: {count} message got no answer and is looked for",
            "❔ {place}: {count} messages got no answer and are looked for",
            group.count,
            place=place,
        )
    else:
        text = reader.say_many(
            "⏳ {place}: {count} message waits", "⏳ {place}: {count} messages wait", group.count, place=place
        )
    return f"{text} · “{esc(group.error)}”" if group.error else text


def _title(reader: Reader, backlog: Backlog) -> str:
    if not backlog.waiting and not backlog.dead:
        return reader.say("Nothing is stuck")
    waiting = reader.say_many("{count} message waits", "{count} messages wait", backlog.waiting)
    dead = reader.say_many("{count} could not be sent", "{count} could not be sent", backlog.dead)
    return f"{waiting} · {dead}"


def _state_line(call: Call, tx: Tx) -> str:
    reader, home = call.reader, get_workspace(tx)
    if not home.is_paused:
        return reader.say("✅ Sending, and jobs run.")
    line = find_latest_change(tx, ["workspace"], home.id)
    since = reader.moment(line.at, today=get_today(call, tx)) if line else ""
    if home.paused_reason == BY_HAND:
        return reader.say(
            "⏸️ Paused since {since}: nothing is sent and no jobs run until somebody resumes.", since=since
        )
    return reader.say(
        "⛔ Slack refuses my access since {since} (“{why}”). Install the app again: I go on by myself, and "
        "nothing is lost. If that gave it a new token, start me with it.",
        since=since,
        why=esc(home.paused_reason),
    )


def _group_blocks(reader: Reader, group: Group) -> list[Json]:
    words = group_words(reader, group)
    since = reader.say("oldest {moment}", moment=reader.moment(group.oldest))
    if group.state != "dead":
        return [section(f"{words} · {since}")]
    ref = Ref("message", group.row_id)
    is_unseen = group.error.startswith(UNSEEN)
    retry = button(reader.say("Look for it, then send") if is_unseen else reader.say("Send again"), RETRY, ref)
    sure = confirm(
        reader.say("Drop these messages?"),
        reader.say("They are never sent. What they tell of stays as it is."),
        reader.say("Drop"),
        reader.say("Keep"),
    )
    drop = button(reader.say("Drop"), DROP, ref, style="danger", confirm=sure)
    return [section(f"{words} · {since}\n{advice_words(reader, group.error)}"), actions(retry, drop)]


def _buttons(call: Call, tx: Tx, backlog: Backlog) -> list[Element]:
    reader, found = call.reader, []
    if backlog.dead:
        found.append(button(reader.say("Send all again"), RETRY_ALL, _OUTBOX))
    if get_workspace(tx).is_paused:
        return [*found, button(reader.say("Resume"), RESUME, _OUTBOX)]
    sure = confirm(
        reader.say("Pause everything?"),
        reader.say("Nothing is sent and no jobs run until somebody resumes. What is to be said waits."),
        reader.say("Pause"),
        reader.say("Cancel"),
    )
    return [*found, button(reader.say("Pause"), PAUSE, _OUTBOX, confirm=sure)]


def _job_blocks(call: Call, tx: Tx) -> list[Json]:
    reader, today = call.reader, get_today(call, tx)
    runs = sorted(list_last_runs(tx).items())
    shown = " · ".join(f"{job} {reader.moment(at, today=today)}" for job, at in runs)
    lines = [reader.say("Last runs: {runs}", runs=shown) if runs else reader.say("No job has run yet.")]
    if late := list_late(tx, call.now):
        lines.append(reader.say("⚠️ Due: {jobs}", jobs=", ".join(late)))
    for run in list_failures(tx, limit=_MOST_FAILURES):
        when = reader.moment(run.occurrence, today=today)
        lines.append(reader.say("⚠️ The run of {when} failed: {error}", when=when, error=esc(run.error)))
    return [section("\n".join(lines))]


def _channel_lines(reader: Reader, tx: Tx) -> list[str]:
    team = read_team_place(tx)
    shared = [team_shared_words(reader, team.channel)] if team.sharing is Sharing.SHARED else []
    return [*shared, *sharing_lines(reader, count_sharing(tx))]


def _feed_line(call: Call, tx: Tx) -> str:
    last = last_day(tx, get_today(call, tx))
    return (
        call.reader.say("Usage data up to {day}", day=call.reader.date(last))
        if last
        else call.reader.say("No usage data yet.")
    )
