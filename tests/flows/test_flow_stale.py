"""What is pressed, submitted or delivered twice, too late, or about something that is gone: told, and done once."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from sqlmodel import col, delete, select

from rules.accounts.accounts import RemoveAccount
from rules.records import EpisodeState
from storage.accounts.account_writes import apply_accounts
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.success.targets import MeasurementRow
from tests.flows.flow_rows import (
    ACTOR,
    add_account,
    add_alert,
    add_target,
    get_alert,
    last_message,
    last_payload,
    list_rows,
    new_name,
    nothing_saved,
    open_form,
    pick,
    press,
    read,
    submit,
    told,
    wait_for_form,
    whisper,
    write,
)
from tests.flows.flow_stage import CHANNEL, CSM, LEAD, Json, Stage, find_button, said

pytestmark = pytest.mark.asyncio(loop_scope="module")


def list_values(stage: Stage, account_id: str) -> list[MeasurementRow]:
    """The values logged for an account and not taken back."""
    query = select(MeasurementRow).where(
        MeasurementRow.account_id == account_id, col(MeasurementRow.removed_at).is_(None)
    )
    return read(stage, lambda tx: list(tx.session.exec(query)))


def list_verbs(stage: Stage, episode_id: str) -> list[str]:
    """What happened to an alert."""
    query = select(AlertEventRow.verb).where(AlertEventRow.episode_id == episode_id).order_by(col(AlertEventRow.at))
    return read(stage, lambda tx: list(tx.session.exec(query)))


def add_customer(stage: Stage) -> tuple[str, str]:
    """An account with a target on conversion, in percent; its name and id."""
    name = new_name()
    account_id = add_account(stage, name)
    add_target(stage, account_id)
    return name, account_id


async def log(stage: Stage, name: str, value: str = "7%", user: str = CSM) -> Json:
    """Log a value; the whisper with its button Undo."""
    answer = await stage.command(f"/cs log {name} conversion {value}", user)
    assert "Logged" in whisper(answer)
    return last_message(answer)


async def announce(stage: Stage) -> tuple[str, str, Json]:
    """A customer's alert, standing in the channel: the account's name, the alert's id, the message."""
    name, account_id = add_customer(stage)
    episode_id = add_alert(stage, account_id)
    return name, episode_id, await stage.wait_for(name)


async def copy_alert(stage: Stage, name: str, user: str) -> Json:
    """One's own copy of an alert, with all its buttons."""
    answer = await stage.command(f"/cs alerts {name}", user)
    assert (await press(stage, last_message(answer), "alerts.open", user))["ok"]
    return await told(stage, f"*{name}* health is red", user)


# ---------------------------------------------------------------- twice


async def test_a_command_delivered_twice_is_done_once(stage: Stage):
    name, account_id = add_customer(stage)
    await log(stage, name)
    with nothing_saved(stage):
        answer = await stage.act("redeliver", n=last_payload(stage, "/cs"))
    assert "nothing was changed a second time" in answer["ack"]["text"]
    assert len(list_values(stage, account_id)) == 1


async def test_a_button_delivered_twice_is_done_once(stage: Stage):
    _, episode_id, alert = await announce(stage)
    assert (await press(stage, alert, "alerts.take"))["ok"]
    with nothing_saved(stage):
        assert (await stage.act("redeliver", n=last_payload(stage, "block_actions alerts.take")))["ok"]
        await told(stage, "nothing was changed a second time")
    assert list_verbs(stage, episode_id) == ["opened", "taken"]


async def test_a_form_delivered_twice_is_done_once(stage: Stage):
    name, account_id = add_customer(stage)
    view = await open_form(stage, f"/cs log {name} conversion")
    assert (await submit(stage, view, value="7%"))["ok"]
    with nothing_saved(stage):
        answer = await stage.act("redeliver", n=last_payload(stage, "view_submission"))
        assert (answer["ok"], answer["ack"]) == (True, None)
        await told(stage, "This form was received before")
    assert len(list_values(stage, account_id)) == 1


async def test_a_form_submitted_by_a_double_click_is_saved_once(stage: Stage):
    name, account_id = add_customer(stage)
    view = await open_form(stage, f"/cs log {name} conversion")
    answers = await asyncio.gather(*(submit(stage, view, value="7%") for _ in range(2)))
    assert any(each["ok"] for each in answers)
    await told(stage, f"Logged 7\u202f% for *{name}*")
    assert len(list_values(stage, account_id)) == 1


async def test_two_people_press_at_once_and_one_has_it(stage: Stage):
    name, episode_id, alert = await announce(stage)
    answers = await asyncio.gather(*(press(stage, alert, "alerts.take", user) for user in (CSM, LEAD)))
    assert [each["ok"] for each in answers] == [True, True]
    taken = await stage.wait_for(f"*{name}* health is red: 31 — taken by")
    assert list_verbs(stage, episode_id) == ["opened", "taken"]
    late = LEAD if f"taken by <@{CSM}>" in said(taken) else CSM
    await told(stage, "already taken by", late)


# ---------------------------------------------------------------- too late


async def test_a_second_person_learns_who_has_taken_it(stage: Stage):
    name, episode_id, alert = await announce(stage)
    mine = await copy_alert(stage, name, LEAD)
    assert (await press(stage, alert, "alerts.take"))["ok"]
    await stage.wait_for(f"*{name}* health is red: 31 — taken by")
    with nothing_saved(stage):
        await press(stage, mine, "alerts.take", LEAD)
        await told(stage, "This alert is already taken by The CSM, 2 Mar 2026", LEAD)
    assert list_verbs(stage, episode_id) == ["opened", "taken"]


@pytest.mark.parametrize(
    ("action", "choice"), [("alerts.take", None), ("alerts.snooze", "1"), ("alerts.more", "dismiss")], ids=str
)
async def test_an_old_button_of_a_closed_alert_says_who_closed_it(stage: Stage, action: str, choice: str | None):
    name, episode_id, alert = await announce(stage)
    mine = await copy_alert(stage, name, LEAD)
    view = await open_form(stage, f"/cs alerts dismiss {name}", LEAD)
    assert (await stage.command(f"/cs alerts resolve {name} called them"))["ok"]
    await stage.wait_for(f"*{name}* health is red: 31 — resolved by")
    with nothing_saved(stage):
        more = {"value": pick(mine, action, choice)} if choice else {}
        assert (await press(stage, mine, action, LEAD, **more))["ok"]
        await told(stage, "Nothing was changed: this alert was resolved by The CSM", LEAD)
        refused = await submit(stage, view, LEAD, reason="known")
    assert "was resolved by The CSM" in refused["errors"]["reason"]
    assert get_alert(stage, episode_id).state is EpisodeState.RESOLVED
    assert [each["ts"] for each in await stage.messages() if name in said(each)] == [alert["ts"]]


async def test_a_trigger_that_ran_out_leaves_a_button_that_opens_the_form(stage: Stage):
    name, account_id = add_customer(stage)
    permits = stage.slack.core.permits
    permits.trigger_seconds, usual = 0.0, permits.trigger_seconds
    with nothing_saved(stage):
        assert (await stage.command(f"/cs log {name} conversion"))["ok"]
        note = await told(stage, "Slack was too slow to open the form. It is one click away")
    permits.trigger_seconds = usual
    assert (await press(stage, note, "edge.rerun"))["ok"]
    view = await wait_for_form(stage)
    assert (await submit(stage, view, value="7%"))["ok"]
    assert len(list_values(stage, account_id)) == 1


# ---------------------------------------------------------------- gone


async def test_buttons_of_an_account_that_is_gone(stage: Stage):
    name = new_name()
    card = last_message(await stage.command(f"/cs add {name}"))
    view = await open_form(stage, f"/cs target {name} conversion from 5% to 10%")
    account_id = json.loads(find_button(card, "accounts.undo")["value"])[1]
    write(stage, lambda tx: apply_accounts(tx, [RemoveAccount(account_id)], ACTOR, stage.clock()))
    with nothing_saved(stage):
        for action in ("accounts.health", "accounts.alerts", "accounts.more", "targets.log_form", "targets.add"):
            before = len(await _list_notes(stage))
            more = {"value": pick(card, action, "edit")} if action == "accounts.more" else {}
            assert (await press(stage, card, action, **more))["ok"]
            notes = await _wait_for_more(stage, before)
            assert "no longer exists" in said(notes[-1]), action
        refused = await submit(stage, view, due_on="2026-12-31")
    assert "no longer exists" in next(iter(refused["errors"].values()))


async def _list_notes(stage: Stage) -> list[Json]:
    return [each for each in await stage.messages(user=CSM) if each.get("ephemeral")]


async def _wait_for_more(stage: Stage, before: int) -> list[Json]:
    async with asyncio.timeout(5):
        while len(notes := await _list_notes(stage)) <= before:  # noqa: ASYNC110  # the notes are the local Slack's
            await asyncio.sleep(0.02)
    return notes


async def test_buttons_of_an_alert_that_is_gone(stage: Stage):
    name, episode_id, alert = await announce(stage)
    view = await open_form(stage, f"/cs alerts dismiss {name}")
    write(stage, lambda tx: tx.session.execute(delete(EpisodeRow).where(col(EpisodeRow.id) == episode_id)))
    with nothing_saved(stage):
        for action in ("alerts.take", "alerts.snooze", "alerts.more"):
            before = len(await _list_notes(stage))
            more = {} if action == "alerts.take" else {"value": find_button(alert, action)["options"][0]["value"]}
            assert (await press(stage, alert, action, **more))["ok"]
            assert "This alert no longer exists" in said((await _wait_for_more(stage, before))[-1])
        refused = await submit(stage, view, reason="known")
    assert "no longer exists" in refused["errors"]["reason"]


@pytest.mark.parametrize("value", ["", "{", "null", "[1,2,3]", '["episode"]', '["episode","no-such",{}]', "x" * 2000])
async def test_a_button_with_a_value_that_is_none_of_ours(stage: Stage, value: str):
    _, episode_id, alert = await announce(stage)
    standing = stage.slack.core.workspace.find_message(CHANNEL, alert["ts"])
    assert standing is not None
    find_button({"blocks": standing.blocks}, "alerts.take")["value"] = value
    before = len(await _list_notes(stage))
    with nothing_saved(stage):
        assert (await press(stage, alert, "alerts.take"))["ok"]
        note = said((await _wait_for_more(stage, before))[-1])
    assert "on our side" not in note
    assert "/cs" in note
    assert list_verbs(stage, episode_id) == ["opened"]


# ---------------------------------------------------------------- undo


async def test_undo_once_and_not_twice(stage: Stage):
    name, account_id = add_customer(stage)
    note = await log(stage, name)
    copy = find_button(note, "measurements.undo")["value"]
    assert (await press(stage, note, "measurements.undo"))["ok"]
    undone = await told(stage, f"Undone: 7\u202f% for *{name}*")
    assert undone["ts"] == note["ts"]
    assert list_values(stage, account_id) == []
    again = await log(stage, name, "8%")
    held = stage.slack.core.workspace.ephemerals[again["ts"]]
    find_button({"blocks": held.blocks}, "measurements.undo")["value"] = copy
    with nothing_saved(stage):
        await press(stage, again, "measurements.undo")
        await told(stage, "This was already undone")
    assert len(list_values(stage, account_id)) == 1


async def test_undo_after_ten_minutes_says_what_to_do_instead(stage: Stage):
    name, account_id = add_customer(stage)
    note = await log(stage, name)
    stage.clock.move_to(stage.clock() + timedelta(minutes=11))
    with nothing_saved(stage):
        await press(stage, note, "measurements.undo")
        await told(stage, "This can be undone for 10 minutes only. Correct it with a new entry instead.")
    assert len(list_values(stage, account_id)) == 1


async def test_undo_of_what_something_depends_on(stage: Stage):
    name = new_name()
    added = last_message(await stage.command(f"/cs add {name}"))
    agreed = last_message(await stage.command(f"/cs target {name} conversion from 5% to 6% by 31 dec"))
    await log(stage, name)
    before = list_rows(stage)
    for note, action in ((added, "accounts.undo"), (agreed, "targets.undo")):
        count = len(await _list_notes(stage))
        answer = await press(stage, note, action)
        assert answer["ok"], answer
        assert "something saved since then depends on it" in said((await _wait_for_more(stage, count))[-1])
    assert list_rows(stage) == before
