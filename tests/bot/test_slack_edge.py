"""Commands, buttons, forms, menus and Home through a real Bolt app, with Slack's documented payloads."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from commands.slice import Ref
from storage.db import Database
from tests.bot.slack_stage import CHANNEL, PERSON, Stage, stage, texts, view_body


@pytest.fixture
async def on(sqlite_database: Database) -> AsyncIterator[Stage]:
    async with stage(sqlite_database) as given:
        yield given


# ---------------------------------------------------------------- commands


async def test_a_command_is_saved_and_answered_in_the_acknowledgement(on: Stage):
    body = await on.command("note  hello &lt;world&gt; &amp; co")
    assert body["response_type"] == "ephemeral"
    assert "hello &lt;world&gt;" not in texts(body)
    assert on.notes() == ["hello <world> & co"]
    assert on.slack.calls == []


async def test_mentions_stay_and_links_become_what_was_typed(on: Stage):
    await on.command("note <@U1|mia> saw <http://example.com|example.com> in <#C1|sales>")
    assert on.notes() == ["<@U1|mia> saw example.com in <#C1|sales>"]


@pytest.mark.parametrize(("typed", "got"), [("", ""), ("what is this", "what is this"), ("HELP add", "add")])
async def test_nothing_or_something_unknown_gets_help_with_what_was_typed(on: Stage, typed: str, got: str):
    assert (await on.command(typed))["text"] == f"help: {got}"


async def test_a_second_whisper_follows_by_response_url(on: Stage):
    assert (await on.command("two"))["text"] == "one"
    await on.settle()
    (second,) = on.slack.bodies("response_url")
    assert (second["text"], second["response_type"], second["replace_original"]) == ("two", "ephemeral", False)


async def test_three_thousand_characters_arrive_whole(on: Stage):
    body = await on.command("note " + "x" * 3500)
    assert "Noted 3500" in texts(body)


async def test_a_form_opens_with_the_trigger_and_remembers_the_channel(on: Stage):
    assert await on.command("form") is None
    await on.settle()
    (opened,) = on.slack.bodies("views.open")
    place = [CHANNEL, f"{on.slack.url}/response/1234"]
    assert json.loads(opened["view"]["private_metadata"]) == [Ref("thing", "7").dump(), *place]
    assert opened["view"]["callback_id"] == "test.form"


# ---------------------------------------------------------------- buttons


async def test_a_button_on_a_channel_message_whispers_and_leaves_the_message(on: Stage):
    assert await on.interact(on.press("test.press")) is None
    await on.settle()
    (said,) = on.slack.bodies("response_url")
    assert (said["text"], said["response_type"], said["replace_original"]) == ("pressed", "ephemeral", False)
    assert on.notes() == ["message Ref(kind='thing', id='7', extra={}) "]


async def test_an_ephemeral_is_replaced(on: Stage):
    container = {"type": "message", "message_ts": "1.2", "channel_id": CHANNEL, "is_ephemeral": True}
    await on.interact(on.press("test.undo", container=container))
    await on.settle()
    (said,) = on.slack.bodies("response_url")
    assert (said["text"], said["response_type"], said["replace_original"]) == ("Undone", "ephemeral", True)


async def test_a_menu_gives_its_choice_and_reference(on: Stage):
    option = {"text": {"type": "plain_text", "text": "Later"}, "value": Ref("thing", "8", {"days": "3"}).dump()}
    await on.interact(on.block_actions({"action_id": "test.press", "type": "overflow", "selected_option": option}))
    (note,) = on.notes()
    assert "id='8', extra={'days': '3'}" in note


@pytest.mark.parametrize("value", ["", "{", "7", '{"a":1,"b":2,"c":3}', '["thing"]', '["thing",7,{}]', "null"])
async def test_a_damaged_value_is_told_and_nothing_is_written(on: Stage, value: str):
    await on.interact(on.press("test.press", value or "[]"))
    await on.settle()
    assert "damaged" in texts(on.slack.bodies("response_url"))
    assert on.notes() == []


async def test_an_unknown_button_says_so(on: Stage):
    await on.interact(on.press("gone.action"))
    await on.settle()
    assert "no longer works" in texts(on.slack.bodies("response_url"))


async def test_a_field_of_a_form_that_only_keeps_its_value_is_acknowledged(on: Stage):
    body = on.block_actions({"action_id": "gone.menu", "type": "static_select", "selected_option": {"value": "1"}})
    assert await on.interact(on.in_view(body, view_body())) is None
    await on.settle()
    assert on.slack.calls == []


async def test_a_button_in_a_form_updates_or_pushes(on: Stage):
    await on.interact(on.in_view(on.press("test.in_form"), view_body(name="Mia")))
    menu = on.block_actions(
        {"action_id": "test.in_form", "type": "static_select", "selected_option": {"value": "push"}}
    )
    await on.interact(on.in_view(menu, view_body()))
    await on.settle()
    (updated,), (pushed,) = on.slack.bodies("views.update"), on.slack.bodies("views.push")
    assert (updated["view_id"], updated["view"]["title"]["text"]) == ("VNHU13V36", "For Mia")
    assert pushed["view"]["title"]["text"] == "A form"


async def test_a_button_on_home_whispers_as_a_direct_message_that_can_be_replaced(on: Stage):
    home = {"id": "V1", "type": "home", "blocks": [], "private_metadata": "", "state": {"values": {}}}
    await on.interact(on.in_view(on.press("test.press"), home))
    await on.settle()
    (said,) = on.slack.bodies("chat.postMessage")
    assert (said["channel"], said["text"], said["blocks"][0]["block_id"]) == (PERSON, "pressed", "edge.whisper")
    assert on.notes() == ["home Ref(kind='thing', id='7', extra={}) "]
    direct = {"type": "message", "blocks": said["blocks"]}
    await on.interact(on.press("test.undo", message=direct, trigger_id="1.2.3"))
    await on.settle()
    (replaced,) = on.slack.bodies("response_url")
    assert (replaced["replace_original"], replaced["response_type"]) == (True, "in_channel")


# ---------------------------------------------------------------- forms


async def test_a_form_is_saved_and_whispered_where_it_was_opened(on: Stage):
    assert await on.interact(on.submission(name="Mia", note="n")) is None
    await on.settle()
    assert on.notes() == ["form Ref(kind='thing', id='7', extra={}) {'name': 'Mia', 'note': 'n'}"]
    (said,) = on.slack.bodies("chat.postEphemeral")
    assert (said["channel"], said["user"], said["text"]) == (CHANNEL, PERSON, "Saved")


async def test_the_response_url_of_what_opened_a_form_is_used_before_anything_else(on: Stage):
    body = on.submission(name="Mia")
    body["view"]["private_metadata"] = json.dumps(["", CHANNEL, f"{on.slack.url}/response/9"])
    await on.interact(body)
    await on.settle()
    assert [name for name, _ in on.slack.calls] == ["response_url"]
    assert on.slack.calls[0][1]["response_type"] == "ephemeral"


async def test_where_the_bot_is_not_in_the_channel_the_whisper_is_a_direct_message(on: Stage):
    on.slack.errors["chat.postEphemeral"] = "not_in_channel"
    await on.interact(on.submission(name="Mia"))
    await on.settle()
    (said,) = on.slack.bodies("chat.postMessage")
    assert (said["channel"], said["text"]) == (PERSON, "Saved")


async def test_a_mistake_stands_at_its_field_and_nothing_is_written(on: Stage):
    body = await on.interact(on.submission(name="wrong"))
    assert body == {"response_action": "errors", "errors": {"note": "“<wrong>” is not a name."}}
    assert on.notes() == []


async def test_a_mistake_of_no_field_stands_at_the_first_one(on: Stage):
    body = await on.interact(on.submission(name="elsewhere"))
    assert body["errors"] == {"name": "Nobody has it."}


async def test_a_corrected_form_is_saved_though_its_view_is_the_same(on: Stage):
    assert (await on.interact(on.submission(name="errors")))["response_action"] == "errors"
    assert on.notes() == []
    assert await on.interact(on.submission(name="fine")) is None
    assert len(on.notes()) == 1


async def test_a_form_can_go_on_to_a_second_step(on: Stage):
    body = await on.interact(on.submission(name="update"))
    assert (body["response_action"], body["view"]["title"]["text"]) == ("update", "Step two")


async def test_a_form_of_an_older_version_says_so(on: Stage):
    body = on.submission(name="Mia")
    body["view"]["callback_id"] = "gone.form"
    assert "no longer works" in (await on.interact(body))["errors"]["name"]


async def test_a_mistake_in_a_form_without_fields_is_shown_on_top(on: Stage):
    body = on.submission(name="wrong")
    body["view"]["blocks"] = []
    answer = await on.interact(body)
    assert answer["response_action"] == "push"
    assert "&lt;wrong&gt;" in texts(answer["view"])


# ---------------------------------------------------------------- menus, Home, the rest


async def test_options_fit_slacks_limits(on: Stage):
    body = {
        "type": "block_suggestion",
        "user": {"id": PERSON, "team_id": "T0000001"},
        "team": {"id": "T0000001"},
        "action_id": "test.pick",
        "block_id": "b",
        "value": "ac",
        "container": {"type": "view", "view_id": "V1"},
        "view": view_body(),
    }
    options = (await on.interact(body))["options"]
    assert (len(options), options[0]["value"], len(options[0]["text"]["text"])) == (100, "ac-0", 75)
    assert await on.interact({**body, "action_id": "gone.pick"}) == {"options": []}


async def test_home_is_published_when_it_is_opened(on: Stage):
    event = {"type": "app_home_opened", "user": PERSON, "channel": "D0LAN2Q65", "tab": "home", "event_ts": "1"}
    assert (await on.event(event)).status == 200
    assert (await on.event({**event, "tab": "messages"}, "Ev2")).status == 200
    await on.settle()
    (published,) = on.slack.bodies("views.publish")
    assert published["user_id"] == PERSON
    assert "Hello Steve" in texts(published["view"])


@pytest.mark.parametrize(
    "body",
    [
        {"type": "view_closed", "view": view_body(), "user": {"id": PERSON}, "team": {"id": "T0000001"}},
        {"type": "shortcut", "callback_id": "x", "trigger_id": "1", "user": {"id": PERSON}, "team": {"id": "T0000001"}},
        {"type": "message_action", "callback_id": "x", "user": {"id": PERSON}, "team": {"id": "T0000001"}},
        {"type": "interactive_message", "callback_id": "x", "actions": [{}], "user": {"id": PERSON}},
        {"type": "dialog_submission", "callback_id": "x", "user": {"id": PERSON}, "team": {"id": "T0000001"}},
        {"type": "something_new", "user": {"id": PERSON}},
        {"type": "block_actions", "actions": [{"action_id": "x"}], "user": {}, "team": {"id": "T0000001"}},
    ],
    ids=lambda body: body["type"],
)
async def test_what_nobody_knows_is_acknowledged(on: Stage, body: dict[str, object]):
    assert await on.interact(body) is None


async def test_an_event_nobody_knows_is_acknowledged(on: Stage):
    assert (await on.event({"type": "reaction_added", "user": PERSON})).status == 200
    assert (await on.event({"type": "message", "text": "hi", "user": PERSON, "channel": CHANNEL})).status == 200
