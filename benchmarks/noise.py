"""How much Milepost interrupts people: `uv run python -m benchmarks.noise`.

The demo runs through some weeks of business time with its 40 customers and 3 CSMs while nobody reacts: nothing is
taken, snoozed or done. Counted is each message that comes at once: alerts and their summaries and threads, threads of
renewals and reminders in them, check-ins offered. Each counts for every CSM it concerns: the owners of its accounts, or
who gets it. Updates of messages make no sound, and digests come at an hour people choose; they are not counted.

What comes on a free day counts for the next working day, which is when people find it. The first day, on which all that
was so before is told for the first time, stands apart.
"""

from __future__ import annotations

import asyncio
import math
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import fmean, median

from sqlalchemy import and_
from sqlmodel import col, select

from benchmarks.report import Must, Report, read_arguments
from bot.demo.show import COUNTRY, ZONE, Demo, open_demo
from bot.demo.team import CSMS
from bot.logs import configure_logs
from bot.settings import Settings
from rules.people.working_time import is_working_day, shift_to_working_day
from storage.accounts.accounts import AccountRow
from storage.alerts import alerts
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.db import Tx
from storage.delivery.outbox import OutboxRow
from storage.people.members import MemberRow
from storage.renewals import renewals
from storage.renewals.renewals import RenewalRow
from storage.success.checkin_writes import OFFERS

LIMIT = math.nextafter(3.0, 4.0)
"""At most three."""
Heard = Counter[tuple[str, date]]
"""Messages by CSM (Slack's id) and working day."""


@dataclass(frozen=True)
class Owners:
    """Whom a message concerns, as Slack ids, by what it is about."""

    episodes: Mapping[str, str]
    summaries: Mapping[str, frozenset[str]]
    events: Mapping[str, str]
    renewals: Mapping[str, str]

    def find(self, row: OutboxRow) -> frozenset[str]:
        """The CSMs that an immediate message is for; nobody for any other message."""
        match row.kind:
            case alerts.MESSAGE:
                return _one(self.episodes.get(row.reference))
            case alerts.HISTORY:
                return _one(self.events.get(row.reference))
            case alerts.SUMMARY:
                return self.summaries.get(row.reference, frozenset())
            case renewals.ROOT | renewals.REPLY | renewals.SUMMARY:
                return _one(self.renewals.get(row.reference.partition(":")[0]))
            case _ if row.kind == OFFERS:
                return _one(row.channel)
        return frozenset()


def _one(slack_id: str | None) -> frozenset[str]:
    return frozenset([slack_id]) if slack_id else frozenset()


def read_owners(tx: Tx) -> Owners:
    """Who owns what was told of."""
    episodes = _pair(tx, EpisodeRow)
    summaries: dict[str, set[str]] = {}
    query = select(EpisodeRow.id, EpisodeRow.summary_id).where(EpisodeRow.workspace_id == tx.workspace_id)
    for episode_id, summary_id in tx.session.exec(query):
        if summary_id and episode_id in episodes:
            summaries.setdefault(summary_id, set()).add(episodes[episode_id])
    lines = select(AlertEventRow.id, AlertEventRow.episode_id).where(AlertEventRow.workspace_id == tx.workspace_id)
    events = {line_id: episodes[episode_id] for line_id, episode_id in tx.session.exec(lines) if episode_id in episodes}
    shared = {summary_id: frozenset(found) for summary_id, found in summaries.items()}
    return Owners(episodes, shared, events, _pair(tx, RenewalRow))


def _pair(tx: Tx, row: type[EpisodeRow | RenewalRow]) -> dict[str, str]:
    """The owner's Slack id by the id of each row."""
    is_account = and_(col(AccountRow.id) == col(row.account_id), col(AccountRow.workspace_id) == tx.workspace_id)
    query = (
        select(row.id, MemberRow.slack_id)
        .select_from(row)
        .join(AccountRow, is_account)
        .join(MemberRow, col(MemberRow.id) == col(AccountRow.owner_id))
        .where(row.workspace_id == tx.workspace_id)
    )
    return dict(tx.session.exec(query).all())


def count_heard(tx: Tx) -> Heard:
    """What each CSM heard at once on each working day."""
    owners = read_owners(tx)
    query = select(OutboxRow).where(OutboxRow.workspace_id == tx.workspace_id, col(OutboxRow.is_update).is_(False))
    heard: Heard = Counter()
    for row in tx.session.exec(query):
        day = shift_to_working_day(row.created_at.astimezone(ZONE).date(), COUNTRY)
        heard.update((csm, day) for csm in owners.find(row))
    return heard


def count_kinds(tx: Tx, begin: date) -> Counter[str]:
    """How many messages of each kind came after the first day, whoever they were for."""
    owners = read_owners(tx)
    query = select(OutboxRow).where(OutboxRow.workspace_id == tx.workspace_id, col(OutboxRow.is_update).is_(False))
    rows = [row for row in tx.session.exec(query) if row.created_at.astimezone(ZONE).date() > begin]
    return Counter(row.kind for row in rows if owners.find(row))


# ---------------------------------------------------------------- the table


def tabulate(heard: Heard, begin: date, weeks: int, kinds: Counter[str]) -> Report:
    """The first day, then week by week from the day after."""
    report = Report(
        f"Immediate messages per CSM and working day, {weeks} weeks, nobody reacting",
        ("week", "CSM days", "messages", "median", "mean", "most"),
    )
    first = Counter(
        {csm: sum(count for (who, day), count in heard.items() if who == csm and day <= begin) for csm in CSMS}
    )
    report.rows.append(("first day", len(CSMS), *_spread([first[csm] for csm in CSMS])))
    spreads = []
    for number in range(weeks):
        days = [begin + timedelta(days=7 * number + each) for each in range(1, 8)]
        counts = [heard[csm, day] for csm in CSMS for day in days if is_working_day(day, COUNTRY)]
        spreads.append(_spread(counts))
        report.rows.append((f"from {days[0]}", len(counts), *spreads[-1]))
    most, mean = median(each[3] for each in spreads), median(each[2] for each in spreads)
    report.musts.append(Must("on the fullest day of a CSM in the median week at most 3", most, LIMIT))
    report.musts.append(Must("on the average day in the median week at most 3", mean, LIMIT))
    told = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    report.notes.append(f"After the first day: {told or 'nothing'}.")
    return report


def _spread(counts: list[int]) -> tuple[int, float, float, int]:
    return sum(counts), float(median(counts)), round(fmean(counts), 2), max(counts)


# ---------------------------------------------------------------- running


async def run(weeks: int, seed: int) -> Report:
    """The demo through so many weeks."""
    with tempfile.TemporaryDirectory(prefix="milepost-benchmark-") as folder:
        async with open_demo(Path(folder), seed=seed) as demo:
            begin = demo.ledger.company.today
            for _week in range(weeks):
                await demo.traveller.go(demo.traveller.find_day(7))
            heard, kinds = await asyncio.to_thread(_read, demo, begin)
    return tabulate(heard, begin, weeks, kinds)


def _read(demo: Demo, begin: date) -> tuple[Heard, Counter[str]]:
    with demo.server.wiring.database.reading(demo.server.installation.workspace_id) as tx:
        return count_heard(tx), count_kinds(tx, begin)


def main() -> None:
    """Run, print."""
    parser = read_arguments(__doc__)
    parser.add_argument("--weeks", type=int, default=8, help="how many (default 8)")
    parser.add_argument("--seed", type=int, default=7, help="another seed, other customers in other roles")
    given = parser.parse_args()
    configure_logs(Settings(log_level="ERROR"))
    asyncio.run(run(given.weeks, given.seed)).show(is_json=given.json)


if __name__ == "__main__":
    main()
