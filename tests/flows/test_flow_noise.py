"""Noise control through the control API: what comes on a Friday night, on a holiday, while somebody is away, too often,
or while it is muted, is told when and to whom the promises say.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playground.model import User
from rules.alerts.alerts import Fired, OpenEpisode
from rules.delivery.outbox import Pace
from rules.records import Actor, AlertKind, Severity
from storage.alerts.alert_writes import apply_alerts
from storage.db import Tx
from tests.flows.flow_posts import Post
from tests.flows.flow_rows import add_account, last_message, open_form, press, submit, whisper, write
from tests.flows.flow_stage import CHANNEL, CSM, LEAD, MIA, Stage, find_button, open_stage, said

NEW_YORK, BERLIN = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin")
QUICK = Pace(lease=4.0, settle=0.4, spacing=0.02, poll=0.05, timeout=0.3, sweep=1.0)
PEOPLE = (
    User(id=CSM, name="csm", real_name="The CSM", email="csm@example.com", tz="America/New_York"),
    User(id=MIA, name="mia", real_name="Another CSM", email="mia@example.com", tz="Europe/Berlin"),
)
HOURS = {CSM: {"country": "US"}, MIA: {"country": "DE"}}


@asynccontextmanager
async def open_at(folder: Path, start: datetime) -> AsyncIterator[Stage]:
    """The stage with a CSM in New York and one in Berlin."""
    async with open_stage(folder, pace=QUICK, people=PEOPLE, hours=HOURS, start=start.astimezone(UTC)) as stage:
        yield stage


def find_alerts(stage: Stage, since: datetime) -> list[Post]:
    """The messages about alerts that arrived from a moment on."""
    posts = stage.posts(since.astimezone(UTC), stage.clock() + timedelta(minutes=1))
    return [each for each in posts if each.kind in ("alert", "alert_summary") and not each.is_update]


def raise_alert(
    stage: Stage, account_id: str, kind: AlertKind = AlertKind.HEALTH_RED, severity: Severity = Severity.HIGH
) -> str:
    """An alert as the scan opens it, not announced yet; its id."""

    def change(tx: Tx) -> str:
        day = stage.today.isoformat()
        facts = {"score": 31.0, "day": day, "data_day": day, "last_use": day, "working_days": 15}
        fired = Fired(account_id, kind, severity, 50.0, 5.0, "red-1", facts)
        return apply_alerts(tx, [OpenEpisode(fired)], Actor.job("scan"), stage.clock())[0].id

    return write(stage, change)


async def test_a_friday_nights_alert_is_told_on_monday_at_nine_of_its_owner(tmp_path: Path):
    friday = datetime(2026, 3, 13, 22, tzinfo=NEW_YORK)
    async with open_at(tmp_path, friday) as stage:
        account = add_account(stage, "Northwind", CSM)
        critical = raise_alert(stage, account, severity=Severity.CRITICAL)
        other = add_account(stage, "Southwind", MIA)
        gone = raise_alert(stage, other)
        await stage.walk(friday + timedelta(minutes=5))
        assert find_alerts(stage, friday) == []
        listed = whisper(await stage.command("/cs alerts all"))
        assert listed.count("will be told") == 2
        assert (await stage.command("/cs alerts resolve southwind spoke to them", MIA))["ok"]
        await stage.walk(datetime(2026, 3, 16, 12, tzinfo=NEW_YORK))
        [post] = find_alerts(stage, friday)
    assert (post.reference, post.to) == (critical, CHANNEL)
    assert post.at.astimezone(NEW_YORK) == datetime(2026, 3, 16, 9, tzinfo=NEW_YORK)
    assert gone != critical
    assert f"<@{CSM}>" in said(post.message)


async def test_a_public_holiday_is_the_owners_own(tmp_path: Path):
    """1 May is one in Germany, and a Friday like any other in the United States."""
    holiday = datetime(2026, 5, 1, 15, tzinfo=UTC)
    async with open_at(tmp_path, holiday) as stage:
        for name, owner in (("Northwind", CSM), ("Southwind", MIA)):
            raise_alert(stage, add_account(stage, name, owner))
        await stage.walk(holiday + timedelta(minutes=5))
        await stage.walk(datetime(2026, 5, 4, 10, tzinfo=BERLIN))
        posts = find_alerts(stage, holiday)
    assert [("Northwind" in each.text, f"{each.at.astimezone(BERLIN):%a %H:%M}") for each in posts] == [
        (True, "Fri 17:05"),
        (False, "Mon 09:00"),
    ]


async def test_a_cover_is_told_and_may_take_it(tmp_path: Path):
    tuesday = datetime(2026, 3, 10, 10, tzinfo=UTC)
    async with open_at(tmp_path, tuesday) as stage:
        answer = await stage.command(f"/cs team away until 12 Mar cover <@{MIA}>", CSM)
        assert answer["ok"], answer
        raise_alert(stage, add_account(stage, "Northwind", CSM))
        await stage.walk(tuesday + timedelta(minutes=5))
        [post] = find_alerts(stage, tuesday)
        assert f"<@{MIA}> for <@{CSM}>, who is away" in said(post.message)
        assert (await press(stage, post.message, "alerts.take", MIA))["ok"]
        await stage.wait_for("taken by")
        lonely = raise_alert(stage, add_account(stage, "Lonely", ""))
        await stage.walk(tuesday + timedelta(minutes=10))
        assert [each.reference for each in find_alerts(stage, tuesday + timedelta(minutes=6))] == [lonely]
        assert f"no owner: <@{LEAD}> is told" in said(find_alerts(stage, tuesday)[-1].message)


async def test_what_is_over_the_budget_stands_in_the_digest(tmp_path: Path):
    tuesday = datetime(2026, 3, 10, 10, tzinfo=UTC)
    async with open_at(tmp_path, tuesday) as stage:
        accounts = [add_account(stage, f"Customer {name}", MIA) for name in "ABCDE"]
        for account in accounts:
            raise_alert(stage, account)
        raise_alert(stage, accounts[0], AlertKind.SILENCE)
        await stage.walk(tuesday + timedelta(minutes=5))
        posts = find_alerts(stage, tuesday)
        assert len(posts) == 3, "a person is interrupted three times a day"
        assert sum("Also of this account" in said(each.message) for each in posts) <= 1
        listed = whisper(await stage.command("/cs alerts all", MIA))
        assert "waits for the digest: 3 alerts that day already" in listed
        await stage.walk(datetime(2026, 3, 11, 9, 15, tzinfo=BERLIN))
        assert len(find_alerts(stage, tuesday)) == 3
        told = stage.posts(tuesday, stage.clock() + timedelta(minutes=1))
        digests = [each for each in told if (each.kind, each.to) == ("digest", MIA) and not each.is_update]
        assert all(f"Customer {name}" in said(digests[-1].message) for name in "ABCDE")


async def test_a_mute_and_its_end(tmp_path: Path):
    tuesday = datetime(2026, 3, 10, 10, tzinfo=UTC)
    async with open_at(tmp_path, tuesday) as stage:
        account = add_account(stage, "Northwind", MIA)
        refused = whisper(await stage.command("/cs alerts mute all until 12 Mar", MIA))
        assert "Your role" in refused
        answer = await stage.command("/cs alerts mute northwind until 12 Mar merger under way", MIA)
        assert "Muted until" in whisper(answer)
        raise_alert(stage, account)
        await stage.walk(tuesday + timedelta(minutes=5))
        assert find_alerts(stage, tuesday) == []
        assert "— muted" in whisper(await stage.command("/cs alerts all", MIA))
        mutes = whisper(await stage.command("/cs alerts mutes", MIA))
        assert "merger under way" in mutes
        await stage.walk(datetime(2026, 3, 12, 10, 10, tzinfo=BERLIN))
        [post] = find_alerts(stage, tuesday)
        assert f"{post.at.astimezone(BERLIN):%d %H:%M}" == "12 10:00", "at nine of the workspace, which is on UTC"
        digests = [each for each in stage.posts(tuesday, stage.clock()) if (each.kind, each.to) == ("digest", MIA)]
        assert not [each for each in digests if "Northwind" in said(each.message) and each.at < post.at]


async def test_a_mute_by_form_is_ended_by_its_button(tmp_path: Path):
    tuesday = datetime(2026, 3, 10, 10, tzinfo=UTC)
    async with open_at(tmp_path, tuesday) as stage:
        raise_alert(stage, add_account(stage, "Northwind", MIA))
        form = await open_form(stage, "/cs alerts mute", LEAD)
        late = await submit(stage, form, LEAD, kind="all", until="2026-09-01")
        assert "90 days at most" in str(late)
        answer = await submit(stage, form, LEAD, kind=AlertKind.HEALTH_RED.value, until="2026-03-20", note="noisy")
        assert answer["ok"], answer
        await stage.walk(tuesday + timedelta(minutes=5))
        assert find_alerts(stage, tuesday) == []
        shown = last_message(await stage.command("/cs alerts mutes", LEAD))
        find_button(shown, "mutes.end")
        assert (await press(stage, shown, "mutes.end", LEAD))["ok"]
        await stage.walk(tuesday + timedelta(minutes=10))
        assert len(find_alerts(stage, tuesday)) == 1


async def test_settings_by_form_hold_for_the_next_alert(tmp_path: Path):
    tuesday = datetime(2026, 3, 10, 10, tzinfo=UTC)
    async with open_at(tmp_path, tuesday) as stage:
        form = await open_form(stage, "/cs alerts settings mine", MIA)
        wrong = await submit(stage, form, MIA, owner_daily="many")
        assert "owner_daily" in str(wrong), wrong
        too_many = await submit(stage, form, MIA, owner_daily="99")
        assert "from 0 to 50" in str(too_many), too_many
        answer = await submit(stage, form, MIA, owner_daily="1")
        assert answer["ok"], answer
        for name in "AB":
            raise_alert(stage, add_account(stage, f"Customer {name}", MIA))
        await stage.walk(tuesday + timedelta(minutes=5))
        assert len(find_alerts(stage, tuesday)) == 1
        own = await open_form(stage, "/cs alerts settings", MIA)
        [field] = [block for block in own["blocks"] if block["block_id"] == "owner_daily"]
        assert field["element"]["initial_value"] == "1"  # hers: the workspace's are the leads' to set
