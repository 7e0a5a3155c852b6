"""Posted messages of the quarter in the words of the model: of which kind, to whom, about which accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlmodel import col, or_, select

from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import EpisodeRow
from storage.db import Tx
from storage.delivery.digests import DigestRow
from storage.delivery.outbox import OutboxRow
from storage.renewals.renewals import RenewalRow
from storage.success.checkins import CheckinOfferRow, CheckinRow
from storage.success.journeys import MilestoneRow
from storage.success.targets import TargetRow
from storage.success.tasks import TaskRow
from tests.flows.flow_rows import read
from tests.flows.quarter_play import Player
from tests.flows.quarter_records import Expected

_About = list[tuple[str, str]]
_TABLES: dict[str, Any] = {
    "alert": EpisodeRow,
    "checkin": CheckinOfferRow,
    "milestone": MilestoneRow,
    "task": TaskRow,
    "renewal": RenewalRow,
    "reached": TargetRow,
}


def recognise(player: Player) -> list[Expected]:
    """What was seen, as the model writes it down."""
    return read(player.stage, lambda tx: [_recognise(tx, each.row, each.at) for each in player.seen])


def _recognise(tx: Tx, row: OutboxRow, at: Any) -> Expected:
    assert row.state == "sent", (row.kind, row.reference, row.state, row.error)
    kind, about = row.kind, _READERS[row.kind](tx, row) if row.kind in _READERS else []
    if kind == "digest":
        kind = {"person": "digest"}.get(made := _find(tx, DigestRow, row.reference).kind.value, f"digest.{made}")
    return Expected(at, row.channel, kind, tuple(sorted(about)))


def _read_offers(tx: Tx, row: OutboxRow) -> _About:
    """New offers and reminders of the message."""
    offers = tx.session.exec(
        select(CheckinOfferRow).where(
            CheckinOfferRow.workspace_id == tx.workspace_id,
            or_(col(CheckinOfferRow.batch_id) == row.reference, col(CheckinOfferRow.reminder_id) == row.reference),
        )
    )
    return [
        ("offered" if each.batch_id == row.reference else "reminded", _name(tx, each.account_id)) for each in offers
    ]


def _read_digest(tx: Tx, row: OutboxRow) -> _About:
    """What it told of, a pair for each line."""
    contents = _find(tx, DigestRow, row.reference).contents
    if "alerts" in contents:
        return [_pair(tx, "alert", id_) for id_ in contents["alerts"]]
    return [_pair(tx, matter, id_) for section in contents.values() for matter, id_ in section["ids"]]


def _read_of(what: str, table: Any) -> Callable[[Tx, OutboxRow], _About]:
    """Of a message whose reference begins with the id of a row."""
    return lambda tx, row: [(what, _name(tx, _find(tx, table, row.reference.split(":")[0]).account_id))]


_READERS: dict[str, Callable[[Tx, OutboxRow], _About]] = {
    "checkin_offers": _read_offers,
    "digest": _read_digest,
    "checkin": _read_of("checkin", CheckinRow),
    "renewal": _read_of("renewal", RenewalRow),
    "renewal_reminder": _read_of("renewal", RenewalRow),
    "renewal_outcome": _read_of("renewal", RenewalRow),
    "alert": _read_of("alert", EpisodeRow),
    "alert_reminder": _read_of("alert", EpisodeRow),
}


def _pair(tx: Tx, matter: str, id_: str) -> tuple[str, str]:
    return matter, _name(tx, _find(tx, _TABLES[matter], id_).account_id)


def _name(tx: Tx, account_id: str) -> str:
    return str(_find(tx, AccountRow, account_id).name)


def _find(tx: Tx, table: Any, id_: str) -> Any:
    return tx.session.exec(select(table).where(table.workspace_id == tx.workspace_id, table.id == id_)).one()
