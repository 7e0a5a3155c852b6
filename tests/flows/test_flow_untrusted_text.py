"""Names and notes with Slack's markup in them: shown as they were typed, wherever they are shown; nobody is called."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from tests.flows.flow_rows import (
    add_account,
    add_alert,
    add_target,
    last_message,
    new_name,
    open_form,
    pick,
    press,
    submit,
    told,
    wait_for_form,
)
from tests.flows.flow_stage import CSM, VIEWER, Json, Stage, find_button

pytestmark = pytest.mark.asyncio(loop_scope="module")
# As typed, and as it must stand in mrkdwn; asterisks stay, because Slack knows no escape for them.
TEXTS = [
    ("<!channel>", "&lt;!channel&gt;"),
    (f"<@{VIEWER}>", f"&lt;@{VIEWER}&gt;"),
    ("<https://evil.example|Acme>", "&lt;https://evil.example|Acme&gt;"),
    ("*bold*", "*bold*"),
    ("&lt;", "&amp;lt;"),
    ("R&D", "R&amp;D"),
]
EACH = pytest.mark.parametrize(("typed", "shown"), TEXTS, ids=[each for each, _ in TEXTS])


# A person written into a command is that person, however it was written.
TYPED = pytest.mark.parametrize(
    ("typed", "shown"),
    [each for each in TEXTS if "@" not in each[0]],
    ids=[each for each, _ in TEXTS if "@" not in each],
)


def marked_up(value: object) -> list[str]:
    """Every text that Slack reads for markup: of a message and of its blocks; plain text is none."""
    if isinstance(value, Mapping):
        is_ours = "blocks" in value or value.get("type") == "mrkdwn"
        own = [str(value["text"])] if is_ours and isinstance(value.get("text"), str) else []
        return own + [text for each in value.values() for text in marked_up(each)]
    return [text for each in value for text in marked_up(each)] if isinstance(value, list) else []


def check(message: object, shown: str = "") -> None:
    """It is there as it must be, and nobody is called but the owner of the account."""
    text = "\n".join(marked_up(message))
    assert f"[{shown}]" in text or not shown
    assert set(re.findall(r"<[^>]*>", text)) <= {f"<@{CSM}>"}


async def read_all(stage: Stage, name: str) -> dict[str, Json]:
    """Every message that names the account, by the way it was asked for."""
    asked = {
        "show": await stage.command(f"/cs show {name}"),
        "list": await stage.command("/cs list"),
        "target": await stage.command(f"/cs target {name}"),
        "health": await stage.command(f"/cs health {name}"),
        "alerts": await stage.command(f"/cs alerts {name}"),
        "log": await stage.command(f"/cs log {name} conversion 7%"),
    }
    return {how: last_message(answer) for how, answer in asked.items()}


@EACH
async def test_the_name_of_an_account(stage: Stage, typed: str, shown: str):
    name = new_name("Aardvark")
    account_id = add_account(stage, f"{name} [{typed}]")
    add_target(stage, account_id)
    add_alert(stage, account_id)
    check(await stage.wait_for(name), shown)
    for how, message in (await read_all(stage, name)).items():
        check(message, "" if how == "list" else shown)
    view = await open_form(stage, f"/cs alerts dismiss {name}")
    check(view["blocks"], shown)


@EACH
async def test_the_note_of_a_value(stage: Stage, typed: str, shown: str):
    name = new_name()
    add_target(stage, add_account(stage, name))
    view = await open_form(stage, f"/cs log {name} conversion")
    assert (await submit(stage, view, value="7%", note=f"they said [{typed}]"))["ok"]
    check(await told(stage, f"Logged 7\u202f% for *{name}*"))
    check(last_message(await stage.command(f"/cs show {name}")), shown)


@EACH
async def test_the_note_of_an_alert_in_its_message_and_thread(stage: Stage, typed: str, shown: str):
    name = new_name()
    add_alert(stage, add_account(stage, name))
    alert = await stage.wait_for(name)
    find_button(alert, "alerts.more")
    view = await open_form(stage, f"/cs alerts dismiss {name}")
    assert (await submit(stage, view, reason="known", note=f"because [{typed}]"))["ok"]
    closed = await stage.wait_for(f"because [{shown}]")
    assert closed["ts"] == alert["ts"]
    check(closed, shown)
    reply = await stage.wait_for(f"because [{shown}]", thread_ts=alert["ts"])
    check(reply, shown)
    check(last_message(await stage.command("/cs alerts closed")), shown)


def send(text: str) -> str:
    """As Slack sends what was typed into a command: its three signs escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@TYPED
async def test_words_that_are_said_back_in_an_error(stage: Stage, typed: str, shown: str):
    name = new_name()
    add_target(stage, add_account(stage, name))
    for line in ("show {}", "log {}", "target {}", "alerts {}", "{}"):
        check(last_message(await stage.command(f"/cs {line.format(send(f'qq[{typed}]'))}")), shown)
    check(last_message(await stage.command(f"/cs list {send(f'qq[{typed}]')}")), shown.lower())
    check(last_message(await stage.command(f"/cs log {name} conversion {send(f'[{typed}]')}")), shown)


@TYPED
async def test_an_account_added_by_command_and_by_form(stage: Stage, typed: str, shown: str):
    check(last_message(await stage.command(f"/cs add {new_name('Gecko')} {send(f'[{typed}]')}")), shown)
    name = new_name("Gecko")
    view = await open_form(stage, "/cs add")
    values = {"name": name, "industry": f"[{typed}]", "aliases": f"{name}a {typed}", "owner": CSM}
    assert (await submit(stage, view, **values))["ok"]
    card = await told(stage, f"Added *{name}")
    check(card, shown)
    form = await press_for_form(stage, card)
    assert (await submit(stage, form, name=f"{name} [{typed}]"))["ok"]
    check(await told(stage, f"Changed *{name}"), shown)


async def press_for_form(stage: Stage, card: Json) -> Json:
    """The form behind Edit in the menu of a card."""
    assert (await press(stage, card, "accounts.more", value=pick(card, "accounts.more", "edit")))["ok"]
    return await wait_for_form(stage)


async def test_a_mention_that_slack_made_of_what_was_typed_calls_nobody(stage: Stage):
    """With `@channel` typed, Slack sends `<!channel>`; only people and channels mean something to us."""
    name = new_name()
    check(
        last_message(await stage.command(f"/cs add {name} [<!channel>] <!subteam^S0000001|@team>")), "&lt;!channel&gt;"
    )
