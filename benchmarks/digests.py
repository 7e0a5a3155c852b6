"""How long the digests of a whole team take: `uv run python -m benchmarks.digests`.

A company whose people live in six time zones. In the minute that digests are due in a zone, the job makes those of all
who live there; then each is drawn once, as delivery does before it sends it. The floor is reading the same open things
once, with plain sqlite3.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from time import perf_counter, thread_time
from zoneinfo import ZoneInfo

from benchmarks.company import TODAY, Company, account_id, open_company
from benchmarks.jobs import counted
from benchmarks.report import Must, Report, read_arguments, spread
from commands.delivery.digest_views import render_digest_of
from pipeline import digest
from storage.people.members import MemberRow
from storage.upsert import upsert
from words.reader import Reader

ZONES = ("Asia/Tokyo", "Asia/Shanghai", "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles")
DUE = time(9, 10)
LIMIT_SECONDS = 60.0
LIMIT_DRAWN_MS = 50.0
_FLOOR = (
    "SELECT id, account_id, owner_id, severity, state FROM alert_episodes WHERE closed_at IS NULL",
    "SELECT id, account_id, member_id, due_on FROM checkin_offers WHERE state = 'offered'",
    "SELECT id, account_id, owner_id, due_on FROM milestones WHERE state = 'open'",
    "SELECT id, account_id, owner_id, due_on FROM tasks WHERE done_at IS NULL",
    "SELECT id, account_id, decides_on FROM renewals WHERE outcome = 'open'",
    "SELECT id, owner_id, tier FROM accounts",
)


# ---------------------------------------------------------------- the team


def settle(company: Company, people: int) -> None:
    """Give the company's accounts, with what is to be done there, to `people` members, spread over the zones."""
    members = [f"{number:08x}" + "0" * 24 for number in range(people)]
    with company.database.writing(company.workspace_id) as tx:
        rows = [
            {"id": id_, "slack_id": f"U1{number:06}", "name": f"Person {number}", "zone": ZONES[number % len(ZONES)]}
            for number, id_ in enumerate(members)
        ]
        upsert(tx, MemberRow, rows, keys=["id"])
    count = len(company.names)
    with closing(sqlite3.connect(_path(company))) as connection:
        owners = [(members[number * people // count], account_id(number)) for number in range(count)]
        connection.executemany("UPDATE accounts SET owner_id = ? WHERE id = ?", owners)
        for table, column in (("tasks", "owner_id"), ("checkin_offers", "member_id")):
            connection.executemany(f"UPDATE {table} SET {column} = ? WHERE account_id = ?", owners)  # noqa: S608  # ours
        connection.commit()


def _path(company: Company) -> Path:
    return Path(company.database.url.removeprefix("sqlite:///"))


# ---------------------------------------------------------------- measuring


def measure(company: Company, zone: str) -> tuple[str, int, float, int, float, float]:
    """(zone, digests made, seconds, statements, times the floor, ms of CPU to draw one in the middle)."""
    moment = datetime.combine(TODAY + timedelta(days=1), DUE, ZoneInfo(zone)).astimezone(UTC)
    before = set(_list_made(company))
    floor = _read_once(company)
    with counted(company.database) as statements:
        began = perf_counter()
        digest.run(company.database, company.workspace_id, moment)
        seconds = perf_counter() - began
    made = [id_ for id_ in _list_made(company) if id_ not in before]
    drawn = spread([_draw(company, id_) for id_ in made]).p50 if made else 0.0
    return zone, len(made), round(seconds, 2), statements.count, round(seconds / floor, 1), drawn


def _list_made(company: Company) -> list[str]:
    with closing(sqlite3.connect(_path(company))) as connection:
        return [id_ for (id_,) in connection.execute("SELECT id FROM digests WHERE NOT is_empty")]


def _draw(company: Company, digest_id: str) -> float:
    began = thread_time()
    with company.database.reading(company.workspace_id) as tx:
        render_digest_of(digest_id, tx, Reader())
    return thread_time() - began


def _read_once(company: Company) -> float:
    began = perf_counter()
    with closing(sqlite3.connect(_path(company))) as connection:
        for query in _FLOOR:
            for row in connection.execute(query):
                assert row
    return perf_counter() - began


def main() -> None:
    """Measure each zone in the order its morning comes, print."""
    parser = read_arguments(__doc__, 10_000)
    parser.add_argument("--people", type=int, default=200, help="how many people look after them (default 200)")
    given = parser.parse_args()
    columns = ("zone", "digests made", "seconds", "statements", "times the floor", "ms of CPU to draw one")
    report = Report(f"Digests of {given.people} people with {given.accounts} accounts", columns)
    with open_company(given.accounts, seed=given.seed) as company:
        settle(company, given.people)
        report.rows += [measure(company, zone) for zone in ZONES]
    slowest = max(float(row[2]) for row in report.rows)
    report.musts.append(Must("all digests of a zone are ready 60 s after their minute", slowest, LIMIT_SECONDS))
    drawn = max(float(row[5]) for row in report.rows)
    report.musts.append(Must("one digest is drawn in 50 ms of CPU", drawn, LIMIT_DRAWN_MS))
    report.show(is_json=given.json)


if __name__ == "__main__":
    main()
