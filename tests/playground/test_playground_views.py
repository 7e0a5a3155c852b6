"""Modals and Home: triggers, validation, the stack, hashes, submissions and their answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from slack_bolt import BoltResponse
from slack_sdk.errors import SlackApiError

from playground.server import Playground

BEN = "U0000000BEN"


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def field(name: str, element: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    held = {"type": "plain_text_input", "action_id": name, **(element or {})}
    return {"type": "input", "block_id": f"{name}_block", "label": plain(name), "element": held, **more}


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    shown = list(blocks) or [field("note")]
    return {
        "type": "modal",
        "callback_id": "form",
        "title": plain("Form"),
        "submit": plain("Save"),
        "blocks": shown,
        **more,
    }


def home(*texts: str) -> dict[str, Any]:
    return {"type": "home", "blocks": [{"type": "section", "text": plain(text)} for text in texts]}


async def code_of(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def trigger(bot: Any, hands: Any) -> str:
    """A fresh trigger id, from a slash command."""
    found: list[str] = []

    async def keep(ack: Any, command: dict[str, Any]) -> None:
        found.append(command["trigger_id"])
        await ack()

    bot.app._async_listeners.clear()
    bot.app.command("/try")(keep)
    await hands.command("/try")
    return found[0]


async def open_modal(bot: Any, hands: Any, view: dict[str, Any]) -> dict[str, Any]:
    answer = await bot.client.views_open(trigger_id=await trigger(bot, hands), view=view)
    shown: dict[str, Any] = answer["view"]
    return shown


async def test_a_modal_opens_with_slacks_fields(bot: Any, hands: Any):
    view = await open_modal(bot, hands, modal(private_metadata="secret", external_id="mine"))
    assert (view["callback_id"], view["private_metadata"], view["external_id"]) == ("form", "secret", "mine")
    assert view["root_view_id"] == view["id"]
    assert view["previous_view_id"] is None
    assert view["state"]["values"] == {"note_block": {"note": {"type": "plain_text_input", "value": None}}}
    assert (view["app_id"], view["team_id"]) == (bot.installed.app_id, "T00000000PG")
    (shown,) = (await hands.get("views", user="ben"))["views"]
    assert shown == view
    assert (await hands.get("views", user="ana"))["views"] == []


async def test_a_trigger_works_once_and_for_three_seconds(bot: Any, hands: Any, clock: Any):
    first = await trigger(bot, hands)
    await bot.client.views_open(trigger_id=first, view=modal())
    assert await code_of(bot.client.views_open(trigger_id=first, view=modal())) == "exchanged_trigger_id"
    second = await trigger(bot, hands)
    clock.now += 3
    await bot.client.views_open(trigger_id=second, view=modal())
    third = await trigger(bot, hands)
    clock.now += 3.1
    assert await code_of(bot.client.views_open(trigger_id=third, view=modal())) == "expired_trigger_id"
    assert await code_of(bot.client.views_open(trigger_id="1.2.3", view=modal())) == "invalid_trigger_id"


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (modal(title=plain("a" * 25)), "must be less than 25 characters [json-pointer:/view/title/text]"),
        (modal(submit=plain("a" * 25)), "/view/submit/text"),
        (modal(close=plain("a" * 25)), "/view/close/text"),
        (modal(private_metadata="a" * 3001), "must be less than 3001 characters [json-pointer:/view/private_metadata]"),
        (modal(callback_id="a" * 256), "/view/callback_id"),
        (modal(colour="red"), "additional property: colour [json-pointer:/view]"),
        (modal({"type": "video"}), "unsupported type: video [json-pointer:/view/blocks/0/type]"),
        (modal(*[{"type": "divider"}] * 101), "no more than 100 items allowed [json-pointer:/view/blocks]"),
        ({**modal(), "submit": None}, "missing required field: submit [json-pointer:/view]"),
        ({"type": "home", "blocks": []}, "/view"),
        ("[]", "/view"),
    ],
)
async def test_a_wrong_view_is_refused_in_words(bot: Any, hands: Any, view: Any, words: str):
    with pytest.raises(SlackApiError) as caught:
        await bot.client.views_open(trigger_id=await trigger(bot, hands), view=view)
    assert caught.value.response["error"] == "invalid_arguments"
    assert any(words in message for message in caught.value.response["response_metadata"]["messages"])


async def test_a_view_over_250_kb_is_too_large(bot: Any, hands: Any):
    huge = modal(*[{"type": "section", "text": plain("字" * 1000)}] * 90)
    assert await code_of(bot.client.views_open(trigger_id=await trigger(bot, hands), view=huge)) == "view_too_large"


async def test_updates_keep_what_was_typed_and_mind_the_hash(bot: Any, hands: Any):
    view = await open_modal(bot, hands, modal(field("note"), field("more"), external_id="mine"))
    typed = {"user": "ben", "view_id": view["id"]}
    await hands.post("press", **typed, action_id="note", value="typed")
    changed = await bot.client.views_update(
        view_id=view["id"], hash=view["hash"], view=modal(field("note"), field("new"))
    )
    values = changed["view"]["state"]["values"]
    assert values["note_block"]["note"]["value"] == "typed"
    assert set(values) == {"note_block", "new_block"}
    old = bot.client.views_update(view_id=view["id"], hash=view["hash"], view=modal())
    assert await code_of(old) == "hash_conflict"
    assert (await bot.client.views_update(view_id=view["id"], view=modal()))["ok"]
    assert await code_of(bot.client.views_update(view_id="V1", view=modal())) == "not_found"
    assert await code_of(bot.client.api_call("views.update", json={"view": modal()})) == "invalid_arguments"


async def test_an_external_id_finds_its_view_and_is_taken(bot: Any, hands: Any):
    view = await open_modal(bot, hands, modal(external_id="mine"))
    updated = await bot.client.views_update(external_id="mine", view=modal(external_id="mine"))
    assert updated["view"]["id"] == view["id"]
    again = bot.client.views_open(trigger_id=await trigger(bot, hands), view=modal(external_id="mine"))
    assert await code_of(again) == "duplicate_external_id"


MORE = {
    "type": "actions",
    "block_id": "row",
    "elements": [{"type": "button", "action_id": "more", "text": plain("More")}],
}


async def test_the_stack_holds_three(bot: Any, hands: Any):
    codes = []

    async def push(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        assert body["container"] == {"type": "view", "view_id": body["view"]["id"]}
        try:
            await bot.client.views_push(trigger_id=body["trigger_id"], view=modal(MORE))
        except SlackApiError as error:
            codes.append(error.response["error"])

    await open_modal(bot, hands, modal(MORE))
    bot.app.action("more")(push)
    for height in (2, 3):
        top = (await hands.get("views", user="ben"))["views"][-1]
        result = await hands.post("press", user="ben", view_id=top["id"], action_id="more", wait_seconds=1)
        assert len(result["views"]) == height
        assert result["views"][-1]["previous_view_id"] == top["id"]
        assert result["views"][-1]["root_view_id"] == result["views"][0]["id"]
    top = result["views"][-1]
    await hands.post("press", user="ben", view_id=top["id"], action_id="more")
    await asyncio.sleep(0.1)
    assert codes == ["push_limit_reached"]
    below = await hands.post("submit", user="ben", view_id=result["views"][0]["id"])
    assert "not the open modal" in below["error"]


async def test_pushing_needs_a_trigger_from_a_modal(bot: Any, hands: Any):
    call = bot.client.views_push(trigger_id=await trigger(bot, hands), view=modal())
    assert await code_of(call) == "not_found"


async def submit(
    bot: Any, hands: Any, view: dict[str, Any], answer: Any, values: Any
) -> tuple[dict[str, Any], list[Any]]:
    """Open a form and submit it; the app acknowledges with `answer`. The result and the bodies the app saw."""
    shown = await open_modal(bot, hands, view)
    bodies: list[dict[str, Any]] = []

    async def listen(ack: Any, body: dict[str, Any]) -> None:
        bodies.append(body)
        await ack(**answer)

    bot.app.view("form")(listen)
    return await hands.post("submit", user="ben", view_id=shown["id"], values=values), bodies


async def test_a_submission_carries_the_values_and_closes(bot: Any, hands: Any):
    menu = {"type": "static_select", "options": [{"text": plain("A"), "value": "a"}]}
    blocks = (field("note"), field("pick", menu), field("day", {"type": "datepicker"}, optional=True))
    values = {"note": "hello", "pick_block": {"pick": "a"}}
    result, (body,) = await submit(bot, hands, modal(*blocks, private_metadata="m"), {}, values)
    assert (result["ok"], result["views"]) == (True, [])
    assert body["type"] == "view_submission"
    assert (body["view"]["private_metadata"], body["response_urls"]) == ("m", [])
    state = body["view"]["state"]["values"]
    assert state["note_block"]["note"] == {"type": "plain_text_input", "value": "hello"}
    assert state["pick_block"]["pick"]["selected_option"]["value"] == "a"
    assert state["day_block"]["day"] == {"type": "datepicker", "selected_date": None}
    assert body["user"]["id"] == BEN
    assert body["view"]["app_installed_team_id"] == "T00000000PG"


@pytest.mark.parametrize(
    ("element", "value", "words"),
    [
        ({}, "", "required"),
        ({"min_length": 3}, "ab", "at least 3"),
        ({"max_length": 3}, "abcd", "less than 4"),
        ({"type": "number_input", "is_decimal_allowed": False}, "1.5", "whole number"),
        ({"type": "number_input", "is_decimal_allowed": True}, "many", "a number"),
        ({"type": "number_input", "is_decimal_allowed": True, "max_value": "10"}, "11", "at most 10"),
        ({"type": "number_input", "is_decimal_allowed": True, "min_value": "0"}, "-1", "at least 0"),
        ({"type": "email_text_input"}, "ana at example", "email"),
        ({"type": "url_text_input"}, "example", "URL"),
        ({"type": "multi_users_select"}, [], "required"),
    ],
)
async def test_what_the_form_itself_refuses_never_reaches_the_app(
    bot: Any, hands: Any, element: dict[str, Any], value: Any, words: str
):
    result, bodies = await submit(bot, hands, modal(field("note", element)), {}, {"note": value})
    assert bodies == []
    assert (result["ok"], result["error"]) == (False, "form_incomplete")
    assert words in result["errors"]["note_block"]
    assert len(result["views"]) == 1


async def test_errors_stand_under_their_fields_and_the_form_stays(bot: Any, hands: Any):
    answer = {"response_action": "errors", "errors": {"note_block": "Too vague"}}
    result, _ = await submit(bot, hands, modal(), answer, {"note": "hm"})
    assert (result["ok"], result["errors"]) == (False, {"note_block": "Too vague"})
    assert result["views"][0]["state"]["values"]["note_block"]["note"]["value"] == "hm"


async def test_a_submission_can_update_push_and_clear(bot: Any, hands: Any):
    updated, _ = await submit(
        bot, hands, modal(), {"response_action": "update", "view": modal(title=plain("New"))}, {"note": "a"}
    )
    assert [view["title"]["text"] for view in updated["views"]] == ["New"]
    pushed, _ = await submit(
        bot, hands, modal(), {"response_action": "push", "view": modal(title=plain("Next"))}, {"note": "a"}
    )
    assert [view["title"]["text"] for view in pushed["views"]] == ["Form", "Next"]
    cleared, _ = await submit(bot, hands, modal(), {"response_action": "clear"}, {"note": "a"})
    assert (cleared["ok"], cleared["views"]) == (True, [])


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"response_action": "dance"}, "invalid_response_action"),
        ({"response_action": "errors", "errors": {"nowhere": "a"}}, "invalid_errors"),
        ({"response_action": "errors", "errors": {}}, "invalid_errors"),
        ({"response_action": "update", "view": {"type": "modal"}}, "invalid_arguments"),
        ({"text": "thanks"}, "invalid_response_action"),
    ],
)
async def test_a_wrong_answer_shows_trouble_in_the_form(bot: Any, hands: Any, answer: dict[str, Any], code: str):
    view = await open_modal(bot, hands, modal())

    @bot.app.middleware
    async def answer_raw() -> BoltResponse:
        return BoltResponse(status=200, body=answer)

    result = await hands.post("submit", user="ben", view_id=view["id"], values={"note": "a"})
    assert (result["ok"], result["error"]) == (False, code)
    assert code in result["views"][0]["error"]


async def test_a_form_without_an_answer_stays_with_a_note(bot: Any, hands: Any):
    view = await open_modal(bot, hands, modal())

    @bot.app.view("form")
    async def sleep() -> None:
        await asyncio.sleep(0)

    result = await hands.post("submit", user="ben", view_id=view["id"], values={"note": "a"})
    assert result["error"] == "operation_timeout"
    assert "trouble connecting" in result["views"][0]["error"]
    unknown = await hands.post("submit", user="ben", view_id=view["id"], values={"gone": "a"})
    assert "no field 'gone'" in unknown["error"]


async def test_closing_tells_the_app_if_it_asked(bot: Any, hands: Any):
    closed: list[dict[str, Any]] = []

    async def listen(ack: Any, body: dict[str, Any]) -> None:
        closed.append(body)
        await ack()

    quiet = await open_modal(bot, hands, modal())
    bot.app.view_closed("form")(listen)
    assert (await hands.post("close", user="ben", view_id=quiet["id"]))["views"] == []
    assert closed == []
    loud = await open_modal(bot, hands, modal(notify_on_close=True))
    bot.app.view_closed("form")(listen)
    await hands.post("close", user="ben", view_id=loud["id"])
    assert [(body["view"]["id"], body["is_cleared"]) for body in closed] == [(loud["id"], False)]
    cross = await open_modal(bot, hands, modal(notify_on_close=True))
    bot.app.view_closed("form")(listen)
    await hands.post("close", user="ben", view_id=cross["id"], all=True)
    assert closed[-1]["is_cleared"] is True
    assert (await hands.post("close", user="ben", view_id=cross["id"]))["status"] == 400


async def test_options_in_a_form_are_looked_up_for_a_value(bot: Any, hands: Any):
    menu = {"type": "multi_external_select", "min_query_length": 0}
    view = await open_modal(bot, hands, modal(field("account", menu)))
    bodies = []

    @bot.app.options("account")
    async def search(ack: Any, payload: dict[str, Any]) -> None:
        assert payload["view"]["id"] == view["id"]
        group = {"label": plain("All"), "options": [{"text": plain("Acme"), "value": "acc-1"}]}
        await ack(option_groups=[group])

    @bot.app.view("form")
    async def listen(ack: Any, body: dict[str, Any]) -> None:
        bodies.append(body)
        await ack()

    await hands.post("submit", user="ben", view_id=view["id"], values={"account": ["acc-1"]})
    picked = bodies[0]["view"]["state"]["values"]["account_block"]["account"]["selected_options"]
    assert [one["text"]["text"] for one in picked] == ["Acme"]


async def test_a_picked_conversation_brings_a_response_url(bot: Any, hands: Any, slack: Playground):
    menu = {"type": "conversations_select", "response_url_enabled": True}
    _, (body,) = await submit(bot, hands, modal(field("place", menu)), {}, {"place": "#random"})
    (given,) = body["response_urls"]
    assert (given["channel_id"], given["action_id"], given["block_id"]) == ("C00000RANDOM", "place", "place_block")
    assert given["response_url"].startswith(f"{slack.url}/actions/")


async def test_home_is_published_to_one_person_and_updated(bot: Any, hands: Any):
    first = (await bot.client.views_publish(user_id=BEN, view=home("one")))["view"]
    assert (await hands.get("views", user="ben"))["home"]["id"] == first["id"]
    assert (await hands.get("views", user="ana"))["home"] is None
    second = (await bot.client.views_publish(user_id=BEN, view=home("two"), hash=first["hash"]))["view"]
    assert (second["id"], second["blocks"][0]["text"]["text"]) == (first["id"], "two")
    stale = bot.client.views_publish(user_id=BEN, view=home("three"), hash=first["hash"])
    assert await code_of(stale) == "hash_conflict"
    assert await code_of(bot.client.views_publish(user_id="U0", view=home("a"))) == "user_not_found"
    assert await code_of(bot.client.views_publish(user_id=BEN, view=modal())) == "invalid_arguments"


async def test_a_button_on_home_has_no_channel(bot: Any, hands: Any):
    bodies: list[dict[str, Any]] = []

    @bot.app.action("more")
    async def listen(ack: Any, body: dict[str, Any]) -> None:
        bodies.append(body)
        await ack()

    view = (await bot.client.views_publish(user_id=BEN, view={"type": "home", "blocks": [MORE]}))["view"]
    assert (await hands.post("press", user="ben", view_id=view["id"], action_id="more"))["ok"]
    assert "channel" not in bodies[0]
    assert "response_url" not in bodies[0]
    assert bodies[0]["view"]["type"] == "home"
    opened = await bot.client.views_open(trigger_id=bodies[0]["trigger_id"], view=modal())
    assert opened["ok"]


async def test_an_app_without_home_cannot_publish(slack: Playground, manifest: dict[str, Any], client: Any):
    client.token = slack.install({**manifest, "features": {}}, "ana").bot_token
    assert await code_of(client.views_publish(user_id=BEN, view=home("a"))) == "not_enabled"
