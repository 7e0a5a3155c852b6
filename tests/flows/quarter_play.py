"""The quarter acted out: people type, press and fill in forms over the control API, the clock goes from due time to due
time. Owns the acting, and the notes of what was posted at which minute; what should have been is `quarter_model`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from sqlmodel import col, select

from bot.clocks import Clocks, read_wall
from bot.serving import connect
from bot.wiring import wire
from playground.model import User
from rules.delivery.outbox import Pace
from storage.delivery.outbox import OutboxRow
from tests.flows.flow_rows import open_form, press, read, submit
from tests.flows.flow_stage import CHANNEL, Json, Stage, find_button, open_stage, said
from tests.flows.quarter_plan import (
    ACCOUNTS,
    AMARA,
    ASLEEP,
    AWAKE,
    BEGIN,
    BERLIN,
    COUNTRIES,
    EMAILS,
    LENA,
    NEW_YORK,
    RESTARTED,
    SHANGHAI,
    WEI,
    ChangeZone,
    Decide,
    Deed,
    FinishTask,
)
from tests.flows.quarter_records import Reply

QUICK = Pace(lease=20.0, settle=2.0, spacing=0.0, poll=1.0, timeout=5.0, sweep=5.0)
PEOPLE = (
    User(id=LENA, name="lena", real_name="Lena", email=EMAILS[LENA], tz=BERLIN, is_admin=True),
    User(id=AMARA, name="amara", real_name="Amara", email=EMAILS[AMARA], tz=NEW_YORK),
    User(id=WEI, name="wei", real_name="Wei", email=EMAILS[WEI], tz=SHANGHAI),
)


@dataclass(frozen=True)
class Sighting:
    """A message that was posted, and the minute the business clock showed then."""

    at: datetime
    row: OutboxRow


@dataclass
class Player:
    """One run of the quarter; `seen` are the messages posted since it began, in order."""

    stage: Stage
    seen: list[Sighting] = field(default_factory=list)
    _last: int = 0

    async def play(self, deeds: Iterable[Deed | Reply], until: datetime, *, stops: Iterable[datetime] = ()) -> None:
        """Every deed at its moment, and between them whatever falls due. What is looked for every five minutes happens
        at the next stop: `stops` are more of them.
        """
        self._last = max((row.seq for row in self._list_new()), default=0)
        turns: list[tuple[datetime, Deed | Reply | None]] = [(each.at, each) for each in deeds]
        turns += [(moment, None) for moment in {*stops, AWAKE, RESTARTED}]
        for moment, deed in sorted(turns, key=lambda each: each[0]):
            await self._walk(moment, is_asleep=moment == AWAKE)
            if moment == RESTARTED:
                await self._restart()
            elif deed is not None:
                await self._act(deed)
                await self._look()
        await self._walk(until)

    # ------------------------------------------------------------ time

    async def _walk(self, until: datetime, *, is_asleep: bool = False) -> None:
        """From due time to due time; asleep, everything that was missed is due at the end."""
        scheduler = self.stage.server.scheduler
        limit = ASLEEP if is_asleep else until
        while (due := await asyncio.to_thread(scheduler.next_due)) is not None and due <= limit:
            await self._stop_at(due)
        await self._stop_at(until)

    async def _stop_at(self, moment: datetime) -> None:
        if moment > self.stage.clock():
            self.stage.clock.move_to(moment)
        await self.stage.server.scheduler.tick()
        await self._look()

    async def _look(self) -> None:
        """Note what has been posted by now."""
        await self.stage.settle()
        minute = self.stage.clock().replace(second=0, microsecond=0)
        for row in self._list_new():
            self.seen.append(Sighting(minute, row))
            self._last = row.seq

    def _list_new(self) -> list[OutboxRow]:
        query = select(OutboxRow).where(
            OutboxRow.workspace_id == self.stage.workspace_id,
            col(OutboxRow.is_update).is_(other=False),
            col(OutboxRow.seq) > self._last,
        )
        return read(self.stage, lambda tx: list(tx.session.exec(query.order_by(col(OutboxRow.seq)))))

    async def _restart(self) -> None:
        """The process ends and another one goes on with the same database."""
        stage = self.stage
        await stage.server.stop()
        settings = stage.server.wiring.settings
        stage.server.wiring.database.close()
        stage.server = await connect(wire(settings, clocks=Clocks(stage.clock, read_wall)), pace=QUICK)
        await stage.server.start()

    # ------------------------------------------------------------ acts

    async def _act(self, deed: Deed | Reply) -> None:
        match deed:
            case Reply(do="checkin"):
                form = await open_form(self.stage, f"/cs checkin {deed.account}", deed.who)
                await self._submit(form, deed.who, pulse="4", changed="All is well")
            case Reply(do="skip"):
                await self._settle(deed, "Skip", reason="They are at a fair")
            case Reply():
                await self._settle(deed, "Remind", until=str(deed.until))
            case Decide():
                await self._decide(deed)
            case FinishTask():
                shown = await self._type("tasks mine", deed.who)
                await self._press(shown, deed, "tasks.done")
            case ChangeZone():
                answer = await self.stage.act("user", user=deed.who, changes={"tz": deed.zone})
                assert answer["ok"], answer
                assert await self.stage.server.edge.tasks.drain(5) == 0
            case _:
                await self._type(deed.text, deed.who)

    async def _type(self, text: str, who: str) -> Json:
        """A command that is answered by a whisper."""
        answer = await self.stage.act("command", user=who, channel=CHANNEL, text=f"/cs {text}", wait_seconds=5)
        assert answer["ok"], answer
        assert answer["messages"], (text, answer)
        message: Json = answer["messages"][-1]["message"]
        return message

    async def _settle(self, reply: Reply, choice: str, **values: str) -> None:
        """By the menu beside a check-in that is due."""
        shown = await self._type("checkins mine", reply.who)
        block = _find_actions(shown["blocks"], reply.account)
        menu = next(each for each in block["elements"] if each["action_id"] == "checkins.more")
        value = next(each["value"] for each in menu["options"] if each["text"]["text"].startswith(choice))
        await self._fill(shown, reply.who, menu["action_id"], values, block_id=block["block_id"], value=value)

    async def _decide(self, deed: Decide) -> None:
        """By the form for how a renewal ended."""
        shown = await self._type(f"renewal {deed.account}", deed.who)
        action = find_button(shown, "renewals.outcome")["action_id"]
        more = {"expanded": {"amount": "€99k"}, "churned": {"reason": "price"}}.get(deed.outcome, {})
        await self._fill(shown, deed.who, action, {"outcome": deed.outcome, **more})

    async def _fill(self, shown: Json, who: str, action: str, values: dict[str, str], **more: str) -> None:
        """Press what opens a form, and submit it."""
        answer = await press(self.stage, shown, action, who, wait_seconds=5, **more)
        assert answer["ok"], answer
        forms = [each for each in answer["views"] if each["type"] == "modal"]
        assert forms, answer
        await self._submit(forms[-1], who, **values)

    async def _press(self, shown: Json, deed: Deed, action: str) -> None:
        block = _find_actions(shown["blocks"], deed.account)
        answer = await press(self.stage, shown, action, deed.who, block_id=block["block_id"], wait_seconds=5)
        assert answer["ok"], answer

    async def _submit(self, form: Json, who: str, **values: str) -> None:
        answer = await submit(self.stage, form, who, **values)
        assert answer["ok"], answer
        assert not answer.get("errors"), answer


def _find_actions(blocks: Sequence[Json], name: str) -> Json:
    """The row of buttons under the line that names an account."""
    for line, below in pairwise(blocks):
        if name in said({"blocks": [line]}) and below["type"] == "actions":
            return below
    raise AssertionError(f"nothing to press for {name} in {said({'blocks': list(blocks)})}")


# ---------------------------------------------------------------- setting up


@asynccontextmanager
async def open_quarter(folder: Path) -> AsyncIterator[Player]:
    """The team on its first evening, with its accounts and their history, and nothing said yet."""
    hours = {who: {"country": country} for who, country in COUNTRIES.items()}
    async with open_stage(folder, pace=QUICK, start=BEGIN, people=PEOPLE, hours=hours) as stage:
        form = await open_form(stage, "/cs setup", LENA)
        places = {"zone": {"people.zone": BERLIN}, "country": {"people.country": "DE"}}
        answer = await submit(stage, form, LENA, lead_id=LENA, **places)
        assert answer["ok"], answer
        assert not answer.get("errors"), answer
        await asyncio.to_thread(_import_all, stage)
        await stage.walk(stage.clock() + timedelta(minutes=5))
        yield Player(stage)


def _import_all(stage: Stage) -> None:
    _import(stage, "accounts", _list_accounts())
    _import(stage, "contracts", _list_contracts())
    larch = _target("Larch", "G-1", "conversion", "%", (5, 10, 7), 30)
    maple = _target("Maple", "G-2", "handling time", "min", (40, 30, 38.6), 14)
    _import(stage, "targets", [larch, maple])


def _import(stage: Stage, kind: str, rows: Iterable[Json]) -> None:
    report = stage.import_rows(kind, [dict(each) for each in rows])
    assert report.taken == report.rows, report.as_json()


def _list_accounts() -> Iterator[Json]:
    for each in ACCOUNTS:
        yield {
            "external_id": each.name.lower(),
            "name": each.name,
            "tier": each.tier,
            "started_on": each.started_on.isoformat(),
            "owner_email": EMAILS.get(each.owner, ""),
            "channel": CHANNEL if each.has_channel else "",
            "seats": 50,
        }


def _list_contracts() -> Iterator[Json]:
    for each in ACCOUNTS:
        if each.contract is not None:
            yield {
                "external_id": each.contract.id,
                "account": each.name,
                "start_on": each.started_on.isoformat(),
                "end_on": each.contract.ends_on.isoformat(),
                "notice_by": each.contract.notice_by.isoformat() if each.contract.notice_by else "",
                "yearly_amount": "€84k",
            }


def _target(account: str, id_: str, metric: str, unit: str, values: tuple[float, float, float], cadence: int) -> Json:
    """From January to December with one step, measured on 20 February. `values`: baseline, goal, the measurement."""
    baseline, goal, value = values
    return {
        "external_id": id_,
        "account": account,
        "metric": metric,
        "unit": unit,
        "baseline": baseline,
        "goal": goal,
        "start_on": "2026-01-01",
        "due_on": "2026-12-31",
        "agreed_on": "2026-01-01",
        "cadence_days": cadence,
        "steps": f"2026-09-01={(baseline + 2 * goal) / 3:.2f}",
        "value": value,
        "measured_on": "2026-02-20",
    }
