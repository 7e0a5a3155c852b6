"""Where else a message goes when nothing can, or may, be posted in its channel. Owns the order of places: who is
responsible by direct message, the team channel, the admin; each once. Only what must not be silent has a fall-back.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.slack.delivery_notices import find_admin
from rules.delivery.channels import is_person
from rules.delivery.outbox import is_place_error
from rules.records import Enqueue
from storage.accounts.accounts import find_account
from storage.alerts.adjustments import PROPOSAL
from storage.alerts.alerts import ESCALATION, MESSAGE, REMINDER, SUMMARY, find_episode
from storage.alerts.escalations import LEADS, REMINDERS
from storage.db import Tx
from storage.delivery.channels import find_team_channel, list_shared
from storage.delivery.digests import DIGEST
from storage.delivery.outbox import OutboxRow, find_latest_post, list_places, name_fallback
from storage.people.members import find_member
from storage.renewals.renewals import ROOT, find_renewal_row
from storage.success.checkin_writes import OFFERS
from storage.success.checkin_writes import SUMMARY as CHECKIN
from storage.success.checkins import find_checkin

_KINDS = frozenset(
    {MESSAGE, SUMMARY, REMINDER, REMINDERS, ESCALATION, LEADS, PROPOSAL, ROOT, CHECKIN, OFFERS, DIGEST},
)
"""What must not be silent: alerts and what comes of them, renewals, check-ins, digests."""


def make_fallback(tx: Tx, row: OutboxRow, error: str) -> list[Enqueue]:
    """The same message for the next place that was not tried; [] where there is none, or none would help.

    Its thread and its updates follow it: it is the message's latest post. An answer in its thread that finds the place
    gone takes it along, so that it stands below what it is about.
    """
    if row.is_update or not is_place_error(error):
        return []
    if not row.thread_kind:
        return _say_elsewhere(tx, row)
    head = find_latest_post(tx, row.thread_kind, row.thread_reference)
    if head is None:
        return []
    moved = _say_elsewhere(tx, head) if head.channel == row.channel else []
    place = moved[0].channel if moved else head.channel
    return [*moved, _follow(row, place)] if place != row.channel else []


def _say_elsewhere(tx: Tx, row: OutboxRow) -> list[Enqueue]:
    """What was meant for one person alone is not said in a channel."""
    team = "" if is_person(row.instead_of or row.channel) else find_team_channel(tx)
    found = _make(tx, row, (_find_responsible(tx, row), team, find_admin(tx))) if row.kind in _KINDS else None
    return [found] if found else []


def _follow(row: OutboxRow, place: str) -> Enqueue:
    return Enqueue(
        row.kind,
        row.reference,
        dedupe_key=name_fallback(row, place),
        thread_kind=row.thread_kind,
        thread_reference=row.thread_reference,
        priority=row.priority,
        instead_of=row.instead_of or row.channel,
    )


def move_out(tx: Tx, row: OutboxRow) -> tuple[list[Enqueue], bool]:
    """What is said elsewhere instead of a post that another organisation would read: the team channel comes first,
    which is where it would have gone. And whether the row stays, because it replies to what is said elsewhere by then.
    """
    if not row.thread_kind:
        return _leave(tx, row), False
    head = find_latest_post(tx, row.thread_kind, row.thread_reference)
    if head is None or head.state in ("dead", "cancelled"):
        return [], False
    if not list_shared(tx, [head.channel]):
        return [], True
    moved = _leave(tx, head)
    return moved, bool(moved)


def _leave(tx: Tx, row: OutboxRow) -> list[Enqueue]:
    if row.kind not in _KINDS:
        return []
    found = _make(tx, row, (find_team_channel(tx), _find_responsible(tx, row), find_admin(tx)))
    return [found] if found else []


def _make(tx: Tx, row: OutboxRow, wanted: Iterable[str]) -> Enqueue | None:
    tried = list_places(tx, row)
    place = next((each for each in wanted if each and each not in tried), "")
    if not place:
        return None
    meant = row.instead_of or row.channel
    return Enqueue(row.kind, row.reference, place, name_fallback(row, place), priority=row.priority, instead_of=meant)


def _find_responsible(tx: Tx, row: OutboxRow) -> str:
    """Slack's id of who was told, or of the owner; "" for none."""
    member_id: str | None = None
    if row.kind in {MESSAGE, REMINDER} and (episode := find_episode(tx, row.reference)) is not None:
        member_id = episode.told_id or episode.owner_id or episode.taken_by or _find_owner(tx, episode.account_id)
    elif row.kind == ROOT and (renewal := find_renewal_row(tx, row.reference)) is not None:
        member_id = _find_owner(tx, renewal.account_id)
    elif row.kind == CHECKIN and (checkin := find_checkin(tx, row.reference)) is not None:
        member_id = _find_owner(tx, checkin.account_id)
    member = find_member(tx, member_id) if member_id else None
    return member.slack_id if member else ""


def _find_owner(tx: Tx, account_id: str) -> str | None:
    account = find_account(tx, account_id)
    return account.owner_id if account else None
