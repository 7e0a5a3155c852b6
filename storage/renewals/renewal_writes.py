"""Writes of verdicts and outcomes: each intent with its audit and the renewal's messages, in the caller's transaction.
Owns taking them back; what follows from contracts alone goes through `storage.renewals.keeping`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlmodel import select

from rules.errors import StaleError
from rules.records import Actor, Change, Enqueue, RenewalOutcome, RenewalVerdict
from rules.renewals.outcomes import EndContract, FollowContract, GiveVerdict, OutcomeIntent, RecordOutcome
from storage.accounts.accounts import get_accounts
from storage.audit import AuditRow, find_change, find_latest_change, record
from storage.db import Tx
from storage.delivery.outbox import enqueue, find_posted
from storage.errors import NotFoundError
from storage.merge import as_json
from storage.renewals.contract_writes import LOGGED_AS, add_contract, change_contract, remove_contract
from storage.renewals.contracts import ContractRow, find_contract, get_contract
from storage.renewals.leaving import take_back_leaving
from storage.renewals.places import list_places
from storage.renewals.renewals import ROOT, SUMMARY, RenewalRow

VERDICT_GIVEN, DECIDED = "renewal.judged", "renewal.decided"
"""Verbs of the audit, by which undo finds what was there before."""
_VERDICT = ("verdict", "verdict_note", "verdict_by", "verdict_on")
_DATES = ("ends_on", "decides_on")
_PRIORITY = 3


def apply_verdicts(tx: Tx, intents: Sequence[GiveVerdict], actor: Actor, now: datetime) -> list[RenewalRow]:
    """Store the verdicts. Raises `StaleError` where somebody changed the renewal since it was seen."""
    return [_judge(tx, intent, actor, now) for intent in intents]


def apply_outcome(tx: Tx, intents: Sequence[OutcomeIntent], actor: Actor, now: datetime) -> RenewalRow:
    """Store one outcome and what follows from it, tell it in the renewal's thread. Raises `StaleError`."""
    row, before = _decide(tx, next(each for each in intents if isinstance(each, RecordOutcome)))
    after: dict[str, object] = {}
    for intent in intents:
        if isinstance(intent, FollowContract):
            before["contract"] = _cut(tx, intent.contract_id, intent.ends_on, actor, now)
            after["next_contract"] = add_contract(tx, intent.next, actor, now, like=intent.contract_id).external_id
        elif isinstance(intent, EndContract):
            before["contract"] = _cut(tx, intent.contract_id, intent.ends_on, actor, now)
    after |= {"outcome": row.outcome.value, "new_yearly_minor": row.new_yearly_minor, "reason": row.reason}
    record(tx, Change(DECIDED, "renewal", row.id, row.account_id, before=before, after=after), actor, now)
    tx.session.flush()
    _tell(tx, row, now)
    return row


def take_back_verdict(tx: Tx, row: RenewalRow, actor: Actor, now: datetime) -> None:
    """Bring the verdict back that stood before. Raises `StaleError` where none was given."""
    given = _find(tx, VERDICT_GIVEN, row)
    for name in _VERDICT:
        setattr(row, name, _read(name, (given.before or {}).get(name)))
    row.version += 1
    tx.session.flush()
    change = Change("renewal.verdict_undone", "renewal", row.id, row.account_id, before=given.after, after=given.before)
    record(tx, change, actor, now)


def take_back_outcome(tx: Tx, row: RenewalRow, actor: Actor, now: datetime) -> None:
    """Open the renewal again; its contracts and its account become what they were. Raises `StaleError`."""
    decided = _find(tx, DECIDED, row)
    before, after = decided.before or {}, decided.after or {}
    if after.get("next_contract"):
        remove_contract(tx, str(after["next_contract"]), actor, now)
    if before.get("contract") and find_contract(tx, row.contract_id) is not None:
        change_contract(tx, row.contract_id, _read_contract(before["contract"]), actor, now)
    take_back_leaving(tx, row, actor, now)
    summary = _summary_of(row)
    row.ends_on, row.decides_on = (date.fromisoformat(before[name]) for name in _DATES)
    row.outcome, row.new_yearly_minor, row.new_end_on = RenewalOutcome.OPEN, None, None
    row.reason, row.note, row.figures, row.decided_on, row.decided_by = "", "", {}, None, None
    row.version += 1
    tx.session.flush()
    change = Change("renewal.outcome_undone", "renewal", row.id, row.account_id, before=after, after=before)
    record(tx, change, actor, now)
    _refresh(tx, row, now)
    if find_posted(tx, SUMMARY, summary) is not None:
        enqueue(tx, [Enqueue(SUMMARY, summary, is_update=True, priority=_PRIORITY)], now)


def is_outcome_needed(tx: Tx, row: RenewalRow) -> bool:
    """Whether a contract that the outcome wrote was changed since, or is gone. Raises `StaleError` without one."""
    decided = _find(tx, DECIDED, row)
    following = (decided.after or {}).get("next_contract")
    if following and find_contract(tx, following) is None:
        return True
    written = [following, row.contract_id if (decided.before or {}).get("contract") else None]
    latest = [find_latest_change(tx, LOGGED_AS, id_) for id_ in written if id_]
    return any(line is not None and line.at > decided.at for line in latest)


def find_decision(tx: Tx, row: RenewalRow) -> AuditRow | None:
    """When and by whom the outcome was last recorded."""
    return find_change(tx, DECIDED, row.id)


def find_judgement(tx: Tx, row: RenewalRow) -> AuditRow | None:
    """When and by whom a verdict was last given."""
    return find_change(tx, VERDICT_GIVEN, row.id)


def _judge(tx: Tx, intent: GiveVerdict, actor: Actor, now: datetime) -> RenewalRow:
    row = _lock(tx, intent.renewal_id, intent.version)
    before = _describe(row, _VERDICT)
    row.verdict, row.verdict_note = intent.verdict, intent.note
    row.verdict_by, row.verdict_on, row.version = intent.by, intent.on, row.version + 1
    tx.session.flush()
    change = Change(VERDICT_GIVEN, "renewal", row.id, row.account_id, before=before, after=_describe(row, _VERDICT))
    record(tx, change, actor, now)
    return row


def _decide(tx: Tx, intent: RecordOutcome) -> tuple[RenewalRow, dict[str, object]]:
    """The decided renewal, and its dates before: a customer who leaves early decides an earlier end."""
    row, draft = _lock(tx, intent.renewal_id, intent.version), intent.draft
    before = _describe(row, _DATES)
    row.ends_on, row.decides_on = intent.ends_on, min(row.decides_on, intent.ends_on)
    row.outcome, row.new_yearly_minor, row.new_end_on = draft.outcome, intent.new_yearly_minor, intent.new_end_on
    row.reason, row.note = draft.reason.value if draft.reason else "", draft.note
    row.figures = asdict(intent.figures)
    row.decided_on, row.decided_by, row.version = intent.on, intent.by, row.version + 1
    tx.session.flush()
    return row, before


def _tell(tx: Tx, row: RenewalRow, now: datetime) -> None:
    """The message at the head is drawn anew, and the thread (else the account's place) is told once."""
    place = list_places(tx, get_accounts(tx, [row.account_id]).values()).get(row.account_id, "")
    summary = _summary_of(row)
    told = Enqueue(
        SUMMARY, summary, place, f"{SUMMARY}:{summary}", thread_kind=ROOT, thread_reference=row.id, priority=_PRIORITY
    )
    _refresh(tx, row, now)
    enqueue(tx, [told], now)


def _refresh(tx: Tx, row: RenewalRow, now: datetime) -> None:
    enqueue(tx, [Enqueue(ROOT, row.id, is_update=True, priority=_PRIORITY)], now)


def _summary_of(row: RenewalRow) -> str:
    """Each decision has a summary of its own: one that was taken back stays taken back."""
    return f"{row.id}:{row.version}"


def _lock(tx: Tx, renewal_id: str, version: int) -> RenewalRow:
    query = select(RenewalRow).where(RenewalRow.workspace_id == tx.workspace_id, RenewalRow.id == renewal_id)
    row = tx.session.exec(query.with_for_update().execution_options(populate_existing=True)).first()
    if row is None:
        raise NotFoundError("This renewal no longer exists. See `/cs renewals` for those that do.")
    if row.version != version:
        raise StaleError("Somebody changed this renewal just now. Nothing was saved: look at it again.")
    return row


def _cut(tx: Tx, contract_id: str, ends_on: date, actor: Actor, now: datetime) -> dict[str, object]:
    """End the contract on that day, whatever it said; returns what it said."""
    row = get_contract(tx, contract_id)
    before = _describe(row, ("end_on", "is_auto_renew"))
    change_contract(tx, contract_id, {"end_on": ends_on, "is_auto_renew": False}, actor, now)
    return before


def _read_contract(before: Mapping[str, Any]) -> dict[str, object]:
    end = before.get("end_on")
    return {"end_on": date.fromisoformat(end) if end else None, "is_auto_renew": bool(before.get("is_auto_renew"))}


def _find(tx: Tx, verb: str, row: RenewalRow) -> AuditRow:
    found = find_change(tx, verb, row.id)
    if found is None:
        raise StaleError("There is nothing to take back.")
    return found


def _describe(row: RenewalRow | ContractRow, names: Sequence[str]) -> dict[str, object]:
    return as_json({name: getattr(row, name) for name in names})


def _read(name: str, value: Any) -> object:
    if name == "verdict" and value is not None:
        return RenewalVerdict(value)
    if name == "verdict_on" and value is not None:
        return date.fromisoformat(value)
    return value
