"""What goes wrong on the way: twice, slowly, busy, refused, too late, with a bug, and while shutting down."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection, Engine, event
from structlog.testing import capture_logs

from storage.db import Database
from storage.errors import BusyError
from storage.owners import save_from_slack
from storage.people.members import SlackProfile
from storage.people.workspaces import get_workspace
from tests.bot.slack_stage import BOT, CHANNEL, PERSON, Stage, sign, stage, texts, view_body
from tests.conftest import NOW


@pytest.fixture
async def on(sqlite_database: Database) -> AsyncIterator[Stage]:
    async with stage(sqlite_database) as given:
        yield given


@pytest.fixture
async def hasty(sqlite_database: Database) -> AsyncIterator[Stage]:
    """An edge that finds everything slow after 0.1 s."""
    async with stage(sqlite_database, slow_seconds=0.1) as given:
        yield given


# ---------------------------------------------------------------- twice


async def test_a_command_delivered_twice_is_done_once(on: Stage):
    await on.command("note hello")
    assert "received before" in (await on.command("note hello"))["text"]
    assert on.notes() == ["hello"]


async def test_the_same_words_typed_again_are_a_new_command(on: Stage):
    await on.command("note hello")
    await on.command("note hello", trigger_id="1.2.other")
    assert on.notes() == ["hello", "hello"]


async def test_two_deliveries_at_the_same_moment_are_done_once(on: Stage):
    bodies = await asyncio.gather(*(on.command("note hello") for _ in range(4)))
    assert on.notes() == ["hello"]
    assert sum("received before" in body["text"] for body in bodies) == 3


async def test_a_form_submitted_twice_is_saved_once_and_closes_both_times(on: Stage):
    assert await on.interact(on.submission(name="Mia")) is None
    assert await on.interact(on.submission(name="Mia")) is None
    await on.settle()
    assert len(on.notes()) == 1
    assert [said["text"][:19] for said in on.slack.bodies("chat.postEphemeral")] == ["Saved", "This form was recei"]


async def test_a_press_delivered_twice_is_done_once(on: Stage):
    await on.interact(on.press("test.press"))
    await on.interact(on.press("test.press"))
    assert len(on.notes()) == 1


async def test_a_form_opened_by_a_payload_that_comes_twice_is_no_failure(on: Stage):
    on.slack.errors["views.open"] = "exchanged_trigger_id"
    await on.command("form")
    await on.settle()
    assert on.slack.bodies("response_url") == []


# ---------------------------------------------------------------- slowly


async def test_a_slow_command_says_so_and_answers_by_response_url(hasty: Stage):
    body = await hasty.command("slow")
    assert (body["response_type"], body["text"]) == ("ephemeral", "Still working on it…")
    assert hasty.notes() == []
    hasty.gate.is_open.set()
    await hasty.settle()
    (said,) = hasty.slack.bodies("response_url")
    assert (said["text"], said["response_type"], said["replace_original"]) == ("slow is done", "ephemeral", False)
    assert hasty.notes() == ["slow"]


async def test_a_slow_form_shows_a_note_and_then_that_it_is_done(hasty: Stage):
    body = await hasty.interact(hasty.submission(name="slow"))
    assert body["response_action"] == "update"
    assert "Still working" in texts(body["view"])
    hasty.gate.is_open.set()
    await hasty.settle()
    (updated,) = hasty.slack.bodies("views.update")
    assert updated["view_id"] == "VNHU13V36"
    assert "Done." in texts(updated["view"])
    assert hasty.slack.bodies("chat.postEphemeral")[0]["text"] == "Saved"


async def test_a_slow_form_that_fails_comes_back_with_what_was_typed(hasty: Stage):
    await hasty.interact(hasty.submission(name="slow wrong", note="a long story"))
    hasty.gate.is_open.set()
    await hasty.settle()
    (updated,) = hasty.slack.bodies("views.update")
    view = updated["view"]
    assert "Not after all." in texts(view["blocks"][0])
    initial = {
        block["block_id"]: block["element"].get("initial_value") for block in view["blocks"] if "element" in block
    }
    assert initial == {"name": "slow wrong", "note": "a long story"}
    assert (view["callback_id"], view["submit"]["text"]) == ("test.form", "Save")
    assert hasty.notes() == []


# ---------------------------------------------------------------- busy


async def test_a_locked_database_is_told_and_nothing_is_saved(on: Stage):
    other = Database(on.database.url)
    with other.write():
        body = await on.command("note hello")
        form = await on.interact(on.submission(name="Mia"))
        assert (await on.command("find acme", trigger_id="5.6"))["text"] == "found acme"
    other.close()
    assert "busy" in body["text"]
    assert "busy" in form["errors"]["name"]
    assert on.notes() == []
    assert "Noted" in texts(await on.command("note hello")), "the same payload may succeed later"


async def test_who_cannot_write_now_is_told_in_their_own_language(on: Stage):
    with on.database.writing(on.workspace_id) as tx:
        save_from_slack(tx, SlackProfile(PERSON, "Mia", locale="zh-CN"), NOW)
    other = Database(on.database.url)
    with other.write():
        body = await on.command("note hello")
    other.close()
    reader = on.edge.people.find_reader(PERSON)
    assert reader.locale == "zh-CN"
    assert body["text"] == reader.say(BusyError().sentence)


@pytest.mark.parametrize("text", ["note hello", "find acme"])
async def test_a_payload_takes_one_transaction(on: Stage, text: str):
    await on.command("find acme")
    await on.settle()
    begun: list[Connection] = []

    def count(connection: Connection) -> None:
        begun.append(connection)

    event.listen(Engine, "begin", count)
    await on.command(text, trigger_id="7.8")
    event.remove(Engine, "begin", count)
    assert len(begun) == 1


# ---------------------------------------------------------------- refused


async def test_a_role_that_does_not_suffice_is_told_and_audited(on: Stage):
    assert "lead" in (await on.command("lead"))["text"]
    assert on.notes() == []
    (refusal,) = [row for row in on.audit() if row.is_refused]
    assert (refusal.verb, refusal.object_kind, refusal.object_id) == ("refuse", "command", "lead")
    assert refusal.actor_kind == "member"


async def test_somebody_of_another_team_is_refused_and_audited(on: Stage):
    user = {"id": "U9", "username": "eve", "name": "eve", "team_id": "T9999999"}
    await on.interact(on.press("test.press", user=user, team={"id": "T9999999", "domain": "evil"}))
    await on.settle()
    assert "answers only people of Test" in texts(on.slack.bodies("response_url"))
    (refusal,) = on.audit()
    assert (refusal.actor_kind, refusal.actor_id, refusal.is_refused) == ("outsider", "U9", True)
    form = on.submission(name="Mia") | {"user": user, "team": {"id": "T9999999"}}
    assert "answers only" in texts(await on.interact(form))
    assert on.notes() == []


async def test_nearest_names_are_buttons_that_run_the_corrected_command(on: Stage):
    body = await on.command("find akme <b>")
    buttons = body["blocks"][1]["elements"]
    assert [(each["text"]["text"], each["value"]) for each in buttons] == [
        ("Acme Inc", "find acme <b>"),
        ("Acme Labs", "find acme-2 <b>"),
    ]
    container = {"type": "message", "message_ts": "1.2", "channel_id": CHANNEL, "is_ephemeral": True}
    await on.interact(on.press(buttons[0]["action_id"], buttons[0]["value"], container=container))
    await on.settle()
    (said,) = on.slack.bodies("response_url")
    assert (said["text"], said["replace_original"], said["response_type"]) == ("found acme <b>", True, "ephemeral")


# ---------------------------------------------------------------- too late


@pytest.mark.parametrize("error", ["expired_trigger_id", "ratelimited", "internal_error"])
async def test_a_form_that_does_not_open_is_one_click_away(on: Stage, error: str):
    on.slack.errors["views.open"] = error
    await on.command("form")
    await on.settle()
    (said,) = on.slack.bodies("response_url")
    (button,) = said["blocks"][1]["elements"]
    on.slack.errors.clear()
    await on.interact(on.press(button["action_id"], button["value"]))
    await on.settle()
    assert on.slack.bodies("views.open")[-1]["trigger_id"].startswith("12321423423")


async def test_a_button_whose_form_does_not_open_is_pressed_again_by_another(on: Stage):
    on.slack.errors["views.open"] = "expired_trigger_id"
    await on.interact(on.press("test.open"))
    await on.settle()
    (button,) = on.slack.bodies("response_url")[0]["blocks"][1]["elements"]
    assert json.loads(button["value"]) == ["test.open", '["thing","7",{}]', ""]
    on.slack.errors.clear()
    await on.interact(on.press(button["action_id"], button["value"], trigger_id="7.8.9"))
    await on.settle()
    assert on.slack.bodies("views.open")[-1]["trigger_id"] == "7.8.9"


async def test_a_form_in_a_form_that_does_not_open_asks_for_another_press(on: Stage):
    on.slack.errors["views.push"] = "expired_trigger_id"
    menu = on.block_actions(
        {"action_id": "test.in_form", "type": "static_select", "selected_option": {"value": "push"}}
    )
    await on.interact(on.in_view(menu, view_body()))
    await on.settle()
    assert "once more" in on.slack.bodies("chat.postEphemeral")[0]["text"]


async def test_a_used_up_response_url_becomes_a_whisper_in_the_channel(on: Stage):
    on.slack.response_status = 404
    await on.interact(on.press("test.press"))
    await on.settle()
    assert on.slack.bodies("chat.postEphemeral")[0]["text"] == "pressed"


async def test_a_whisper_that_cannot_be_said_anywhere_is_logged_and_the_change_stays(on: Stage):
    on.slack.errors = {"chat.postEphemeral": "channel_not_found", "chat.postMessage": "internal_error"}
    with capture_logs() as logs:
        await on.interact(on.submission(name="Mia"))
        await on.settle()
    assert "reply not delivered" in [line["event"] for line in logs]
    assert len(on.notes()) == 1


# ---------------------------------------------------------------- bugs


async def test_a_bug_gives_a_number_that_finds_the_traceback_and_saves_nothing(on: Stage):
    with capture_logs() as logs:
        body = await on.command("bug")
    (line,) = [each for each in logs if each["event"] == "bug"]
    assert line["bug"] in body["text"]
    assert "secret" not in texts(body)
    assert line["exc_info"] is True
    assert on.notes() == []


async def test_a_bug_in_a_form_keeps_what_was_typed(on: Stage):
    with capture_logs():
        body = await on.interact(on.submission(name="bug"))
    assert body["response_action"] == "errors"
    assert "our side" in body["errors"]["name"]


async def test_a_reply_that_cannot_reach_the_person_is_a_bug_before_anything_is_saved(on: Stage):
    with capture_logs() as logs:
        assert "our side" in (await on.command("impossible"))["text"]
    assert [each["event"] for each in logs] == ["bug"]
    assert on.notes() == []


# ---------------------------------------------------------------- the app, and the end


async def test_an_uninstalled_app_pauses_the_workspace(on: Stage):
    revoked = {"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}, "event_ts": "1"}
    await on.event(revoked, "Ev1")
    with on.database.reading(on.workspace_id) as tx:
        assert not get_workspace(tx).is_paused, "a person's own token does not matter"
    await on.event({**revoked, "tokens": {"oauth": [], "bot": [BOT]}}, "Ev2")
    with on.database.reading(on.workspace_id) as tx:
        assert get_workspace(tx).paused_reason == "tokens_revoked"
    assert (await on.event({"type": "app_uninstalled", "event_ts": "1"}, "Ev3")).status == 200


async def test_a_request_that_nobody_signed_is_refused_without_logging_it(on: Stage):
    for request in (sign("text=secret-words", secret="wrong"), sign("text=secret-words")):
        request.headers["x-slack-request-timestamp"] = ["1531420618"]
        with capture_logs() as logs:
            response = await on.send(request)
        assert response.status == 401
        assert "secret-words" not in str(logs)


async def test_both_signing_secrets_are_accepted_during_a_rotation(sqlite_database: Database):
    async with stage(sqlite_database, signing_secrets=("new", "old")) as rotating:
        for secret, status in (("new", 200), ("old", 200), ("older", 401)):
            request = sign(json.dumps({"type": "url_verification", "challenge": "c"}), "application/json", secret)
            assert (await rotating.send(request)).status == status


async def test_without_a_signing_secret_nothing_unsigned_passes(sqlite_database: Database):
    async with stage(sqlite_database, signing_secrets=("",)) as open_:
        assert (await open_.send(sign("text=hello", secret=""))).status == 401


async def test_shutdown_finishes_what_was_begun_and_takes_nothing_new(hasty: Stage):
    await hasty.command("slow")
    draining = asyncio.create_task(hasty.edge.drain())
    await asyncio.sleep(0)
    assert (await hasty.send(sign("text=note&user_id=U1&command=%2Fcs"))).status == 503
    assert not draining.done()
    hasty.gate.is_open.set()
    assert await draining == 0
    assert hasty.notes() == ["slow"]
    assert hasty.slack.bodies("response_url")[0]["text"] == "slow is done"


async def test_shutdown_does_not_wait_for_ever(hasty: Stage):
    await hasty.command("slow")
    with capture_logs() as logs:
        assert await hasty.edge.drain(0.1) > 0
    assert "cut off at shutdown" in [line["event"] for line in logs]
