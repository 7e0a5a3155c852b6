"""Writers of several processes on one SQLite file: a job in one of them lets people of another in."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from storage.db import PERSON_WAIT_SECONDS, Database
from storage.errors import BusyError
from storage.turns import Turns

ROOT = Path(__file__).resolve().parents[2]
_PAGES = """
import sys, time
from sqlalchemy import text
from storage.db import Database
database = Database(sys.argv[1], gap_seconds=0.005)
print("begun", flush=True)
while True:
    with database.write() as session:
        session.execute(text("UPDATE leases SET epoch = epoch + 1"))
        until = time.monotonic() + 0.03
        while time.monotonic() < until:
            pass
"""


def test_people_come_before_jobs_that_waited_longer():
    turns, order = Turns(), list[str]()
    assert turns.take(0)

    def act(name: str, *, is_first: bool) -> None:
        assert turns.take(5, is_first=is_first)
        order.append(name)
        turns.give_back()

    threads = []
    for name in ("job 1", "job 2", "person 1", "person 2"):
        thread = threading.Thread(target=act, args=(name,), kwargs={"is_first": name.startswith("person")})
        before = len(turns._waiting) + len(turns._first)
        thread.start()
        while len(turns._waiting) + len(turns._first) == before:
            threading.Event().wait(0.001)
        threads.append(thread)
    turns.give_back()
    for thread in threads:
        thread.join()
    assert order == ["person 1", "person 2", "job 1", "job 2"]


def test_a_person_gets_in_between_the_pages_of_a_job_in_another_process(sqlite_database: Database):
    command = [sys.executable, "-c", _PAGES, sqlite_database.url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as job:
        try:
            assert job.stdout is not None
            job.stdout.readline()
            waits = []
            for _ in range(20):
                began = time.monotonic()
                with sqlite_database.write(wait_seconds=PERSON_WAIT_SECONDS) as session:
                    session.execute(text("UPDATE leases SET holder = 'person'"))
                waits.append(time.monotonic() - began)
        finally:
            job.kill()
    assert sorted(waits)[10] < 0.3, "half of them within a few pages"


def test_a_person_waits_no_longer_than_said_for_turn_and_lock_together(sqlite_database: Database):
    other = Database(sqlite_database.url)
    began = time.monotonic()
    with other.write(), pytest.raises(BusyError), sqlite_database.write(wait_seconds=0.2):
        pass
    other.close()
    assert 0.2 <= time.monotonic() - began < 2
