"""What people type wrongly: a sentence that says what to do next, and not a row is saved."""

from __future__ import annotations

import pytest
from sqlmodel import select

from storage.accounts.accounts import AccountRow
from storage.success.targets import MeasurementRow
from tests.flows.flow_rows import (
    add_account,
    add_alert,
    add_target,
    get_alert,
    last_message,
    list_rows,
    new_name,
    nothing_saved,
    open_form,
    press,
    read,
    submit,
    told,
    top_form,
    whisper,
)
from tests.flows.flow_stage import Json, Stage, said

pytestmark = pytest.mark.asyncio(loop_scope="module")
BUG = "on our side"


def list_values(stage: Stage, account_id: str) -> list[str]:
    """The values logged for an account."""
    query = select(MeasurementRow).where(MeasurementRow.account_id == account_id)
    return [f"{row.value:g}" for row in read(stage, lambda tx: list(tx.session.exec(query)))]


def list_buttons(message: Json) -> list[Json]:
    """The buttons below the sentence."""
    return [each for block in message["blocks"] if block["type"] == "actions" for each in block["elements"]]


def add_customer(stage: Stage, stem: str = "Customer") -> tuple[str, str]:
    """An account with a target on conversion, in percent; its name and id."""
    name = new_name(stem)
    account_id = add_account(stage, name)
    add_target(stage, account_id)
    return name, account_id


# ---------------------------------------------------------------- names


async def test_an_unknown_account_offers_the_three_nearest_and_one_press_runs_the_command(stage: Stage):
    first, _, _, _ = [add_account(stage, f"Zebra {each}") for each in ("Alpha", "Beta", "Gamma", "Delta")]
    add_target(stage, first)
    with nothing_saved(stage):
        answer = await stage.command("/cs log Zebro Alpah conversion 7.5% late")
        note = last_message(answer)
    assert "I know no account “Zebro Alpah”" in whisper(answer)
    assert "/cs list" in whisper(answer)
    buttons = list_buttons(note)
    assert len(buttons) == 3
    (wanted,) = [each for each in buttons if each["text"]["text"] == "Zebra Alpha"]
    await press(stage, note, wanted["action_id"])
    shown = await told(stage, "Logged 7.5\u202f% for *Zebra Alpha*")
    assert shown["ts"] == note["ts"], "it takes the place of the question"
    assert list_values(stage, first) == ["7.5"]


async def test_a_name_that_several_begin_with_is_asked_back(stage: Stage):
    ids = [add_account(stage, f"Quokka {each}") for each in ("North", "South")]
    for each in ids:
        add_target(stage, each)
    with nothing_saved(stage):
        answer = await stage.command("/cs log quokka conversion 8%")
    assert "“quokka” may be several accounts. Which one?" in whisper(answer)
    note = last_message(answer)
    (south,) = [each for each in list_buttons(note) if each["text"]["text"] == "Quokka South"]
    await press(stage, note, south["action_id"])
    await told(stage, "for *Quokka South*")
    assert [list_values(stage, each) for each in ids] == [[], ["8"]]


async def test_chinese_names_are_found_whole_by_beginning_and_nearly(stage: Stage):
    account_id = add_account(stage, "星辰科技有限公司")
    add_target(stage, account_id, "转化率")
    assert "*星辰科技有限公司*" in whisper(await stage.command("/cs show 星辰科技有限公司"))
    assert "*星辰科技有限公司*" in whisper(await stage.command("/cs show 星辰"))
    assert "星辰科技有限公司" in whisper(await stage.command("/cs show 星晨科技有限公司"))
    await stage.command("/cs log 星辰科技 转化率 7.5% 新的落地页")
    assert list_values(stage, account_id) == ["7.5"]


# ---------------------------------------------------------------- commands


@pytest.mark.parametrize("typed", ["", "   "])
async def test_nothing_typed_after_the_slash_command_lists_what_can_be(stage: Stage, typed: str):
    with nothing_saved(stage):
        answer = await stage.command(f"/cs{typed}")
    assert "what you can type" in whisper(answer)
    assert "/cs log" in whisper(answer)


async def test_an_unknown_subcommand_names_the_nearest_one_and_the_list(stage: Stage):
    with nothing_saved(stage):
        answer = await stage.command("/cs alrets acme")
    assert "There is no command “alrets”; did you mean `/cs alerts`?" in whisper(answer)
    assert "/cs show" in whisper(answer)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("conversion 7,5,1%", "7,5,1%"),
        ("conversion seven", "seven"),
        ("conversion €7", "kept in %"),
        ("conversion 7% on 2026-03-03", "today at the latest"),
        ("conversion 7% on 31 feb", "31 feb"),
        ("churn 7%", "/cs target"),
        (f"conversion 7% {'n' * 3000}", "2000 is the most"),
    ],
    ids=["number", "word", "currency", "future", "no such day", "metric", "note"],
)
async def test_a_value_that_cannot_be_logged_says_what_to_type(stage: Stage, typed: str, sentence: str):
    name, account_id = add_customer(stage)
    with nothing_saved(stage):
        text = whisper(await stage.command(f"/cs log {name} {typed}"))
    assert sentence in text
    assert BUG not in text
    assert list_values(stage, account_id) == []


HOSTILE = (
    "x" * 3000,
    "word " * 600,
    "{0} {name} %s %(x)s",
    "<!channel> <!everyone|x>",
    '["account","1",{}]',
    "'; DROP TABLE accounts; --",
    "\x00\u202e\ufeff💣",
    "1e999999%",
    "9" * 400,
    "-",
    '"',
    "<@U0000000000|nobody>",
)
LINES = (
    "help {}",
    "show {}",
    "list {}",
    "health {}",
    "log {}",
    "log {name} {}",
    "log {name} conversion {}",
    "log {name} conversion 7% {}",
    "target {}",
    "target {name} {}",
    "target {name} conversion from 5% to {} by 31 dec",
    "target {name} {} from 1 to 2 by 31 dec",
    "alerts {}",
    "alerts take {}",
    "alerts snooze {name} {}",
    "alerts dismiss {name} {}",
    "alerts resolve {name} {}",
    "alerts assign {name} {}",
    "setup {}",
    "{}",
)


@pytest.mark.parametrize("line", LINES)
async def test_no_words_at_all_are_a_bug(stage: Stage, line: str):
    """Whatever is typed is answered in words, by a form, or done; Slack refuses none of it."""
    name, account_id = add_customer(stage)
    add_alert(stage, account_id)
    refused_before = list_refused(stage)
    for words in HOSTILE:
        typed = line.replace("{name}", name).replace("{}", words)
        answer = await stage.command(f"/cs {typed}")
        assert answer["ok"], (typed[:60], answer)
        assert not [each for each in answer["messages"] if BUG in said(each["message"])], typed[:60]
    await settle(stage)
    assert list_refused(stage) == refused_before


def list_refused(stage: Stage) -> list[tuple[str, str]]:
    """Calls of ours that Slack did not take."""
    return [
        (each["name"], each["outcome"])
        for each in stage.slack.ledger
        if each["kind"] in {"api", "response_url"} and each["outcome"] not in {"ok", "not_in_channel"}
    ]


async def settle(stage: Stage) -> None:
    """Until what follows acknowledgements is sent."""
    assert await stage.server.edge.tasks.drain(10) == 0


# ---------------------------------------------------------------- forms


async def test_a_note_that_is_too_long_keeps_what_was_typed_in_the_form(stage: Stage):
    name, account_id = add_customer(stage)
    view = await open_form(stage, f"/cs log {name} conversion")
    with nothing_saved(stage):
        answer = await submit(stage, view, value="7%", note="n" * 3000)
    assert list(answer["errors"]) == ["note"]
    state = top_form(answer)["state"]["values"]
    assert (state["value"]["value"]["value"], len(state["note"]["value"]["value"])) == ("7%", 3000)
    assert (await submit(stage, view, note="short"))["ok"]
    assert list_values(stage, account_id) == ["7"]


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"value": "seven"}, "value", "seven"),
        ({"value": "€7"}, "value", "kept in %"),
        ({"value": "7%", "measured_on": "2026-03-03"}, "measured_on", "today at the latest"),
    ],
    ids=["number", "unit", "future"],
)
async def test_a_wrong_field_is_named_and_the_form_stays_with_what_was_typed(
    stage: Stage, values: dict[str, str], field: str, sentence: str
):
    name, account_id = add_customer(stage)
    view = await open_form(stage, f"/cs log {name} conversion")
    with nothing_saved(stage):
        answer = await submit(stage, view, note="a long story " * 100, **values)
    assert list(answer["errors"]) == [field]
    assert sentence in answer["errors"][field]
    state = top_form(answer)["state"]["values"]
    assert state["note"]["value"]["value"] == "a long story " * 100
    assert (await submit(stage, view, value="7.5%", measured_on="2026-03-01"))["ok"]
    assert list_values(stage, account_id) == ["7.5"]


async def test_an_account_form_names_its_wrong_field(stage: Stage):
    view = await open_form(stage, "/cs add")
    with nothing_saved(stage):
        answer = await submit(stage, view, name=new_name(), seats="about sixty")
    assert list(answer["errors"]) == ["seats"]
    name = new_name()
    assert (await submit(stage, view, name=name, seats="60"))["ok"]
    query = select(AccountRow).where(AccountRow.name == name)
    assert read(stage, lambda tx: tx.session.exec(query).one()).seats == 60


async def test_a_note_on_an_alert_that_is_too_long_is_refused_in_words(stage: Stage):
    name, account_id = add_customer(stage)
    episode_id = add_alert(stage, account_id)
    await stage.wait_for(name)
    for verb in ("resolve", "snooze"):
        day = "2026-03-04 " if verb == "snooze" else ""
        before = list_rows(stage)
        text = whisper(await stage.command(f"/cs alerts {verb} {name} {day}{'n' * 3000}"))
        assert "500 is the most" in text
        assert list_rows(stage) == before
    assert get_alert(stage, episode_id).closed_at is None


async def test_advice_is_read_whatever_was_typed_before_it(stage: Stage):
    answer = await stage.command(f"/cs show {'x' * 3000}")
    assert "/cs list" in whisper(answer)
    assert len(whisper(answer)) < 1000
