"""People without the right to what they ask for: told who has it, noted in the audit, and nothing else is saved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlmodel import select

from rules.delivery.channels import Sharing
from rules.records import Role
from storage.audit import AuditRow
from storage.db import Tx
from storage.delivery.channels import read_team_place
from storage.people.members import find_by_slack_id, get_member
from tests.flows.flow_rows import (
    add_account,
    add_alert,
    add_person,
    add_target,
    last_message,
    new_name,
    nothing_saved,
    press,
    read,
    submit,
    told,
    wait_for_form,
    whisper,
    write,
)
from tests.flows.flow_stage import CHANNEL, CSM, LEAD, MIA, STRANGER, VIEWER, Json, Stage, find_button

pytestmark = pytest.mark.asyncio(loop_scope="module")


def last_refusal(stage: Stage) -> AuditRow:
    """The latest refusal in the audit."""
    query = select(AuditRow).where(AuditRow.is_refused)  # type: ignore[arg-type]
    rows = read(stage, lambda tx: list(tx.session.exec(query)))
    return max(rows, key=lambda row: row.at)


async def announce(stage: Stage) -> tuple[str, Json]:
    """A customer of the CSM with a target and an alert: its name, and the message in the channel."""
    name = new_name()
    account_id = add_account(stage, name)
    add_target(stage, account_id)
    add_alert(stage, account_id)
    return name, await stage.wait_for(name)


@asynccontextmanager
async def shared_channel(stage: Stage) -> AsyncIterator[None]:
    """The team's channel is shared with another organisation, and at the end known not to be any more."""
    assert (await stage.act("share", user=LEAD, channel=CHANNEL))["ok"]
    await until_known(stage, is_shared=True)
    yield
    assert (await stage.act("share", user=LEAD, channel=CHANNEL, sharing="none"))["ok"]
    await until_known(stage, is_shared=False)


async def until_known(stage: Stage, *, is_shared: bool) -> None:
    """Wait until it is written down who reads the team's channel."""
    async with asyncio.timeout(15):
        while (read(stage, read_team_place).sharing is Sharing.SHARED) is not is_shared:  # noqa: ASYNC110  # in Slack
            await asyncio.sleep(0.05)


def make_viewer(stage: Stage) -> None:
    """Somebody who may only look."""

    def change(tx: Tx) -> None:
        row = get_member(tx, add_person(tx, VIEWER))
        row.role = Role.VIEWER
        tx.session.add(row)

    write(stage, change)


async def meet(stage: Stage, user: str) -> None:
    """Somebody who was here before, so that Slack was asked for the name."""
    await stage.command("/cs help", user)
    assert await stage.server.edge.tasks.drain(5) == 0


@pytest.mark.parametrize(
    "typed",
    [
        "log {} conversion 7%",
        "target {} churn from 5% to 3% by 31 dec",
        "alerts take {}",
        "alerts resolve {}",
        "alerts dismiss {}",
        "alerts snooze {} 3 days",
        "alerts assign {} <@U00000000MIA|mia>",
        "add Somebody New",
        "setup <#C0000ALERTS1|cs-alerts>",
    ],
)
async def test_a_viewer_is_told_whom_to_ask(stage: Stage, typed: str):
    name, _ = await announce(stage)
    make_viewer(stage)
    with nothing_saved(stage, refusals=1):
        answer = await stage.command(f"/cs {typed.format(name)}", VIEWER)
    assert "Your role (viewer) does not allow this. Ask an admin" in whisper(answer)


async def test_a_viewer_may_look(stage: Stage):
    name, _ = await announce(stage)
    make_viewer(stage)
    with nothing_saved(stage):
        for typed in ("show {}", "list", "health {}", "target {}", "alerts {}", "help"):
            assert "does not allow" not in whisper(await stage.command(f"/cs {typed.format(name)}", VIEWER))


@pytest.mark.parametrize(
    "typed",
    ["log {} conversion 7%", "target {} churn from 5% to 3% by 31 dec", "alerts take {}", "alerts dismiss {} known"],
)
async def test_a_csm_on_somebody_elses_account_is_told_whose_it_is(stage: Stage, typed: str):
    name, _ = await announce(stage)
    with nothing_saved(stage, refusals=1):
        answer = await stage.command(f"/cs {typed.format(name)}", MIA)
    assert "This account belongs to The CSM. Only they or a lead can change it" in whisper(answer)
    assert last_refusal(stage).verb == "refuse"


@pytest.mark.parametrize("action", ["alerts.take", "alerts.snooze", "alerts.more"])
async def test_a_csm_presses_under_somebody_elses_alert(stage: Stage, action: str):
    _, alert = await announce(stage)
    more = {} if action == "alerts.take" else {"value": find_button(alert, action)["options"][0]["value"]}
    with nothing_saved(stage, refusals=1):
        assert (await press(stage, alert, action, MIA, **more))["ok"]
        await told(stage, "This account belongs to The CSM", MIA)


async def test_a_form_opened_before_the_account_went_to_somebody_else(stage: Stage):
    name, _ = await announce(stage)
    view = await open_edit(stage, name, CSM)
    given_away = await open_edit(stage, name, LEAD)
    await meet(stage, MIA)
    assert (await submit(stage, given_away, LEAD, owner=MIA))["ok"]
    with nothing_saved(stage, refusals=1):
        answer = await submit(stage, view, tier="A")
    assert "belongs to Another CSM" in next(iter(answer["errors"].values()))


async def open_edit(stage: Stage, name: str, user: str) -> Json:
    """The form to change an account, from the menu under its card."""
    card = last_message(await stage.command(f"/cs show {name}", user))
    options = find_button(card, "accounts.more")["options"]
    await press(
        stage, card, "accounts.more", user, value=next(each["value"] for each in options if "edit" in str(each))
    )
    return await wait_for_form(stage, user)


@pytest.mark.parametrize("action", ["alerts.take", "alerts.snooze", "alerts.more", "targets.log_form"])
async def test_a_stranger_in_a_shared_channel_is_refused_and_noted(stage: Stage, action: str):
    name, alert = await announce(stage)
    if action == "targets.log_form":
        await press(stage, alert, "alerts.take")
        alert = await stage.wait_for(f"*{name}* health is red: 31 — taken by")
    element = find_button(alert, action)
    more = {"value": element["options"][-1]["value"]} if "options" in element else {}
    async with shared_channel(stage):  # its alerts keep their buttons until they are drawn anew
        with nothing_saved(stage, refusals=1):
            assert (await press(stage, alert, action, STRANGER, **more))["ok"]
            note = await told(stage, "Milepost answers only people of Flow", STRANGER)
    assert name not in str(note)
    refusal = last_refusal(stage)
    assert (refusal.actor_kind, refusal.actor_id) == ("outsider", STRANGER)
    assert read(stage, lambda tx: find_by_slack_id(tx, STRANGER)) is None
