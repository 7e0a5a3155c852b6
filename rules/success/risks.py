"""Risks of accounts: what a valid one is, how one ends, and the intents. Refuses to predict any and to store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from rules.errors import UserError

TEXT_LENGTH = 500
PLAN_LENGTH = 1000
NOTE_LENGTH = 1000


class RiskOutcome(StrEnum):
    """How a risk ended."""

    AVERTED = "averted"
    HAPPENED = "happened"
    MOOT = "moot"


@dataclass(frozen=True)
class RiskDraft:
    """A risk as somebody describes it. `plan`: what we do about it; `owner_id` is a member."""

    account_id: str
    text: str
    plan: str = ""
    owner_id: str | None = None
    checkin_id: str | None = None


@dataclass(frozen=True)
class RiskState:
    """A stored risk as decisions need it."""

    id: str
    version: int
    text: str
    plan: str = ""
    owner_id: str | None = None
    closed_on: date | None = None


@dataclass(frozen=True)
class AddRisk:
    """Store this risk, opened on a day."""

    draft: RiskDraft
    opened_on: date


@dataclass(frozen=True)
class ChangeRisk:
    """Set these columns of the risk if its version is still this one; `verb` says what was done."""

    risk_id: str
    version: int
    verb: str
    values: Mapping[str, object]


RiskIntent = AddRisk | ChangeRisk


def decide_add_risk(draft: RiskDraft, today: date) -> list[RiskIntent]:
    """The intents that add `draft`. Raises `UserError` with the field at fault ("risk", "plan")."""
    _check_texts(draft.text, draft.plan)
    return [AddRisk(draft, today)]


def decide_edit_risk(state: RiskState, text: str, plan: str, owner_id: str | None) -> list[RiskIntent]:
    """The intents that give a risk another text, plan or owner; none where nothing differs. Raises `UserError`."""
    _check_texts(text, plan)
    wanted = {"text": text, "plan": plan, "owner_id": owner_id}
    changed = {name: value for name, value in wanted.items() if value != getattr(state, name)}
    return [ChangeRisk(state.id, state.version, "changed", changed)] if changed else []


def decide_close_risk(
    state: RiskState, outcome: RiskOutcome, note: str, person_id: str, today: date
) -> list[RiskIntent]:
    """The intents that close an open risk. Raises `UserError`: a note too long."""
    if len(note) > NOTE_LENGTH:
        raise UserError("That is too long. Type {limit} characters at most.", field="note", limit=NOTE_LENGTH)
    values = {"closed_on": today, "closed_by": person_id, "outcome": outcome, "outcome_note": note}
    return [ChangeRisk(state.id, state.version, "closed", values)]


def decide_reopen_risk(state: RiskState) -> list[RiskIntent]:
    """The intents that open a closed risk again, without the outcome it had; none where it is open."""
    if state.closed_on is None:
        return []
    values = {"closed_on": None, "closed_by": None, "outcome": None, "outcome_note": ""}
    return [ChangeRisk(state.id, state.version, "reopened", values)]


def _check_texts(text: str, plan: str) -> None:
    if not text:
        raise UserError("What may go wrong? Type it in a few words.", field="risk")
    if len(text) > TEXT_LENGTH:
        raise UserError("That is too long. Type {limit} characters at most.", field="risk", limit=TEXT_LENGTH)
    if len(plan) > PLAN_LENGTH:
        raise UserError("That is too long. Type {limit} characters at most.", field="plan", limit=PLAN_LENGTH)
