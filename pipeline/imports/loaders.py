"""The loaders, one per kind of file: from valid rows to what storage merges. The explicit list is `LOADERS`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from pipeline.imports.loading import Context, Loaded, Loader, find_accounts
from pipeline.imports.mapping import Kind
from pipeline.imports.records import AccountIn, ContractIn, RowIn, TargetIn, TicketIn, UsageIn
from pipeline.imports.shape import Item
from rules.curves import Point
from rules.errors import UserError
from rules.imports import Outcome
from rules.plans import AddTarget, TargetDraft, decide_add_target
from storage.account_imports import find_alias_owners, import_accounts, list_member_ids, match_accounts
from storage.contracts import import_contracts
from storage.db import Tx
from storage.metrics import ensure_metric
from storage.target_imports import import_measurements, import_targets
from storage.tickets import import_tickets
from storage.usage import find_events, insert_events
from words.errors import WordsError
from words.names import fold

ACTIVE_USERS = frozenset({"daily_active_users", "weekly_active_users", "monthly_active_users"})
_TARGET_COLUMNS = frozenset(
    {
        "external_id",
        "kind",
        "unit",
        "baseline",
        "goal",
        "start_on",
        "due_on",
        "cadence_days",
        "customer_owner",
        "agreed_on",
    }
)


def _given(row: RowIn, context: Context, *, without: frozenset[str] = frozenset({"account"})) -> dict[str, Any]:
    """The row's values for those fields the file speaks of."""
    return {name: value for name, value in row if name in context.shaper.fields and name not in without}


# ---------------------------------------------------------------- accounts


def load_accounts(tx: Tx, items: Sequence[Item], context: Context) -> Loaded:
    """Merge a page of accounts; an alias that belongs to another account rejects its row."""
    stored = match_accounts(tx, [_account_key(item.row) for item in items])
    owners = find_alias_owners(tx, [alias for item in items for alias in _aliases(item)])
    good = []
    rejects = []
    for item in items:
        known = stored.get(_account_key(item.row))
        taken = [each for each in _aliases(item) if owners.get(fold(each), known and known.id) != (known and known.id)]
        if taken:
            rejects.append(context.reject(item, "aliases", f"{taken[0]!r} is a name of another account already"))
        else:
            values = _given(item.row, context, without=frozenset({"channel", "external_id"}))
            if "channel" in context.shaper.fields:
                values["channel_id"] = item.row.model_dump()["channel"]
            good.append({"external_id": _account_key(item.row)[0], **values})
    return Loaded(import_accounts(tx, good, context.actor, context.now), rejects)


def _account_key(row: RowIn) -> tuple[str, str]:
    values = row.model_dump(include={"external_id", "name"})
    return values["external_id"], values["name"]


def _aliases(item: Item) -> tuple[str, ...]:
    return tuple(item.row.model_dump(include={"aliases"})["aliases"])


# ---------------------------------------------------------------- contracts and tickets


def load_contracts(tx: Tx, items: Sequence[Item], context: Context) -> Loaded:
    """Merge a page of contracts."""
    found, rejects = find_accounts(tx, items, context)
    rows = []
    for item, account_id in found:
        contract = ContractIn.model_validate(item.row)
        values = _given(contract, context, without=frozenset({"account", "yearly_amount", "currency", "auto_renew"}))
        try:
            values["yearly_minor"], values["currency"] = contract.yearly_minor
        except WordsError as error:
            rejects.append(context.reject(item, "yearly_amount", str(error)))
            continue
        values["is_auto_renew"] = contract.auto_renew
        values["is_payment_known"] = "overdue_since" in context.shaper.fields
        rows.append({**values, "account_id": account_id})
    return Loaded(import_contracts(tx, rows, context.actor, context.now), rejects)


def load_tickets(tx: Tx, items: Sequence[Item], context: Context) -> Loaded:
    """Merge a page of tickets."""
    found, rejects = find_accounts(tx, items, context)
    rows = []
    for item, account_id in found:
        values = _given(item.row, context, without=frozenset({"account", "escalated"}))
        values["is_escalated"] = item.row.model_dump(include={"escalated"})["escalated"]
        rows.append({**values, "account_id": account_id})
    return Loaded(import_tickets(tx, rows, context.actor, context.now), rejects)


# ---------------------------------------------------------------- targets


def load_targets(tx: Tx, items: Sequence[Item], context: Context) -> Loaded:
    """Merge a page of targets and the measurements their rows bring."""
    found, rejects = find_accounts(tx, items, context)
    owners = list_member_ids(tx, [TargetIn.model_validate(item.row).owner_email for item, _ in found])
    targets: dict[str, dict[str, Any]] = {}
    steps: dict[str, Sequence[Point]] = {}
    values: dict[tuple[str, str, date], dict[str, Any]] = {}
    for item, account_id in found:
        row = TargetIn.model_validate(item.row)
        try:
            steps[row.external_id] = _steps(row, account_id)
            _check_measured(row, context.now.date())
        except UserError as error:
            rejects.append(context.reject(item, error.field or "", str(error)))
            continue
        metric_key = _metric(tx, row.metric, context, unit=row.unit)
        targets[row.external_id] = {
            **row.model_dump(include=set(_TARGET_COLUMNS)),
            "account_id": account_id,
            "metric_key": metric_key,
            "owner_id": owners.get(row.owner_email),
            "created_at": min(context.now, datetime.combine(row.agreed_on or row.start_on, time(), UTC)),
        }
        if row.value is not None and row.measured_on is not None:
            about = {"account_id": account_id, "metric_key": metric_key, "measured_on": row.measured_on}
            values[account_id, metric_key, row.measured_on] = {**about, "value": row.value}
    counts = import_targets(
        tx, list(targets.values()), {id_: steps[id_] for id_ in targets}, context.actor, context.now
    )
    counts += import_measurements(tx, list(values.values()), context.actor, context.now)
    return Loaded(counts, rejects)


def _steps(row: TargetIn, account_id: str) -> Sequence[Point]:
    """The typed steps, else generated ones; checked as if the target were made on the day it starts."""
    draft = TargetDraft(
        account_id=account_id,
        steps=tuple(map(_step, row.steps)) or None,
        **row.model_dump(include=set(_TARGET_COLUMNS) - {"external_id"} | {"metric"}),
    )
    (intent,) = decide_add_target(draft, row.start_on)
    return (intent.draft.steps or ()) if isinstance(intent, AddTarget) else ()


def _step(text: str) -> Point:
    day, _, value = text.partition("=")
    try:
        return date.fromisoformat(day.strip()), Decimal(value.strip())
    except (ValueError, ArithmeticError) as error:
        raise UserError("{text} is not a step like 2026-06-30=6", field="steps", text=text) from error


def _check_measured(row: TargetIn, today: date) -> None:
    if row.measured_on is not None and row.measured_on > today:
        raise UserError(
            "{day} is in the future; a value is measured today at the latest", field="measured_on", day=row.measured_on
        )


# ---------------------------------------------------------------- usage


def load_usage(tx: Tx, items: Sequence[Item], context: Context) -> Loaded:
    """Insert a page of usage facts once. A known message with other content is rejected, not overwritten."""
    found, rejects = find_accounts(tx, items, context)
    known = find_events(tx, context.mapping.source, [_message_id(item) for item, _ in found])
    rows = []
    for item, account_id in found:
        usage = UsageIn.model_validate(item.row)
        row = {
            "source": context.mapping.source,
            "message_id": _message_id(item),
            "account_id": account_id,
            "metric_key": _metric(tx, usage.metric, context, role=_role(usage.metric)),
            **usage.model_dump(include={"team", "person", "day", "value"}),
        }
        stored = known.get(row["message_id"])
        if stored is not None and any(getattr(stored, name) != value for name, value in row.items()):
            rejects.append(
                context.reject(item, "message_id", f"{row['message_id']!r} was imported before with other values")
            )
        elif usage.day > context.now.date():
            rejects.append(context.reject(item, "day", f"{usage.day} is in the future"))
        else:
            rows.append(row)
    new = insert_events(tx, rows)
    return Loaded(Counter({Outcome.NEW: new, Outcome.SAME: len(rows) - new}), rejects)


def _message_id(item: Item) -> str:
    """The row's own id, else one made of what it is about, so that the same row is known again."""
    usage = UsageIn.model_validate(item.row)
    if usage.message_id:
        return usage.message_id
    about = f"{usage.account}\n{usage.team}\n{usage.metric}\n{usage.person}\n{usage.day.isoformat()}"
    return hashlib.sha256(about.encode()).hexdigest()[:32]


def _role(metric: str) -> str:
    return "active_users" if metric in ACTIVE_USERS else "feature"


def _metric(tx: Tx, name: str, context: Context, *, unit: str = "", role: str = "outcome") -> str:
    """The key of a metric, made once per import."""
    if name not in context.metrics:
        core = context.mapping.core_features
        is_core = role == "feature" and (core is None or name in core)
        context.metrics[name] = ensure_metric(tx, name, unit, role, is_core=is_core).key
    return context.metrics[name]


LOADERS: dict[Kind, Loader] = {
    "accounts": Loader(AccountIn, lambda row: row.external_id or fold(row.name), load_accounts),
    "contracts": Loader(ContractIn, lambda row: row.external_id, load_contracts),
    "targets": Loader(TargetIn, lambda row: f"{row.external_id}\n{row.measured_on}", load_targets),
    "usage": Loader(UsageIn, lambda row: row.message_id, load_usage, page=2000),
    "tickets": Loader(TicketIn, lambda row: row.external_id, load_tickets),
}
