"""A week of one CSM, from Monday's offer to a quiet weekend, played through the control API: every message arrives
once, at its local minute, where it belongs, and none without a reason.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from sqlmodel import select

from rules.records import OfferState, RenewalOutcome
from storage.db import Tx
from storage.people.members import find_by_slack_id
from storage.renewals.renewals import RenewalRow
from storage.success.checkins import CheckinOfferRow, CheckinRow
from storage.success.risks import RiskRow
from storage.success.targets import MeasurementRow
from storage.success.tasks import TaskRow
from tests.flows.flow_posts import Post
from tests.flows.flow_rows import last_message, read, submit, wait_for_form, whisper
from tests.flows.flow_stage import CHANNEL, CSM, LEAD, MIA, ROOM, Stage, find_button, said
from tests.flows.flow_week import (
    FRIDAY,
    MONDAY,
    NEXT_FRIDAY,
    SATURDAY,
    SUNDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    at,
    find_post,
    name_posts,
    open_week,
    press,
    walk,
)

SET_UP = [("welcome", LEAD, "Fri 10:30"), ("setup.greeting", CHANNEL, "Fri 10:30")]
MONDAY_MORNING = [
    ("checkin_offers", CSM, "Mon 09:00"),
    ("digest", CSM, "Mon 09:10"),
    ("digest", CHANNEL, "Mon 09:10"),  # the weekly table of renewals
    ("renewal", ROOM, "Mon 09:10"),
    ("renewal", CHANNEL, "Mon 09:10"),
    ("checkin_offers", MIA, "Mon 10:00"),
    ("digest", MIA, "Mon 10:10"),
]
OWN_DEEDS = [("checkin", ROOM, "Mon 10:11"), ("renewal_outcome", ROOM, "Thu 14:00")]
REST_OF_WEEK = [
    ("digest", CSM, "Tue 09:10"),
    ("digest", CSM, "Wed 09:10"),
    ("renewal_reminder", ROOM, "Wed 09:10"),  # 30 days before the decision, and something is missing
    ("digest", CSM, "Thu 09:10"),
    ("digest", CSM, "Fri 09:10"),
]
OF_ANOTHER = [
    ("digest", MIA, "Tue 10:10"),
    ("checkin_offers", MIA, "Wed 10:00"),  # reminded once, two working days later
    ("digest", MIA, "Wed 10:10"),
    ("digest", MIA, "Thu 10:10"),
    ("digest", MIA, "Fri 10:10"),
]
REACHED_NONE = (LEAD,)
"""Who has no customers, and so hears nothing but of the set-up."""


async def test_a_week_of_one_csm(tmp_path: Path):
    async with open_week(tmp_path) as stage:
        await walk(stage, at(MONDAY, 10, 11))
        see_monday(stage)
        await check_in(stage)
        await settle_milestones(stage)
        await walk(stage, at(TUESDAY, 11))
        await log_and_take_back(stage)
        await walk(stage, at(WEDNESDAY, 10, 30))
        await finish_a_task(stage)
        await give_a_verdict(stage)
        await walk(stage, at(THURSDAY, 14))
        await renew(stage)
        await walk(stage, at(NEXT_FRIDAY, 16))
        see_friday(stage)
        await read_the_week_back(stage)
        await walk(stage, at(SUNDAY, 23, 59))
        see_all(stage)
        await walk(stage, at(date(2026, 3, 24), 12))
        see_reminders_stop(stage)


# ---------------------------------------------------------------- Monday


def see_monday(stage: Stage) -> None:
    """The offer, ten minutes later the digest with a button on each line, and the renewals in their channels."""
    offer, digest = find_post(stage, "checkin_offers", CSM), find_post(stage, "digest", CSM)
    assert offer.text == "1 check-in due: Northwind"
    assert digest.text == "Monday · 1 thing needs you, 2 can wait"
    assert list_lines(digest) == [
        ("digests.settle", "🟡 *Northwind* · Kick-off · due today"),
        ("digests.done", "○ *Northwind* · Send the offer · Wednesday 4 Mar"),
        ("digests.settle", "○ *Northwind* · Launch workshop · Thursday 5 Mar"),
        ("renewals.verdict", "🟢 90 *Northwind* · ends 3 Apr · €84k · 3 things missing"),
    ]
    assert "Southwind" not in said(digest.message) + said(offer.message)
    assert "Northwind" not in said(find_post(stage, "digest", MIA).message)


async def check_in(stage: Stage) -> None:
    """The form from the offer: one summary in the account's channel, everything stored, the offer dealt with."""
    await press(stage, find_post(stage, "checkin_offers", CSM), "checkins.open")
    form = await wait_for_form(stage)
    answer = await submit(
        stage,
        form,
        pulse="4",
        changed="Two teams started",
        risk="The sponsor may leave",
        plan="Meet the deputy",
        step="Invite the deputy",
        due_on="2026-03-09",
        **{"value.conversion": "9.7%"},
    )
    assert answer["ok"], answer
    await stage.settle()
    summary = find_post(stage, "checkin", ROOM)
    for words in ("pulse 4 of 5", "9.7\u202f%", "Two teams started", "The sponsor may leave", "Invite the deputy"):
        assert words in said(summary.message)
    offer = find_post(stage, "checkin_offers", CSM)
    assert offer.text == "The check-in is dealt with"
    assert "checked in by" in said(offer.message)
    assert read(stage, _read_checkin) == (4, "9.7", "The sponsor may leave", "Invite the deputy", OfferState.DONE)


def _read_checkin(tx: Tx) -> tuple[int | None, str, str, str, OfferState]:
    """What the form stored, each once."""
    csm = find_by_slack_id(tx, CSM)
    assert csm is not None
    checkin = tx.session.exec(select(CheckinRow)).one()
    value = tx.session.exec(select(MeasurementRow).where(MeasurementRow.author_id == csm.id)).one()
    risk, task = (
        tx.session.exec(select(RiskRow)).one(),
        tx.session.exec(select(TaskRow).where(TaskRow.source_kind == "checkin")).one(),
    )
    offer = tx.session.exec(select(CheckinOfferRow).where(CheckinOfferRow.member_id == csm.id)).one()
    assert checkin.account_id == value.account_id == risk.account_id == task.account_id == offer.account_id
    return checkin.pulse, f"{value.value.normalize():f}", risk.text, task.text, offer.state


async def settle_milestones(stage: Stage) -> None:
    """One done by the digest's own button, which then is gone from it; one moved by command, with the reason."""
    answer = await press(stage, find_post(stage, "digest", CSM), "digests.settle")
    assert "Done: *Kick-off* of *Northwind*." in whisper(answer)
    await stage.settle()
    assert find_post(stage, "digest", CSM).text == "Monday · 2 can wait"
    typed = "/cs milestone northwind move Launch workshop to 2026-03-10 because the venue fell through"
    assert "to 10 Mar 2026 (was 5 Mar 2026)" in whisper(await stage.command(typed))


# ---------------------------------------------------------------- Tuesday to Thursday


async def log_and_take_back(stage: Stage) -> None:
    """A value logged by command and undone."""
    answer = await stage.command("/cs log northwind conversion 9.9% after the new page")
    assert "(was 9.7\u202f%)" in whisper(answer)
    note = last_message(answer)
    body = {"channel": CHANNEL, "ts": note["ts"], "action_id": "measurements.undo", "wait_seconds": 5}
    undone = await stage.act("press", user=CSM, **body)
    assert "It stands at 9.7\u202f% of 2 Mar 2026 again." in whisper(undone)
    digest = find_post(stage, "digest", CSM)
    assert list_lines(digest) == [
        ("digests.done", "○ *Northwind* · Send the offer · Wednesday 4 Mar"),
        ("digests.done", "○ *Northwind* · Invite the deputy · Monday 9 Mar"),
        ("renewals.verdict", "🟢 90 *Northwind* · ends 3 Apr · €84k · 2 things missing"),
    ]


async def finish_a_task(stage: Stage) -> None:
    """By the button of Wednesday's digest."""
    digest = find_post(stage, "digest", CSM)
    assert list_lines(digest)[0] == ("digests.done", "🟡 *Northwind* · Send the offer · due today")
    assert "Done: *Northwind* · Send the offer" in whisper(await press(stage, digest, "digests.done"))
    await stage.settle()
    assert find_post(stage, "digest", CSM).text == "Wednesday · 2 can wait"


async def give_a_verdict(stage: Stage) -> None:
    """From the digest; the head of the thread tells it beside what the figures say."""
    await press(stage, find_post(stage, "digest", CSM), "renewals.verdict")
    answer = await submit(stage, await wait_for_form(stage), verdict="renews", note="They said so in the call")
    assert answer["ok"], answer
    await stage.settle()
    root = find_post(stage, "renewal", ROOM)
    assert "Verdict: renews · the figures say: renews" in said(root.message)
    assert find_post(stage, "renewal_reminder", ROOM).thread_ts == root.ts


async def renew(stage: Stage) -> None:
    """The outcome by form: the head becomes one line, and the thread is told once how it ended."""
    await press(stage, find_post(stage, "renewal", ROOM), "renewals.outcome")
    form = await wait_for_form(stage)
    answer = await submit(stage, form, outcome="expanded", amount="€96k", note="More seats")
    assert answer["ok"], answer
    await stage.settle()
    root, told = find_post(stage, "renewal", ROOM), find_post(stage, "renewal_outcome", ROOM)
    assert root.text.startswith("✓ *Northwind* expanded · €84k → €96k a year (+€12k)")
    assert [block["type"] for block in root.blocks] == ["context"]
    assert (told.thread_ts, told.text) == (root.ts, root.text)
    answer = await stage.command("/cs note northwind call Thanked them for the renewal")
    assert "Last touch: 5 Mar 2026" in whisper(answer)


# ---------------------------------------------------------------- Friday and after


def see_friday(stage: Stage) -> None:
    """What was done fell out, what was moved has its new day, and the renewal is over."""
    digest = find_post(stage, "digest", CSM)
    assert digest.text == "Friday · 2 can wait"
    assert list_lines(digest) == [
        ("digests.done", "○ *Northwind* · Invite the deputy · Monday 9 Mar"),
        ("digests.settle", "○ *Northwind* · Launch workshop · Tuesday 10 Mar"),
    ]


async def read_the_week_back(stage: Stage) -> None:
    """The timeline tells the week, newest first; the card knows nothing that is over."""
    first = await stage.command("/cs timeline northwind")
    body = {"channel": CHANNEL, "ts": last_message(first)["ts"], "wait_seconds": 5}
    second = await stage.act("press", user=CSM, action_id=find_next(last_message(first)), **body)
    told = whisper(first) + whisper(second)
    in_order = (
        "Thanked them for the renewal",
        "decided the renewal of 3 Apr 2026: expanded",
        "gave a verdict on the renewal of 3 Apr 2026: renews",
        "did the next step “Send the offer”",
        "took 9.9\u202f% of conversion back",
        "logged 9.9\u202f% for conversion",
        "moved the milestone Launch workshop: “the venue fell through”",
        "Kick-off",
        "checked in",
    )
    places = [told.find(words) for words in in_order]
    assert -1 not in places, list(zip(in_order, places, strict=True))
    assert places == sorted(places)
    assert "added the contract of the next term" in told
    assert "renewal-" not in told
    card = whisper(await stage.command("/cs show northwind"))
    assert "renews 3 Apr 2027" in card
    assert "€96k a year" in card
    assert "€84k" not in card


def find_next(message: dict[str, object]) -> str:
    """The action of the button that turns the timeline's page."""
    return str(find_button(message, "timeline.more")["action_id"])


def see_all(stage: Stage) -> None:
    """The whole week: exactly what had a reason, at its minute, to whom it concerned; nothing on the weekend."""
    posts = stage.posts(at(FRIDAY, 0), at(SUNDAY + timedelta(days=1), 0))
    expected = [*SET_UP, *MONDAY_MORNING, *OWN_DEEDS, *REST_OF_WEEK, *OF_ANOTHER]
    assert sorted(name_posts(posts)) == sorted(expected)
    assert [each for each in posts if each.at >= at(SATURDAY, 0)] == []
    keys = [each.key for each in posts]
    assert len(set(keys)) == len(keys)


def see_reminders_stop(stage: Stage) -> None:
    """Nothing more is said of Northwind's renewal, though its old decision date comes near; of Southwind's there is."""
    posts = stage.posts(at(SUNDAY, 0), at(date(2026, 3, 24), 12))
    renewals = [each for each in posts if each.kind.startswith("renewal")]
    assert {(each.kind, each.to) for each in renewals} == {("renewal_reminder", CHANNEL), ("renewal", CHANNEL)}
    assert all("Southwind" in each.text for each in renewals)
    tables = [each for each in posts if each.kind == "digest" and each.to == CHANNEL and "to decide" in each.text]
    assert ["Northwind" in said(each.message) for each in tables] == [False] * len(tables)
    outcome = read(stage, lambda tx: set(tx.session.exec(select(RenewalRow.outcome))))
    assert outcome == {RenewalOutcome.OPEN, RenewalOutcome.EXPANDED}


def list_lines(digest: Post) -> list[tuple[str, str]]:
    """Each line of a digest that has a button: the button's action and the line."""
    lined = [block for block in digest.blocks if "accessory" in block]
    return [(block["accessory"]["action_id"], block["text"]["text"]) for block in lined]
