"""What goes wrong in a week: two people end a renewal at once, a stranger and a viewer press and submit, an account is
put away, a check-in is taken back, the machine sleeps over the morning.
"""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import ColumnElement
from sqlmodel import col, select

from rules.records import EpisodeState, OfferState, RenewalOutcome, Role
from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import EpisodeRow
from storage.audit import AuditRow
from storage.db import Tx
from storage.people.members import get_member
from storage.renewals.contracts import ContractRow
from storage.renewals.renewals import RenewalRow
from storage.success.checkins import CheckinOfferRow, CheckinRow
from tests.flows.flow_rows import (
    add_person,
    last_message,
    nothing_saved,
    read,
    submit,
    wait_for_form,
    whisper,
    write,
)
from tests.flows.flow_stage import CHANNEL, CSM, LEAD, MIA, ROOM, STRANGER, VIEWER, Json, Stage, said
from tests.flows.flow_week import (
    FRIDAY,
    MONDAY,
    SUNDAY,
    TUESDAY,
    WEDNESDAY,
    at,
    find_post,
    name_posts,
    open_week,
    press,
    walk,
)


async def test_two_people_end_a_renewal_at_once_and_one_is_told(tmp_path: Path):
    async with open_week(tmp_path) as stage:
        await walk(stage, at(MONDAY, 9, 11))
        mine, theirs = await open_outcome(stage, CSM), await open_outcome(stage, LEAD)
        tries = (
            partial(submit, stage, mine, CSM, outcome="renewed"),
            partial(submit, stage, theirs, LEAD, outcome="churned", reason="price"),
        )
        answers = await asyncio.gather(*(each() for each in tries))
        won = [each["ok"] for each in answers]
        assert sorted(won) == [False, True], answers
        first, word = ("The CSM", "renewed") if won[0] else ("The lead", "churned")
        said_to_late = f"Nothing was saved: {first} recorded “{word}” on 2 Mar 2026."
        late = answers[won.index(False)]
        if "is busy right now" in late["errors"]["outcome"]:  # a slow machine: they try again, as they are told to
            late = await tries[won.index(False)]()
        assert late["errors"] == {"outcome": said_to_late}
        await stage.settle()
        see_one_outcome(stage, CSM if won[0] else LEAD)


async def open_outcome(stage: Stage, user: str) -> Json:
    """The form behind the button at the head of Northwind's thread."""
    await press(stage, find_post(stage, "renewal", ROOM), "renewals.outcome", user)
    return await wait_for_form(stage, user)


def see_one_outcome(stage: Stage, winner: str) -> None:
    """All that the first one said and nothing of the other's: the outcome, its contract, one reply in the thread."""
    is_renewed = winner == CSM
    rows = read(stage, lambda tx: list(tx.session.exec(select(RenewalRow).where(_decided()))))
    assert [row.outcome for row in rows] == [RenewalOutcome.RENEWED if is_renewed else RenewalOutcome.CHURNED]
    assert rows[0].reason == ("" if is_renewed else "price")
    contracts = read(stage, lambda tx: list(tx.session.exec(select(ContractRow.external_id))))
    assert len(contracts) == (3 if is_renewed else 2), contracts
    told = [each for each in stage.posts(at(FRIDAY, 0), at(SUNDAY, 0)) if each.kind == "renewal_outcome"]
    assert [(each.to, f"<@{winner}>" in each.text) for each in told] == [(ROOM, True)]
    assert find_post(stage, "renewal", ROOM).text == told[0].text


def _decided() -> ColumnElement[bool]:
    return col(RenewalRow.outcome) != RenewalOutcome.OPEN


async def test_a_stranger_presses_under_a_digest(tmp_path: Path):
    """Nobody else sees a person's digest, but renewals stand in a channel that may be shared with another company."""
    async with open_week(tmp_path) as stage:
        await walk(stage, at(MONDAY, 9, 11))
        for action in ("renewals.outcome", "renewals.verdict"):
            await refuse_stranger(stage, action)
        stage.slack.core.workspace.channels[find_post(stage, "digest", CSM).channel].members.append(STRANGER)
        for action in ("digests.settle", "digests.done"):
            await refuse_stranger(stage, action, "digest", CSM)


async def refuse_stranger(stage: Stage, action: str, kind: str = "renewal", to: str = CHANNEL) -> None:
    """The press is answered with a refusal, noted in the audit, and changes nothing."""
    with nothing_saved(stage, refusals=1):
        answer = await press(stage, find_post(stage, kind, to), action, STRANGER)
        assert "Milepost answers only people of Flow" in whisper(answer)
        assert answer["views"] == []
    rows = read(stage, lambda tx: list(tx.session.exec(select(AuditRow).where(AuditRow.actor_id == STRANGER))))
    assert {row.actor_kind for row in rows} == {"outsider"}


async def test_a_viewer_submits_nothing(tmp_path: Path):
    """A CSM who becomes a viewer while the form is open keeps what was typed, and nothing is saved."""
    async with open_week(tmp_path) as stage:
        await walk(stage, at(MONDAY, 9, 11))
        await stage.meet([VIEWER])
        make_viewer(stage, VIEWER)
        assert "Your role (viewer) does not allow this" in whisper(await stage.command("/cs checkin northwind", VIEWER))
        await press(stage, find_post(stage, "checkin_offers", CSM), "checkins.open")
        checkin = await wait_for_form(stage)
        outcome = await open_outcome(stage, LEAD)
        for user in (CSM, LEAD):
            make_viewer(stage, user)
        for view, user, values in ((checkin, CSM, {"pulse": "4"}), (outcome, LEAD, {"outcome": "renewed"})):
            with nothing_saved(stage, refusals=1):
                answer = await submit(stage, view, user, **values)
            assert "does not allow this" in str(answer.get("errors")), answer
        assert read(stage, lambda tx: tx.session.exec(select(CheckinRow)).all()) == []


def make_viewer(stage: Stage, slack_id: str) -> None:
    """From now on somebody may only look."""

    def change(tx: Tx) -> None:
        row = get_member(tx, add_person(tx, slack_id))
        row.role = Role.VIEWER
        tx.session.add(row)

    write(stage, change)


async def test_an_account_put_away_falls_silent(tmp_path: Path):
    """From Tuesday on no offer, reminder, digest line or alert of Northwind; the other account goes on as before."""
    async with open_week(tmp_path) as stage:
        await walk(stage, at(TUESDAY, 12))
        asked = await stage.command("/cs archive northwind they were bought")
        body = {"channel": CHANNEL, "ts": last_message(asked)["ts"], "wait_seconds": 5}
        answer = await stage.act("press", user=CSM, action_id="accounts.archive", **body)
        assert "Archived *Northwind*." in whisper(answer)
        await walk(stage, at(SUNDAY, 23))
        posts = [each for each in stage.posts(at(TUESDAY, 12, 1), at(SUNDAY, 23)) if not each.is_update]
        assert [each for each in posts if "Northwind" in said(each.message) or each.to in (CSM, ROOM, LEAD)] == []
        assert ("checkin_offers", MIA, "Wed 10:00") in name_posts(posts)
        assert read(stage, list_left) == []
        assert "Northwind" not in said(find_post(stage, "digest", MIA).message)


def list_left(tx: Tx) -> list[str]:
    """What is still open for an archived account."""
    gone = select(AccountRow.id).where(col(AccountRow.archived_at).is_not(None))
    offers = select(CheckinOfferRow.id).where(
        CheckinOfferRow.state == OfferState.OFFERED, col(CheckinOfferRow.account_id).in_(gone)
    )
    alerts = select(EpisodeRow.id).where(
        col(EpisodeRow.state).in_((EpisodeState.OPEN, EpisodeState.ACKED)), col(EpisodeRow.account_id).in_(gone)
    )
    return [*tx.session.exec(offers), *tx.session.exec(alerts)]


async def test_an_old_offer_of_an_account_put_away_says_so(tmp_path: Path):
    """The buttons of Monday's messages stay in Slack; they refuse instead of writing to what is put away."""
    async with open_week(tmp_path) as stage:
        await walk(stage, at(MONDAY, 9, 11))
        await press(stage, find_post(stage, "checkin_offers", CSM), "checkins.open")
        form = await wait_for_form(stage)
        asked = await stage.command("/cs archive northwind", LEAD)
        body = {"channel": CHANNEL, "ts": last_message(asked)["ts"], "wait_seconds": 5}
        await stage.act("press", user=LEAD, action_id="accounts.archive", **body)
        await walk(stage, at(WEDNESDAY, 12))
        with nothing_saved(stage):
            answer = await submit(stage, form, pulse="4")
        assert answer["errors"] == {"pulse": "This account was archived. /cs restore brings it back."}


async def test_a_check_in_taken_back_stands_as_if_never_made(tmp_path: Path):
    """The offer is open again, the channel's one summary says so, and nothing of it counts any more."""
    async with open_week(tmp_path) as stage:
        await walk(stage, at(MONDAY, 9, 11))
        offer = find_post(stage, "checkin_offers", CSM)
        await press(stage, offer, "checkins.open")
        values = {"pulse": "2", "risk": "The sponsor may leave", "step": "Call them", "value.conversion": "9.7%"}
        assert (await submit(stage, await wait_for_form(stage), **values))["ok"]
        await stage.settle()
        body = {"channel": offer.channel, "action_id": "checkins.undo", "wait_seconds": 5}
        answer = await stage.act("press", user=CSM, ts=(await last_note(stage, offer.channel))["ts"], **body)
        assert "Undone: the check-in with *Northwind*, and all that was saved with it." in whisper(answer)
        await stage.settle()
        assert find_post(stage, "checkin_offers", CSM).text == "1 check-in due: Northwind"
        assert "was taken back" in find_post(stage, "checkin", ROOM).text
        card = whisper(await stage.command("/cs show northwind"))
        assert "9.6\u202f% on 20 Feb 2026" in card
        assert [words for words in ("9.7", "sponsor may leave", "Call them", "pulse 2") if words in card] == []


async def last_note(stage: Stage, channel: str, user: str = CSM) -> Json:
    """The newest note that only this person sees in a conversation."""
    params = {"channel": channel, "user": user}
    async with stage.session.get(f"{stage.slack.url}/_play/messages", params=params) as response:
        messages: list[Json] = (await response.json())["messages"]
    return [each for each in messages if each.get("ephemeral")][-1]


async def test_a_machine_that_slept_over_the_morning_tells_it_the_same_day_only(tmp_path: Path):
    """Woken at half past eleven it brings the digest of that day, once; woken in the evening, no direct messages."""
    async with open_week(tmp_path) as stage:
        await walk(stage, at(MONDAY, 12))
        await wake_up(stage, at(TUESDAY, 11, 30))
        await walk(stage, at(TUESDAY, 23))
        assert list_digests(stage, TUESDAY) == ["Tuesday · 2 things need you, 2 can wait"]
        await wake_up(stage, at(WEDNESDAY, 19, 30))
        await walk(stage, at(WEDNESDAY, 23))
        posts = stage.posts(at(WEDNESDAY, 0), at(WEDNESDAY, 23))
        assert [each for each in posts if each.to in (CSM, MIA, LEAD) and not each.is_update] == []


async def wake_up(stage: Stage, moment: datetime) -> None:
    """Nothing ran until `moment`."""
    stage.clock.move_to(moment)
    await stage.server.scheduler.tick()
    await stage.settle()


def list_digests(stage: Stage, day: date) -> list[str]:
    """The first lines of the digests that The CSM got on a day."""
    posts = stage.posts(at(day, 0), at(day, 23, 59))
    return [each.text for each in posts if (each.kind, each.to) == ("digest", CSM) and not each.is_update]
