"""Checks of the database and of what is set up in it. Owns what is fine and what to do if not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.doctor.findings import Finding, fail, ok, warn
from rules.delivery.channels import Sharing
from storage.db import Database, Tx
from storage.delivery.backlog import find_last_run, list_late, read_backlog
from storage.delivery.channels import count_sharing, read_team_place
from storage.delivery.schedules import list_failures
from storage.health.feeds import list_stops
from storage.health.portfolio import count_accounts
from storage.health.usage_days import last_day
from storage.owners import list_unlinked_emails
from storage.people.connections import BY_HAND
from storage.people.workspaces import get_workspace
from storage.revision import HEAD
from storage.soundness import describe_engine, find_faults, is_empty

_LATE = timedelta(minutes=30)
_OLD_MESSAGE = timedelta(minutes=30)
_OLD_FEED = timedelta(days=3)
_BY_HAND_ADVICE = "In Slack: /cs admin, Resume. What waited then goes out."
_REFUSED_ADVICE = (
    "Install the app again, and start milepost run with its token if that is a new one. What waited then goes out."
)


def check_database(database: Database) -> Iterator[Finding]:
    """Whether it can be reached, is sound, and has this version's shape."""
    if is_empty(database):
        yield ok("database", "empty: milepost run makes the tables")
        return
    faults = find_faults(database)
    for fault in faults:
        yield fail("database", fault, "Restore a backup: docs/operations.md says how.")
    if faults:
        return
    engine = describe_engine(database)
    journal = f", journal {engine.journal}" if engine.journal else ""
    if engine.revision == HEAD:
        yield ok("database", f"{engine.name} {engine.version}, revision {HEAD}{journal}")
    else:
        said = f"revision {engine.revision}, this version needs {HEAD}"
        yield warn("database", said, "Run milepost db upgrade; milepost run does so too.")


def check_setup(tx: Tx) -> Iterator[Finding]:
    """What people have set up, and whom Slack does not know."""
    row = get_workspace(tx)
    if row.is_paused:
        yield fail(
            "workspace",
            f"paused: {row.paused_reason}",
            _BY_HAND_ADVICE if row.paused_reason == BY_HAND else _REFUSED_ADVICE,
        )
    yield from _check_sharing(tx)
    if row.team_channel_id:
        yield ok("team channel", row.team_channel_id)
    else:
        yield warn("team channel", "none yet: alerts go to each owner by direct message", "In Slack: /cs setup")
    count = count_accounts(tx)
    if count:
        yield ok("accounts", f"{count} in use")
    else:
        yield warn("accounts", "none yet", "milepost import accounts FILE, or in Slack: /cs add")
    if unlinked := list_unlinked_emails(tx):
        said = f"{len(unlinked)} addresses of owners belong to nobody in Slack: {', '.join(unlinked[:3])}"
        yield warn("owners", said, "In Slack: /cs team unmatched")


def _check_sharing(tx: Tx) -> Iterator[Finding]:
    team, counts = read_team_place(tx), count_sharing(tx)
    if team.sharing is Sharing.SHARED:
        said = f"another organisation reads {team.channel}: nothing about customers is posted there"
        yield warn("team channel", said, "Choose another one, in Slack: /cs setup")
    if counts.shared:
        said = f"{counts.shared} of accounts are read by another organisation: nothing about customers is posted there"
        yield warn("channels", said, "It goes to the team channel. For another channel, in Slack: /cs edit")
    if counts.unknown:
        why = f" ({', '.join(counts.errors)})" if counts.errors else ""
        said = f"who reads {counts.unknown} of accounts is not known{why}: they are not used until it is"
        yield warn("channels", said, "milepost run finds it out, with the scopes channels:read and groups:read.")


def check_work(tx: Tx, now: datetime) -> Iterator[Finding]:
    """Whether jobs run, data comes and messages go out; `now` is business time."""
    yield from _check_jobs(tx, now)
    yield from _check_feed(tx, now)
    yield from _check_messages(tx, now)


def _check_jobs(tx: Tx, now: datetime) -> Iterator[Finding]:
    for run in list_failures(tx, limit=3):
        yield warn(
            "jobs", f"a run of {run.occurrence:%Y-%m-%d %H:%M} UTC failed: {run.error}", "See the log of that time."
        )
    if late := list_late(tx, now - _LATE):
        yield fail("jobs", f"due for more than half an hour: {', '.join(late)}", "Is milepost run running?")
        return
    last = find_last_run(tx, "daily")
    yield ok("jobs", f"last daily run {last.occurrence:%Y-%m-%d %H:%M} UTC" if last else "no daily run yet")


def _check_feed(tx: Tx, now: datetime) -> Iterator[Finding]:
    last = last_day(tx, now.date())
    if last is None:
        yield warn("usage data", "none yet: health knows nothing of use", "milepost import usage FILE")
    elif now.date() - last > _OLD_FEED:
        yield warn("usage data", f"the last is of {last}", "Look at what sends it: nobody is called silent meanwhile.")
    else:
        yield ok("usage data", f"up to {last}")
    for stop in list_stops(tx).values():
        said = f"nothing of {stop.source} since {stop.last_day}: {stop.accounts} accounts are not judged by their use"
        yield warn("usage data", said, "Look at what sends it; an admin was told by direct message.")


def _check_messages(tx: Tx, now: datetime) -> Iterator[Finding]:
    backlog = read_backlog(tx)
    if backlog.dead:
        said = f"{backlog.dead} could not be delivered: {', '.join(backlog.errors)}"
        yield fail("messages", said, "Mend the channel (see above); the owner was told by direct message.")
    if backlog.oldest is not None and now - backlog.oldest > _OLD_MESSAGE:
        said = f"{backlog.waiting} wait, the oldest since {backlog.oldest:%Y-%m-%d %H:%M} UTC"
        yield warn("messages", said, "Is milepost run running, and does Slack answer?")
    elif not backlog.dead:
        yield ok("messages", f"{backlog.waiting} waiting" if backlog.waiting else "all delivered")
