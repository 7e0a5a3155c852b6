"""Long jobs in a process of their own: what they report comes back, what kills them is told, they outlive nobody."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlmodel import select

from bot.clocks import Clocks, read_wall
from bot.job_process import JobEndedError, JobFailedError, JobProcess, _processes, open_job_process, open_job_processes
from bot.nudges import Listener
from bot.registry import JOBS, LANES, LONG_JOBS, SLICES
from bot.scheduler import Scheduler
from bot.settings import Settings
from bot.slack.delivery import Delivery
from bot.slack.delivery_requests import open_client
from rules.delivery.outbox import Pace
from storage.db import Database
from storage.delivery.leases import SCHEDULER, LeaseFence, acquire
from storage.errors import LeaseLostError
from storage.health.health import HealthScoreRow
from tests.alert_rows import add_account, add_episode, add_member
from tests.bot.fake_slack import FakeSlack
from tests.conftest import NOW, add_workspace

ROOT = Path(__file__).resolve().parents[2]
_PARENT = """
import sys, threading
from datetime import datetime
from bot.job_process import JobProcess, _processes
from bot.settings import Settings

def main():
    jobs = JobProcess(Settings())
    jobs.run("score", sys.argv[1], datetime.fromisoformat(sys.argv[2]))
    print(_processes(jobs._pool)[0].pid, flush=True)
    threading.Event().wait()

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def jobs(sqlite_database: Database) -> Iterator[JobProcess]:
    with open_job_process(Settings(database_url=sqlite_database.url)) as jobs:
        yield jobs


def pid_of(jobs: JobProcess) -> int:
    (process,) = _processes(jobs._pool)
    return int(process.pid)


def is_there(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(10):
        while is_there(pid):  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.02)


def test_a_job_does_its_work_there_and_reports_here(sqlite_database: Database, jobs: JobProcess):
    workspace_id = add_workspace(sqlite_database)
    with sqlite_database.writing(workspace_id) as tx:
        add_account(tx, "Acme")
    report = jobs.run("score", workspace_id, NOW)
    assert report.name == "score"
    assert report.counts["accounts"] == 1
    assert pid_of(jobs) != os.getpid()
    first = pid_of(jobs)
    jobs.run("score", workspace_id, NOW)
    assert pid_of(jobs) == first, "kept warm"


def test_it_writes_behind_the_fence_that_its_caller_has(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        add_account(tx, "Acme")
        fence = LeaseFence(SCHEDULER, acquire(tx.session, SCHEDULER, "here", NOW, 30) or 0)
    with open_job_process(Settings(database_url=database.url)) as process:
        score = process.wrap(JOBS, LONG_JOBS)["score"]
        with pytest.raises(LeaseLostError):
            score(database.fenced(LeaseFence(SCHEDULER, fence.epoch + 1)), workspace_id, NOW)
        with database.reading(workspace_id) as tx:
            assert tx.session.exec(select(HealthScoreRow)).all() == []
        assert score(database.fenced(fence), workspace_id, NOW).counts["accounts"] == 1
        assert score(database, workspace_id, NOW).counts["accounts"] == 1, "by hand there is neither lease nor fence"
    with database.reading(workspace_id) as tx:
        assert len(tx.session.exec(select(HealthScoreRow)).all()) == 1


def test_a_failing_job_tells_why_and_the_process_goes_on(sqlite_database: Database, jobs: JobProcess):
    with pytest.raises(JobFailedError, match="NoResultFound: "):
        jobs.run("score", "no such workspace", NOW)
    first = pid_of(jobs)
    jobs.run("score", add_workspace(sqlite_database), NOW)
    assert pid_of(jobs) == first


async def test_a_killed_process_fails_its_job_and_the_next_job_has_a_new_one(
    sqlite_database: Database, jobs: JobProcess
):
    workspace_id = add_workspace(sqlite_database)
    jobs.run("score", workspace_id, NOW)
    first = pid_of(jobs)
    with sqlite_database.writing(workspace_id) as tx:
        add_account(tx, "Acme")
    with sqlite_database.write():
        running = asyncio.create_task(asyncio.to_thread(jobs.run, "score", workspace_id, NOW))
        await asyncio.sleep(0.2)  # it waits for the writer's lock, which is ours
        os.kill(first, signal.SIGKILL)
        with pytest.raises(JobEndedError):
            await running
    assert jobs.run("score", workspace_id, NOW).counts["accounts"] == 1
    assert pid_of(jobs) != first


def test_closing_ends_what_is_under_way(sqlite_database: Database):
    workspace_id = add_workspace(sqlite_database)
    jobs = JobProcess(Settings(database_url=sqlite_database.url))
    jobs.run("score", workspace_id, NOW)
    pid = pid_of(jobs)
    with sqlite_database.writing(workspace_id) as tx:
        add_account(tx, "Acme")
    with sqlite_database.write(), ThreadPoolExecutor(1) as threads:
        running = threads.submit(jobs.run, "score", workspace_id, NOW)
        threading.Event().wait(0.2)
        jobs.close()
        assert isinstance(running.exception(5), JobEndedError)
    asyncio.run(until_gone(pid))
    with pytest.raises(JobEndedError):
        jobs.run("score", workspace_id, NOW)


async def test_an_idle_process_is_let_go(sqlite_database: Database):
    jobs = JobProcess(Settings(database_url=sqlite_database.url), keep_seconds=0.1)
    jobs.run("score", add_workspace(sqlite_database), NOW)
    assert jobs._pool is None or is_there(pid_of(jobs))
    async with asyncio.timeout(10):
        while jobs._pool is not None:  # noqa: ASYNC110  # a timer's thread
            await asyncio.sleep(0.02)


def test_it_dies_with_its_parent(sqlite_database: Database, tmp_path: Path):
    program = tmp_path / "parent.py"
    program.write_text(_PARENT, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MILEPOST_DATABASE_URL": sqlite_database.url}
    command = [sys.executable, str(program), add_workspace(sqlite_database), NOW.isoformat()]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_there(pid)
        parent.kill()
    asyncio.run(until_gone(pid))


async def test_what_a_job_there_says_goes_out_at_once(database: Database, workspace_id: str):
    """Long before delivery would look by itself: on PostgreSQL it hears of the commit, on SQLite of the job's end."""
    with database.writing(workspace_id) as tx:
        member = add_member(tx, "U1")
        add_account(tx, "Acme", owner_id=member.id)
        add_episode(tx, "Acme", owner_id=member.id)
    moment = [NOW.replace(minute=6)]
    clocks = Clocks(lambda: moment[0], read_wall)
    async with FakeSlack() as slack:
        client = open_client("xoxb-test", slack.url)
        renders = {kind: render for each in SLICES for kind, render in each.renders.items()}
        delivery = Delivery(database, renders, lambda _: client, clocks, pace=Pace(poll=60.0))
        delivering = asyncio.create_task(delivery.run())
        listener = Listener(database, delivery.nudge)
        listener.start()
        with open_job_process(Settings(database_url=database.url)) as process:
            scheduler = Scheduler(database, process.wrap(JOBS, LONG_JOBS), clocks, LANES)
            if database.is_sqlite:
                scheduler.on_run = delivery.nudge
            await scheduler.tick()
            moment[0] = NOW.replace(minute=11)
            await scheduler.tick()
            assert pid_of(process) != os.getpid()
            async with asyncio.timeout(10):
                while not slack.texts("D1"):  # noqa: ASYNC110  # another task
                    await asyncio.sleep(0.02)
        listener.stop()
        await delivery.drain(2.0)
        await delivering


def test_each_lane_has_a_process_and_none_waits_for_another(sqlite_database: Database):
    workspace_id = add_workspace(sqlite_database)
    settings = Settings(database_url=sqlite_database.url)
    with open_job_processes(settings, JOBS, LANES) as jobs, ThreadPoolExecutor(2) as threads:
        for name in ("score", "digest"):
            jobs[name](sqlite_database, workspace_id, NOW)
        with sqlite_database.writing(workspace_id) as tx:
            add_account(tx, "Acme")
        with sqlite_database.write():
            waiting = threads.submit(jobs["score"], sqlite_database, workspace_id, NOW)
            threading.Event().wait(0.2)  # it waits for the writer's lock, which is ours
            assert threads.submit(jobs["digest"], sqlite_database, workspace_id, NOW).result(5).name == "digest"
            assert not waiting.done()
        assert waiting.result(20).counts["accounts"] == 1


def test_only_jobs_that_look_for_little_stay_here(sqlite_database: Database):
    jobs = JobProcess(Settings(database_url=sqlite_database.url)).wrap(JOBS, LONG_JOBS)
    assert set(jobs) == set(JOBS)
    assert {name for name in JOBS if jobs[name] is not JOBS[name]} == LONG_JOBS
    assert set(JOBS) - LONG_JOBS == {"wake", "cleanup"}
