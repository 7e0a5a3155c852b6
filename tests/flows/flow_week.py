"""The beginning of a week: on Friday the lead sets Milepost up and two customers come in; then it is Monday.

Northwind is The CSM's, in Berlin, has a channel of its own, and its contract ends on 3 April; Southwind is Another
CSM's, on UTC, and its contract ends on 20 April.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from commands.people.places import COUNTRY_MENU, ZONE_MENU
from playground.model import User
from rules.delivery.outbox import Pace
from tests.flows.flow_posts import Post
from tests.flows.flow_rows import open_form, submit, whisper
from tests.flows.flow_stage import CHANNEL, CSM, LEAD, MIA, ROOM, Json, Stage, open_stage

BERLIN = ZoneInfo("Europe/Berlin")
FRIDAY = date(2026, 2, 27)
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, NEXT_FRIDAY, SATURDAY, SUNDAY = (date(2026, 3, 2 + back) for back in range(7))
QUICK = Pace(lease=4.0, settle=0.4, spacing=0.02, poll=0.05, timeout=0.3, sweep=1.0)
PEOPLE = (
    User(id=LEAD, name="lead", real_name="The lead", email="lead@example.com", tz="Europe/Berlin", is_admin=True),
    User(id=CSM, name="csm", real_name="The CSM", email="csm@example.com", tz="Europe/Berlin"),
)
_TARGET = {"baseline": 5, "goal": 10, "unit": "%", "start_on": "2025-04-03", "due_on": "2026-04-03"}


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment on Berlin's clock."""
    return datetime.combine(day, time(hour, minute), BERLIN)


@asynccontextmanager
async def open_week(folder: Path) -> AsyncIterator[Stage]:
    """The stage on Friday at half past ten, set up by form, both customers imported and their journeys begun."""
    start = at(FRIDAY, 10, 30).astimezone(UTC)
    async with open_stage(folder, pace=QUICK, people=PEOPLE, start=start, is_set_up=False) as stage:
        await set_up(stage)
        await stage.meet([CSM, MIA])
        await asyncio.to_thread(import_customers, stage)
        await stage.server.edge.channels.look()
        await plan(stage)
        await stage.settle()
        yield stage


async def set_up(stage: Stage) -> None:
    """The lead fills the form in: the channel, the country, the working hours."""
    form = await open_form(stage, "/cs setup", LEAD)
    answer = await submit(
        stage,
        form,
        LEAD,
        team_channel_id=CHANNEL,
        lead_id=LEAD,
        country={COUNTRY_MENU: "DE"},
        zone={ZONE_MENU: "Europe/Berlin"},
        work_from="09:00",
        work_until="17:30",
    )
    assert answer["ok"], answer
    await stage.settle()


def import_customers(stage: Stage) -> None:
    """Accounts, contracts, targets on their way, and ten weeks of steady use."""
    owners = {"N": ("Northwind", "csm@example.com", ROOM), "S": ("Southwind", "mia@example.com", "")}
    stage.import_rows(
        "accounts",
        [
            {
                "external_id": f"{key}-1",
                "name": name,
                "tier": "A",
                "seats": 50,
                "owner_email": email,
                "country": "DE",
                "started_on": "2025-04-03",
                "channel": channel,
            }
            for key, (name, email, channel) in owners.items()
        ],
    )
    amount = {"start_on": "2025-04-03", "yearly_amount": "€84k", "seats": 50}
    ends = {"N": "2026-04-03", "S": "2026-04-20"}
    stage.import_rows(
        "contracts",
        [{"external_id": f"K-{key}", "account": f"{key}-1", "end_on": end, **amount} for key, end in ends.items()],
    )
    value = {"agreed_on": "2025-04-03", "value": 9.6, "measured_on": "2026-02-20"}
    stage.import_rows(
        "targets",
        [
            {"external_id": f"G-{key}", "account": f"{key}-1", "metric": "conversion", **_TARGET, **value}
            for key in owners
        ],
    )
    import_usage(stage, (FRIDAY - timedelta(days=back) for back in range(70, 0, -1)))


def import_usage(stage: Stage, days: Iterable[date]) -> None:
    """Steady use by forty people at both customers, on working days."""
    rows = [
        {"account": account, "metric": metric, "day": day.isoformat(), "value": value}
        for day in days
        if day.weekday() <= 4
        for account in ("N-1", "S-1")
        for metric, value in (("weekly_active_users", 40), ("reports", 120), ("messages", 320))
    ]
    if rows:
        stage.import_rows("usage", list(rows))


async def plan(stage: Stage) -> None:
    """Northwind's journey, a milestone of its own and a next step, typed by its CSM."""
    typed = {
        "journey northwind start standard at onboarding from 2026-02-27": "Started for *Northwind*",
        "milestone northwind add Launch workshop by 2026-03-05": "Launch workshop",
        "task northwind Send the offer by 2026-03-04": "Next step saved",
    }
    for line, said in typed.items():
        assert said in whisper(await stage.command(f"/cs {line}")), line


async def walk(stage: Stage, until: datetime) -> None:
    """Let time pass; the customers go on using the product, and each day's figures come in before the next morning."""
    while (day := stage.clock().astimezone(BERLIN).date()) < until.astimezone(BERLIN).date():
        await asyncio.to_thread(import_usage, stage, [day])
        await stage.walk(at(day + timedelta(days=1), 0, 1))
    await stage.walk(until)


def name_posts(posts: Iterable[Post]) -> list[tuple[str, str, str]]:
    """What arrived as (kind, to whom, "Mon 09:10" on Berlin's clock), updates left out; in the order of time."""
    new = [each for each in posts if not each.is_update]
    return [(each.kind, each.to, f"{each.at.astimezone(BERLIN):%a %H:%M}") for each in new]


def find_post(stage: Stage, kind: str, to: str) -> Post:
    """The latest post of this kind to this channel or person, as it stands now."""
    posts = stage.posts(at(FRIDAY, 0), stage.clock() + timedelta(minutes=1))
    found = [each for each in posts if (each.kind, each.to) == (kind, to) and not each.is_update]
    assert found, f"no {kind} to {to} among {name_posts(posts)}"
    return found[-1]


async def press(stage: Stage, post: Post, action: str, user: str = CSM) -> Json:
    """Press the first button of this kind in a post, and wait for what follows."""
    blocks = [each for each in post.blocks if action in str(each)]
    assert blocks, f"no {action} in {post.text}"
    body = {"channel": post.channel, "ts": post.ts, "action_id": action, "block_id": blocks[0]["block_id"]}
    answer = await stage.act("press", user=user, wait_seconds=5, **body)
    assert answer["ok"], answer
    return answer
