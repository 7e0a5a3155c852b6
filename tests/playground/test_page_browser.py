"""The page in a real browser: what a person sees and does, against a running playground with a real Bolt app."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Browser, Page, WebSocketRoute, async_playwright, expect
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from playground.installing import Installed
from playground.seed import default_seed
from playground.server import Playground

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]  # one loop, so one browser for all

Json = dict[str, Any]
ANA, BEN, GENERAL = "U0000000ANA", "U0000000BEN", "C0000GENERAL"
BROWSER_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest_asyncio.fixture(loop_scope="module")
async def slack() -> AsyncIterator[Playground]:
    """Under a browser's load an app may need longer than the other tests give it."""
    async with Playground(default_seed(), ack_seconds=3.0) as playground:
        yield playground


@pytest_asyncio.fixture(loop_scope="module")
async def app(slack: Playground, installed: Installed, client: AsyncWebClient) -> AsyncIterator[AsyncApp]:
    """A real Bolt app, connected in Socket Mode."""
    bolt = AsyncApp(client=client)
    web_client = AsyncWebClient(base_url=slack.api_url)
    handler: Any = AsyncSocketModeHandler(bolt, installed.app_token, web_client=web_client)
    await handler.connect_async()
    yield bolt
    await handler.close_async()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    executable = os.environ.get("MILEPOST_CHROMIUM") or shutil.which("chromium")
    if executable is None and os.environ.get("CI"):
        pytest.fail("CI must have a Chromium: install it or set MILEPOST_CHROMIUM")
    if executable is None:
        pytest.skip("no Chromium on this machine: install chromium or set MILEPOST_CHROMIUM to its path")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=executable, args=BROWSER_ARGUMENTS)
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="module")
async def ana(browser: Browser, slack: Playground, installed: Installed) -> AsyncIterator[Page]:
    """Ana's page on #general; the test fails on any error the page logs."""
    context = await browser.new_context(viewport={"width": 1100, "height": 800}, timezone_id="Asia/Shanghai")
    page = await context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    page.set_default_timeout(5000)
    await page.goto(f"{slack.url}/?user={ANA}&channel={GENERAL}")
    await expect(page.locator("#place h2")).to_have_text("general")
    yield page
    await context.close()
    assert problems == []


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def button(text: str, action_id: str, **more: Any) -> Json:
    return {"type": "button", "text": plain(text), "action_id": action_id, "value": "v1", **more}


def field_block(block_id: str, label: str, **more: Any) -> Json:
    element = {"type": "plain_text_input", "action_id": block_id}
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": element, **more}


def modal(title: str, *blocks: Json) -> Json:
    shown = {"title": plain(title), "submit": plain("Save"), "blocks": list(blocks)}
    return {"type": "modal", "callback_id": title.lower(), **shown}


RENDERED = [
    ("*bold* _it_ ~no~ `a*b*`", "<strong>bold</strong> <em>it</em> <s>no</s> <code>a*b*</code>"),
    ("snake_case_name 2*3*4 a *_both_*", "snake_case_name 2*3*4 a <strong><em>both</em></strong>"),
    ("*not bold *", "*not bold *"),
    ("完成*率*了 *转化率* 好", "完成*率*了 <strong>转化率</strong> 好"),
    ("a &amp;lt; b &lt;i&gt;", "a &amp;lt; b &lt;i&gt;"),
    ("&gt; one\n&gt; two\nthree", "<blockquote>one<br>two</blockquote>three"),
    ("```\na &lt;b&gt;\n *c*\n```", "<pre>a &lt;b&gt;<br> *c*</pre>"),
    (":no_such_name: 12:30:45", ":no_such_name: 12:30:45"),
    ("<javascript:alert(1)|bad>", "<span>bad</span>"),
    ("<!date^0^{nonsense}|then>", '<time title="then" data-ts="0">then</time>'),
    ("<!date^1741593600^{date_num} {time}|x>", '<time title="x" data-ts="1741593600">2025-03-10 4:00 PM</time>'),
]


async def test_mrkdwn_is_shown_as_slack_shows_it(ana: Page) -> None:
    render = """async (texts) => {
        const { mrkdwn } = await import("/static/mrkdwn.js");
        return texts.map((text) => {
            const box = document.createElement("div");
            box.append(...mrkdwn(text));
            return box.innerHTML;
        });
    }"""
    shown = await ana.evaluate(render, [text for text, _ in RENDERED])
    assert shown == [html for _, html in RENDERED]


async def test_mentions_links_and_marks_carry_what_they_mean(ana: Page, client: AsyncWebClient) -> None:
    text = f"<@{ANA}> <@{BEN}> <#{GENERAL}> <!channel> <https://example.com/?a=1&amp;b=2|see *this*> :red_circle:"
    await client.chat_postMessage(channel=GENERAL, text=text)
    message = ana.locator("#messages .message").last
    await expect(message.locator(".mention")).to_have_text(["@Ana Reyes", "@Ben Okafor", "#general", "@channel"])
    await expect(message.locator(".mention.own")).to_have_text(["@Ana Reyes", "@channel"])
    link = message.locator("a[target=_blank]")
    await expect(link).to_have_text("see *this*")
    await expect(link).to_have_attribute("href", "https://example.com/?a=1&b=2")
    await expect(message.get_by_role("img", name=":red_circle:")).to_be_visible()


async def test_hostile_words_stay_words_everywhere(ana: Page, client: AsyncWebClient) -> None:
    evil = "<img src=x onerror=hacked=1><script>hacked=1</script>"
    blocks: list[Json] = [
        {"type": "header", "text": plain(evil)},
        {"type": "section", "text": {"type": "mrkdwn", "text": f"*{evil}* `{evil}`"}},
        {"type": "markdown", "text": f"**{evil}** [x](javascript:hacked=1)"},
        {"type": "actions", "elements": [button(evil[:70], "evil")]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": evil}], [{"type": "raw_text", "text": "<b>"}]]},
    ]
    await client.chat_postMessage(channel=GENERAL, text=evil, blocks=blocks)
    await ana.get_by_label("Message", exact=True).fill(evil)
    await ana.keyboard.press("Enter")
    await expect(ana.locator("#messages .message")).to_have_count(2)
    await expect(ana.locator("#messages .message").last).to_contain_text(evil)
    assert await ana.evaluate("typeof hacked") == "undefined"
    assert await ana.locator("#messages :is(img, script, a[href^=javascript])").count() == 0


async def test_an_alert_arrives_live_and_changes_when_it_is_taken(
    ana: Page, app: AsyncApp, client: AsyncWebClient
) -> None:
    pressed = []

    async def press(ack: Any, body: Json) -> None:
        await ack()
        pressed.append((body["actions"][0]["action_id"], body["user"]["id"], body["actions"][0]["value"]))
        await client.chat_update(channel=GENERAL, ts=body["message"]["ts"], text=f"Taken by <@{ANA}>", blocks=[])

    app.action("take")(press)
    app.action("resolve")(press)
    sure = {"title": plain("Sure?"), "text": plain("It closes."), "confirm": plain("Close it"), "deny": plain("No")}
    blocks = [{"type": "actions", "elements": [button("Take", "take"), button("Resolve", "resolve", confirm=sure)]}]
    posted = await client.chat_postMessage(channel=GENERAL, text="Health fell", blocks=blocks)
    message = ana.locator(f'[data-ts="{posted["ts"]}"]')
    await message.get_by_role("button", name="Resolve").click()
    await expect(ana.get_by_role("alertdialog")).to_contain_text("It closes.")
    await ana.keyboard.press("Escape")
    await message.locator("[data-action-id=take]").click()
    await expect(message).to_contain_text("Taken by @Ana Reyes")
    await expect(message.get_by_role("button", name="Take")).to_have_count(0)
    assert pressed == [("take", ANA, "v1")]


async def test_threads_unread_marks_and_whispers_reach_the_right_person(ana: Page, client: AsyncWebClient) -> None:
    root = await client.chat_postMessage(channel=GENERAL, text=f"Look <@{BEN}>")
    await client.chat_postEphemeral(channel=GENERAL, user=ANA, text="Just you")
    await expect(ana.locator("[data-ephemeral]")).to_contain_text("Only visible to you")
    await ana.locator(f'[data-open-thread="{root["ts"]}"]').click()
    await ana.get_by_label("Reply", exact=True).fill("on it @ben")
    await ana.keyboard.press("Enter")
    await expect(ana.locator("#thread-messages .message")).to_have_count(2)
    await expect(ana.locator(".reply-bar")).to_contain_text("1 reply")
    await ana.locator("#sidebar [data-channel-name=random]").click()
    await ana.get_by_label("Act as").select_option(BEN)
    row = ana.locator("#sidebar [data-channel-name=general]")
    await expect(row.locator(".count")).to_have_text("1")
    await row.click()
    await expect(row).not_to_have_attribute("data-unread", "1")
    await expect(ana.locator("#messages")).not_to_contain_text("Just you")


def offer_forms(app: AsyncApp, client: AsyncWebClient) -> None:
    """`/try form` opens a form whose button pushes another; only the amount 7 is accepted."""

    async def command(ack: Any, body: Json) -> None:
        more = {"type": "actions", "elements": [button("More", "more")]}
        view = modal("Log", field_block("amount", "Amount"), field_block("note", "Note", optional=True), more)
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    async def push(ack: Any, body: Json) -> None:
        await ack()
        await client.views_push(trigger_id=body["trigger_id"], view=modal("Step", field_block("step", "Step")))

    async def submit(ack: Any, view: Json) -> None:
        amount = view["state"]["values"]["amount"]["amount"]["value"]
        await (ack() if amount == "7" else ack(response_action="errors", errors={"amount": f"{amount} is no number"}))

    app.command("/try")(command)
    app.action("more")(push)
    app.view("log")(submit)


async def test_a_form_checks_pushes_goes_back_and_closes(ana: Page, app: AsyncApp, client: AsyncWebClient) -> None:
    offer_forms(app, client)
    await ana.get_by_label("Message", exact=True).press_sequentially("/tr")
    await expect(ana.locator("[data-command='/try']")).to_contain_text("[anything]")
    await ana.keyboard.press("Enter")
    await ana.keyboard.type("form")
    await ana.keyboard.press("Enter")
    dialog = ana.get_by_role("dialog", name="Log")
    amount = dialog.get_by_label("Amount")
    await expect(amount).to_be_focused()
    await ana.keyboard.press("Enter")
    await expect(dialog.locator("[data-block-id=amount]")).to_contain_text("Please complete this required field.")
    await amount.fill("many")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.locator("[data-block-id=amount]")).to_contain_text("many is no number")
    await dialog.get_by_role("button", name="More").click()
    await expect(ana.get_by_role("dialog", name="Step")).to_be_visible()
    await ana.get_by_role("button", name="Back").click()
    await expect(amount).to_have_value("many")
    await amount.fill("7")
    await ana.keyboard.press("Enter")
    await expect(ana.get_by_role("dialog")).to_have_count(0)


async def test_an_app_that_does_not_answer_is_named(
    ana: Page, slack: Playground, app: AsyncApp, client: AsyncWebClient
) -> None:
    offer_forms(app, client)
    message = ana.get_by_label("Message", exact=True)
    await message.fill("/try form")
    await message.press("Enter")
    await ana.get_by_label("Amount").fill("7")
    slack.core.ack_seconds = 0.2
    app.use(never)
    await ana.get_by_role("button", name="Save").click()
    await expect(ana.locator(".modal-note")).to_contain_text("We had some trouble connecting")
    await ana.keyboard.press("Escape")
    await message.fill("/try again")
    await message.press("Enter")
    await expect(ana.locator(".message.notice")).to_contain_text('/try failed with the error "operation_timeout"')
    await message.fill("/nothing")
    await message.press("Enter")
    await expect(ana.locator(".message.notice").last).to_contain_text("/nothing is not a valid command")


async def never() -> None:
    """An app that hangs longer than anybody waits."""
    await asyncio.sleep(1)


async def test_home_and_selects_tell_the_app_what_was_chosen(
    ana: Page, installed: Installed, app: AsyncApp, client: AsyncWebClient
) -> None:
    chosen: list[Json] = []

    async def options(ack: Any, payload: Json) -> None:
        found = [name for name in ("Acme", "上海客户") if payload["value"] in name]
        await ack(options=[{"text": plain(name), "value": name} for name in found])

    async def pick(ack: Any, body: Json) -> None:
        chosen.append(body)
        await ack()

    async def home(event: Json) -> None:
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [picks]})

    app.options("account")(options)
    app.action("account")(pick)
    app.action("owner")(pick)
    app.event("app_home_opened")(home)
    selects = [
        {"type": "external_select", "action_id": "account", "placeholder": plain("Account"), "min_query_length": 1},
        {"type": "users_select", "action_id": "owner", "placeholder": plain("Owner")},
    ]
    picks = {"type": "actions", "block_id": "pick", "elements": selects}
    await ana.locator(f"#sidebar [data-app={installed.app_id}]").click()
    await ana.locator("#home [data-action-id=account]").click()
    await ana.keyboard.type("上海")
    await ana.get_by_role("option", name="上海客户").click()
    await ana.locator("#home [data-action-id=owner]").click()
    await ana.keyboard.type("ben")
    await ana.keyboard.press("Enter")
    await expect(ana.locator("#home [data-action-id=owner]")).to_contain_text("Ben Okafor")
    await expect(ana.locator("#home [aria-busy]")).to_have_count(0)
    assert chosen[0]["actions"][0]["selected_option"]["value"] == "上海客户"
    assert chosen[1]["view"]["state"]["values"]["pick"]["owner"]["selected_user"] == BEN


async def test_one_must_join_a_channel_to_speak_in_it(ana: Page, slack: Playground) -> None:
    slack.core.workspace.get_channel(GENERAL).members.remove(ANA)
    await ana.reload()
    await expect(ana.get_by_label("Message", exact=True)).to_be_hidden()
    await ana.get_by_role("button", name="Join channel").click()
    await ana.get_by_label("Message", exact=True).fill("here I am")
    await ana.keyboard.press("Enter")
    await expect(ana.locator("#messages")).to_contain_text("here I am")


async def test_a_phone_shows_everything_without_scrolling_sideways(ana: Page, client: AsyncWebClient) -> None:
    cells = [[{"type": "raw_text", "text": f"a rather long cell {n}"} for n in range(6)] for _ in range(3)]
    blocks: list[Json] = [
        {"type": "section", "text": plain("word" * 60), "accessory": button("A long label for a button", "x")},
        {"type": "table", "rows": cells},
    ]
    await client.chat_postMessage(channel=GENERAL, text="wide", blocks=blocks)
    await ana.set_viewport_size({"width": 360, "height": 640})
    await expect(ana.locator("#messages table")).to_be_visible()
    assert await ana.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await ana.evaluate("document.querySelector('#messages').scrollWidth <= innerWidth")
    await expect(ana.locator("#sidebar")).not_to_be_visible()
    await ana.get_by_role("button", name="Open sidebar").click()
    await ana.locator("#sidebar [data-channel-name=random]").click()
    await expect(ana.locator("#place h2")).to_have_text("random")
    await expect(ana.locator("#sidebar")).not_to_be_visible()


async def test_the_page_comes_back_after_the_line_dropped(ana: Page, client: AsyncWebClient) -> None:
    lines: list[WebSocketRoute] = []

    def pass_on(line: WebSocketRoute) -> None:
        lines.append(line)
        line.connect_to_server()

    await ana.route_web_socket("**/_page/ws*", pass_on)
    await ana.reload()
    await expect(ana.locator("#place h2")).to_have_text("general")
    await lines[0].close()
    await client.chat_postMessage(channel=GENERAL, text="said meanwhile")
    await expect(ana.locator("#messages")).to_contain_text("said meanwhile")
    await expect(ana.locator("#offline")).to_be_hidden()
    assert len(lines) == 2


async def test_a_banner_says_that_faults_are_on_and_ends_them(slack: Playground, ana: Page):
    banner = ana.locator("#faults")
    await expect(banner).to_be_hidden()
    async with ClientSession() as session:
        rules = [{"kind": "drop_after_accept", "method": "chat.update"}]
        await session.post(f"{slack.url}/_play/faults", json={"rules": rules})
    await expect(banner).to_contain_text("Faults are on: drop after accept. 0 strikes so far.")
    await ana.reload()
    await banner.get_by_role("button", name="Clear").click()
    await expect(banner).to_be_hidden()
    assert slack.core.fault_book.standing == []
