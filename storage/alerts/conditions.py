"""Conditions: is something wrong, per account and rule. Owns their table; refuses to decide (`rules` does)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, tuple_
from sqlalchemy import select as select_columns
from sqlmodel import Field, SQLModel, col

from rules.alerts.conditions import Condition, Topic
from rules.records import AlertKind, ConditionState
from storage.db import Tx
from storage.fields import account, choice, json_value, workspace
from storage.upsert import upsert

AccountConditions = dict[Topic, Condition]


class ConditionRow(SQLModel, table=True):
    """State of one rule for one account and subject ("" for the account itself). `streak` counts distinct daily
    observations in the pending or clearing direction; `openings` are ISO days on which it began firing (for flapping),
    `sightings` the (ISO day, level) that made it begin.
    """

    __tablename__ = "conditions"

    workspace_id: str = workspace(is_key=True)
    account_id: str = account(is_key=True)
    rule: AlertKind = choice(AlertKind, primary_key=True)
    subject: str = Field(default="", primary_key=True)
    state: ConditionState = choice(ConditionState, default=ConditionState.OK)
    streak: int = 0
    since: date
    observed_on: date
    openings: list[str] = json_value(default_factory=list)
    is_initial: bool = False
    is_flapping: bool = False
    sightings: list[list[Any]] = json_value(default_factory=list)


_DELETE_PAGE = 250
_KEYS = ("workspace_id", "account_id", "rule", "subject")
_VALUES = ("state", "streak", "since", "observed_on", "openings", "is_initial", "is_flapping", "sightings")


def list_conditions(tx: Tx, account_ids: Sequence[str]) -> dict[str, AccountConditions]:
    """The conditions of a page of accounts; accounts never looked at are left out. Read as plain columns: a scan reads
    a dozen of each account, twice, and objects of the session would cost it a fifth of its time.
    """
    query = select_columns(
        *(getattr(ConditionRow, name) for name in ("account_id", "rule", "subject", *_VALUES))
    ).where(col(ConditionRow.workspace_id) == tx.workspace_id, col(ConditionRow.account_id).in_(account_ids))
    found: dict[str, AccountConditions] = {}
    for account_id, rule, subject, *values in tx.session.execute(query):
        found.setdefault(account_id, {})[rule, subject] = _to_condition(*values)
    return found


def save_conditions(
    tx: Tx, conditions: Mapping[str, Mapping[Topic, Condition]], known: Mapping[str, Mapping[Topic, Condition]]
) -> int:
    """Make the conditions of a page of accounts what is given, where `known` stood; returns how many rows changed."""
    rows = [
        _to_values(id_, topic, state)
        for id_, states in conditions.items()
        for topic, state in states.items()
        if known.get(id_, {}).get(topic) != state
    ]
    gone = [(id_, *topic) for id_, states in conditions.items() for topic in known.get(id_, {}) if topic not in states]
    _delete(tx, gone)
    return upsert(tx, ConditionRow, rows, keys=_KEYS, update=_VALUES) + len(gone)


def _delete(tx: Tx, keys: Sequence[tuple[str, AlertKind, str]]) -> None:
    columns = tuple_(col(ConditionRow.account_id), col(ConditionRow.rule), col(ConditionRow.subject))
    for at in range(0, len(keys), _DELETE_PAGE):
        own = (col(ConditionRow.workspace_id) == tx.workspace_id, columns.in_(keys[at : at + _DELETE_PAGE]))
        tx.session.execute(delete(ConditionRow).where(*own))


def _to_condition(
    state: ConditionState, streak: int, since: date, observed_on: date, openings: Sequence[str], *more: Any
) -> Condition:
    is_initial, is_flapping, sightings = more
    opened = tuple(date.fromisoformat(day) for day in openings)
    seen = tuple((date.fromisoformat(day), float(level)) for day, level in sightings)
    return Condition(state, streak, since, observed_on, opened, is_initial, is_flapping, seen)


def _to_values(account_id: str, topic: Topic, state: Condition) -> dict[str, object]:
    return {
        "account_id": account_id,
        "rule": topic[0],
        "subject": topic[1],
        "state": state.state,
        "streak": state.streak,
        "since": state.since,
        "observed_on": state.observed_on,
        "openings": [day.isoformat() for day in state.openings],
        "is_initial": state.is_initial,
        "is_flapping": state.is_flapping,
        "sightings": [[day.isoformat(), level] for day, level in state.sightings],
    }
