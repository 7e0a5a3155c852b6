"""What a machine that watches is shown: signs of life that fail when they should, figures that are true, files for
Prometheus and Grafana that name no figure that is not there; and no secret in any line of the log.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from aiohttp import ClientSession
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import select, text

from bot import metrics
from bot.clocks import Clocks, read_wall
from bot.registry import SLICES
from bot.slack.manifest import build_manifest
from bot.web.listening import SiteServer
from bot.web.readings import read_figures
from bot.web.watching import build_site
from bot.wiring import with_help
from playground.faults import Fault
from playground.server import Playground
from rules.records import Enqueue
from storage.alerts.alerts import MESSAGE
from storage.copies import back_up
from storage.db import Database
from storage.delivery.leases import LeaseRow
from storage.delivery.outbox import OutboxRow, enqueue
from storage.delivery.schedules import ensure_schedules
from storage.revision import upgrade
from tests.alert_rows import add_account, add_episode
from tests.conftest import NOW, add_workspace
from tests.crash.test_crash_run import CHANNELS, LEAD, make_environment, make_seed, until
from tests.crash.test_crash_run import is_delivered as is_all_sent

OPS = Path(__file__).resolve().parents[2] / "ops"
ROOT = OPS.parent
_NAME = re.compile(r"\bmilepost_\w+")


@asynccontextmanager
async def watched(database: Database, checks: dict[str, Any]) -> AsyncIterator[ClientSession]:
    clocks = Clocks(lambda: NOW, lambda: NOW)
    server = SiteServer(build_site(database, clocks, checks), "127.0.0.1", 0)
    await server.start()
    async with ClientSession(f"http://127.0.0.1:{server.port}") as session:
        yield session
    await server.stop()


async def ask(session: ClientSession, path: str) -> tuple[int, str]:
    async with session.get(path) as response:
        return response.status, await response.text()


def upgraded(folder: Path) -> Database:
    database = Database(f"sqlite:///{folder / 'milepost.db'}")
    upgrade(database)
    return database


async def test_ready_is_who_can_do_its_part(tmp_path: Path):
    database = upgraded(tmp_path)
    holds = {"slack": True}

    async def is_connected() -> bool:
        return holds["slack"]

    async def hangs() -> bool:
        raise TimeoutError

    async with watched(database, {"slack": is_connected}) as session:
        assert await ask(session, "/healthz") == (200, "alive\n")
        status, said = await ask(session, "/readyz")
        assert (status, json.loads(said)) == (200, {"database": True, "slack": True})
        holds["slack"] = False
        status, said = await ask(session, "/readyz")
        assert (status, json.loads(said)) == (503, {"database": True, "slack": False})
        with database.write() as writing:
            writing.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        status, said = await ask(session, "/readyz")
        assert (status, json.loads(said)["database"]) == (503, False)
        assert (await ask(session, "/healthz"))[0] == 200
    async with watched(database, {"tick": hangs}) as session:
        assert (await ask(session, "/readyz"))[0] == 503
    database.close()


def values(database: Database, name: str) -> dict[tuple[str, ...], float]:
    clocks = Clocks(lambda: NOW + timedelta(minutes=20), lambda: NOW + timedelta(minutes=10))
    (found,) = [each for each in read_figures(database, clocks) if each.name == name]
    return {tuple(sample.labels.values()): sample.value for sample in found.samples}


def test_figures_of_the_queue_are_those_of_the_rows(database: Database):
    workspace_id = add_workspace(database)
    other = add_workspace(database, "T0000002")
    with database.writing(workspace_id) as tx:
        ensure_schedules(tx, NOW)
        tx.session.add_all(row(workspace_id, seq, state) for seq, state in enumerate(["queued", "dead", "sent"]))
        late = row(workspace_id, 9, "queued")
        late.not_before = NOW + timedelta(hours=5)
        tx.session.add(late)
    with database.writing(other) as tx:
        tx.session.add(row(other, 1, "queued"))
    counts = values(database, "milepost_outbox_messages")
    assert counts == {("queued",): 3, ("dead",): 1, ("sending",): 0, ("uncertain",): 0}
    assert values(database, "milepost_outbox_oldest_seconds")["queued",] == 600
    assert values(database, "milepost_schedule_overdue_seconds") == {(): 900}


def row(workspace_id: str, seq: int, state: str) -> OutboxRow:
    return OutboxRow(
        workspace_id=workspace_id,
        seq=seq,
        kind="k",
        reference="r",
        channel="C1",
        dedupe_key=f"key {seq}",
        state=state,
        created_at=NOW,
    )


def test_dashboard_and_rules_name_only_figures_that_there_are(sqlite_database: Database):
    add_workspace(sqlite_database)
    kept = [*metrics.KEPT.collect(), *read_figures(sqlite_database, Clocks(read_wall, read_wall))]
    names = {f"{each.name}_total" if each.type == "counter" else each.name for each in kept}
    ends = {"bucket", "sum", "count"}
    known = names | {f"{each.name}_{end}" for each in kept if each.type == "histogram" for end in ends}
    dashboard = json.loads((OPS / "grafana.json").read_text(encoding="utf-8"))
    rules = yaml.safe_load((OPS / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
    told = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    told += [rule["expr"] for rule in rules]
    named = {name for expression in told for name in _NAME.findall(expression)}
    assert named <= known
    assert names - {re.sub(r"_(bucket|sum|count)$", "", name) for name in named} == set()
    own = [each for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)]
    labels = {label for each in own for label in each._labelnames}
    labels |= {label for each in kept for sample in each.samples for label in sample.labels}
    used = {label for expression in told for label in re.findall(r"(\w+)=\"", expression)}
    assert used <= labels
    assert all(rule["annotations"]["action"] and rule["labels"]["severity"] for rule in rules)


# ---------------------------------------------------------------- the very command


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


async def start(environment: dict[str, str], log: Path) -> Process:
    program = "from bot.main import main; main(['run'])"
    with log.open("wb") as file:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, cwd=ROOT, env=environment, stdout=PIPE, stderr=file
        )


async def test_a_run_shows_how_it_is_keeps_secrets_and_ends_in_time(tmp_path: Path):
    async with Playground(make_seed(), port=0) as slack:
        app = slack.install(build(), installer=LEAD)
        for channel in CHANNELS:
            slack.join(channel, app.bot_user_id)
        database = upgraded(tmp_path)
        workspace_id = add_workspace(database, "T0000CRASH")
        port = free_port()
        environment = {
            **make_environment(app, slack, database),
            "MILEPOST_METRICS_PORT": str(port),
            "MILEPOST_LOG_FORMAT": "json",
            "MILEPOST_LOG_LEVEL": "DEBUG",
            "MILEPOST_SLACK_SIGNING_SECRET": "marked-signing-secret",
        }
        log = tmp_path / "log.jsonl"
        bot = await start(environment, log)
        await until(lambda: "Milepost is ready" in log.read_text(encoding="utf-8"), 60)
        async with ClientSession(f"http://127.0.0.1:{port}") as session, ClientSession(slack.url) as people:
            assert (await ask(session, "/healthz"))[0] == 200
            status, said = await ask(session, "/readyz")
            assert (status, set(json.loads(said))) == (200, {"database", "slack", "delivery", "tick"})
            slack.faults.append(lambda method, _: Fault.fail(500) if method == "chat.postEphemeral" else None)
            command = {"user": LEAD, "channel": CHANNELS[0], "text": "/cs show nobody", "wait_seconds": 5}
            await people.post("/_play/command", json=command)
            await asyncio.to_thread(post_alert, database, workspace_id)
            await until(lambda: is_all_sent(database))
            told = await asyncio.gather(
                ask(session, "/metrics"), asyncio.to_thread(back_up, database, tmp_path / "b.db")
            )
            check_figures(told[0][1])
            slack.faults.append(lambda method, _: Fault.hang(3.0) if method == "chat.postMessage" else None)
            await asyncio.to_thread(post_alert, database, workspace_id, "Zenith")
            await until(lambda: any(each.state == "sending" for each in rows(database)))
        began = asyncio.get_running_loop().time()
        bot.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(bot.wait(), 15) == 0
        assert asyncio.get_running_loop().time() - began < 12
        assert "sending" not in {each.state for each in rows(database)}, (
            "its message was finished, or is to be looked up"
        )
        with database.read() as session:
            (lease,) = session.exec(select(LeaseRow)).all()
        assert lease.expires_at <= read_wall(), "another may act at once"
        database.close()
    check_log(log.read_text(encoding="utf-8"), [app.bot_token, app.app_token, "marked-signing-secret", "hooks.slack"])


def build() -> dict[str, Any]:
    return build_manifest(with_help(SLICES), is_socket_mode=True, url="https://bot.example.com")


def post_alert(database: Database, workspace_id: str, name: str = "Acme") -> None:
    with database.writing(workspace_id) as tx:
        episode = add_episode(tx, add_account(tx, name).id, channel_id=CHANNELS[0])
        enqueue(tx, [Enqueue(MESSAGE, episode.id, CHANNELS[0])], NOW)


def rows(database: Database) -> list[OutboxRow]:
    with database.read() as session:
        return list(session.exec(select(OutboxRow)))


def check_figures(told: str) -> None:
    samples = [sample for family in text_string_to_metric_families(told) for sample in family.samples]
    figures = {(sample.name, *sample.labels.values()): sample.value for sample in samples}
    assert figures["milepost_ack_seconds_count", "command"] >= 1
    assert figures["milepost_delivery_outcomes_total", "sent", "send"] >= 1
    assert figures["milepost_scheduler_lease_held",] == 1
    assert figures["milepost_outbox_messages", "queued"] == 0
    assert not {"Acme", "T0000CRASH", LEAD, *CHANNELS} & set(re.split(r'[" ]', told)), "nobody is named"


def check_log(said: str, secrets: list[str]) -> None:
    assert [each for each in secrets if each in said] == []
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert lines
    refused = [line for line in lines if line["event"] == "refused"]
    assert refused
    assert all(line["request"] and line["workspace"] for line in refused)
