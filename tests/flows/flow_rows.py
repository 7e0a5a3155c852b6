"""What flows start from and look back at: accounts, targets and alerts made through storage's own doors, every stored
row, and the last thing a person was told.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from sqlmodel import func, select

from rules.accounts.accounts import AccountDraft, decide_add
from rules.alerts.alerts import Fired, OpenEpisode
from rules.alerts.announcements import Announcement
from rules.records import Actor, AlertKind, Role, Severity, TargetKind
from rules.success.plans import TargetDraft, decide_add_target
from storage.accounts.account_writes import apply_accounts
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import EpisodeRow
from storage.alerts.announcements import apply_announcement, list_unannounced
from storage.audit import AuditRow
from storage.db import Tx
from storage.delivery.outbox import OutboxRow
from storage.people.members import add_by_slack_id
from storage.schema import METADATA
from storage.success.target_writes import apply_targets
from tests.flows.flow_stage import CHANNEL, CSM, Json, Stage, find_button, said

T = TypeVar("T")
ACTOR = Actor("import", "accounts.csv")
_NUMBERS = itertools.count(1)
# Rows that change by themselves: who is who, payloads seen, clockwork, and how far delivery has come.
_RESTLESS = frozenset(
    {"members", "deliveries", "schedules", "schedule_runs", "leases", "channels", "channel_slots", "outbox"}
)


def new_name(stem: str = "Customer") -> str:
    """A name that no other test of the stage uses."""
    return f"{stem} {next(_NUMBERS):03}"


def read(stage: Stage, ask: Callable[[Tx], T]) -> T:
    """Ask the database something."""
    with stage.server.wiring.database.reading(stage.workspace_id) as tx:
        return ask(tx)


def write(stage: Stage, change: Callable[[Tx], T]) -> T:
    """Change the database, and let delivery look at once."""
    with stage.server.wiring.database.writing(stage.workspace_id) as tx:
        found = change(tx)
    stage.server.delivery.nudge()
    return found


def add_account(stage: Stage, name: str = "", owner: str = CSM, **more: Any) -> str:
    """An account of `owner` (a Slack id); its id."""

    def change(tx: Tx) -> str:
        owner_id = add_person(tx, owner) if owner else None
        draft = AccountDraft(name or new_name(), owner_id=owner_id, **more)
        return apply_accounts(tx, decide_add(draft), ACTOR, stage.clock())[0].id

    return write(stage, change)


def add_person(tx: Tx, slack_id: str, role: Role = Role.CSM) -> str:
    """The member of a Slack user; its id."""
    return add_by_slack_id(tx, slack_id, role=role, zone="UTC", locale="en-US").id


def add_target(stage: Stage, account_id: str, metric: str = "conversion", unit: str = "%") -> str:
    """A target from 5 to 10 that runs for a year; its id."""
    draft = TargetDraft(
        account_id=account_id,
        metric=metric,
        kind=TargetKind.LEVEL,
        unit=unit,
        baseline=Decimal(5),
        goal=Decimal(10),
        start_on=stage.today - timedelta(days=90),
        due_on=stage.today + timedelta(days=275),
        agreed_on=stage.today - timedelta(days=90),
    )
    intents = decide_add_target(draft, stage.today)
    return write(stage, lambda tx: apply_targets(tx, intents, ACTOR, stage.clock())[0].id)


def add_alert(stage: Stage, account_id: str, channel: str = CHANNEL) -> str:
    """An alert of an account, announced in `channel`; its id."""

    def change(tx: Tx) -> str:
        facts = {"score": 31.0, "day": stage.today.isoformat(), "data_day": stage.today.isoformat()}
        fired = Fired(account_id, AlertKind.HEALTH_RED, Severity.HIGH, 50.0, 5.0, "red-1", facts)
        (row,) = apply_alerts(tx, [OpenEpisode(fired)], Actor.job("scan"), stage.clock())
        seen = {each.episode_id: each.standing for each in list_unannounced(tx, stage.clock())}
        apply_announcement(tx, Announcement(channel, (row.id,), is_summary=False), seen, stage.clock())
        return row.id

    return write(stage, change)


def get_alert(stage: Stage, episode_id: str) -> EpisodeRow:
    """An alert as it is now."""
    return read(stage, lambda tx: tx.session.exec(select(EpisodeRow).where(EpisodeRow.id == episode_id)).one())


def list_outbox(stage: Stage, reference: str = "") -> list[OutboxRow]:
    """Outbox rows in order; only those about `reference` if given."""
    rows = read(stage, lambda tx: list(tx.session.exec(select(OutboxRow))))
    return sorted((row for row in rows if reference in ("", row.reference)), key=lambda row: row.seq)


def list_keys(stage: Stage, channel: str = CHANNEL) -> list[str]:
    """The metadata keys of what stands in a channel and its threads, in order."""
    standing = stage.slack.core.workspace.messages.get(channel, {}).values()
    ordered = sorted(standing, key=lambda each: float(each.ts))
    return [each.metadata["event_payload"]["key"] for each in ordered if each.metadata]


def direct_messages(stage: Stage, user: str) -> list[str]:
    """What the bot wrote to a person, in order."""
    workspace = stage.slack.core.workspace
    rooms = [each.id for each in workspace.channels.values() if each.is_im and user in each.members]
    return [said(message.to_slack()) for room in rooms for message in workspace.messages.get(room, {}).values()]


def count_refusals(stage: Stage) -> int:
    """How many refusals the audit tells of."""
    query = select(func.count()).select_from(AuditRow).where(AuditRow.is_refused)  # type: ignore[arg-type]
    return read(stage, lambda tx: tx.session.exec(query).one())


def list_rows(stage: Stage) -> dict[str, list[str]]:
    """Every stored row, refusals aside, as text by table; of the outbox only what is to be said where."""

    def ask(tx: Tx) -> dict[str, list[str]]:
        found = {
            table.name: sorted(str(row) for row in tx.session.execute(table.select()) if not _is_refusal(row))
            for table in METADATA.sorted_tables
            if table.name not in _RESTLESS
        }
        outbox = tx.session.exec(select(OutboxRow))
        return found | {"outbox": sorted(f"{row.kind} {row.reference} {row.dedupe_key}" for row in outbox)}

    return read(stage, ask)


def _is_refusal(row: Any) -> bool:
    return bool(getattr(row, "is_refused", False))


@contextmanager
def nothing_saved(stage: Stage, refusals: int = 0) -> Iterator[None]:
    """Inside, not a row is added, changed or taken away, but for so many refusals in the audit."""
    before, refused = list_rows(stage), count_refusals(stage)
    yield
    assert list_rows(stage) == before
    assert count_refusals(stage) - refused == refusals


def whisper(answer: Json) -> str:
    """All text of the last message the act brought the person."""
    assert answer["ok"], answer
    assert answer["messages"], answer
    return said(answer["messages"][-1]["message"])


def last_message(answer: Json) -> Json:
    """That message itself."""
    message: Json = answer["messages"][-1]["message"]
    return message


async def told(stage: Stage, text: str, user: str = CSM, seconds: float = 5.0) -> Json:
    """The newest note of a person in the channel that says `text`, once it is there."""
    until = asyncio.get_running_loop().time() + seconds
    notes: list[Json] = []
    while asyncio.get_running_loop().time() < until:
        notes = [each for each in await stage.messages(user=user) if each.get("ephemeral")]
        if found := [each for each in notes if text in said(each)]:
            return found[-1]
        await asyncio.sleep(0.05)
    raise AssertionError(f"nobody told {user} {text!r}; last: {[said(each) for each in notes[-3:]]}")


async def press(stage: Stage, message: Json, action: str, user: str = CSM, **more: Any) -> Json:
    """Press or pick what has this action id in a message or note of the channel."""
    body = {"channel": CHANNEL, "ts": message["ts"], "action_id": action, **more}
    return await stage.act("press", user=user, **body)


def pick(message: Json, action: str, choice: str) -> str:
    """The value of the option whose reference holds `choice`."""
    options = find_button(message, action)["options"]
    values = [str(each["value"]) for each in options]
    return next(each for each in values if choice in json.loads(each)[2].values())


async def open_form(stage: Stage, text: str, user: str = CSM) -> Json:
    """Type a command that opens a form; the form."""
    before = {each["id"] for each in await list_views(stage, user)}
    assert (await stage.command(text, user))["ok"]
    return await wait_for_form(stage, user, before)


async def wait_for_form(stage: Stage, user: str = CSM, before: Collection[str] = ()) -> Json:
    """The form on top of a person's screen, once it is none of those `before`."""
    until = asyncio.get_running_loop().time() + 5
    while asyncio.get_running_loop().time() < until:
        views = await list_views(stage, user)
        if views and views[-1]["id"] not in before:
            return views[-1]
        await asyncio.sleep(0.02)
    raise AssertionError("no form opened")


async def list_views(stage: Stage, user: str = CSM) -> list[Json]:
    """A person's open forms, the one on top last."""
    async with stage.session.get(f"{stage.slack.url}/_play/views", params={"user": user}) as response:
        views: list[Json] = (await response.json())["views"]
    return views


def top_form(answer: Json) -> Json:
    """The form on top of the person's screen after an act."""
    modals: list[Json] = [each for each in answer["views"] if each["type"] == "modal"]
    assert modals, answer
    return modals[-1]


async def submit(stage: Stage, view: Json, user: str = CSM, **values: Any) -> Json:
    """Fill the fields by name and submit; a value may name its action as {"action": value}."""
    filled = {name: value if isinstance(value, dict) else {"value": value} for name, value in values.items()}
    return await stage.act("submit", user=user, view_id=view["id"], values=filled, wait_seconds=0)


def last_payload(stage: Stage, beginning: str) -> int:
    """The number in the ledger of the latest payload whose name begins so."""
    entries = [each for each in stage.slack.ledger if each["kind"] == "payload" and each["name"].startswith(beginning)]
    return int(entries[-1]["n"])
