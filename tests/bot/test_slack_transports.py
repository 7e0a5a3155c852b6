"""The table of transports, whole: each pair of origin and reply either has a way or is named impossible here."""

from __future__ import annotations

import pytest

from bot.slack.form_values import read_element
from bot.slack.payloads import Origin, Payload, clean_text, read_action, split_line
from bot.slack.routes import build_routes
from bot.slack.transports import (
    REPLIES,
    TABLE,
    ImpossibleReplyError,
    Transport,
    ack_body,
    find_transport,
    plan,
    still_working,
)
from bot.slack.views import METADATA_LENGTH, Place, dump_metadata, read_metadata
from commands.kit import message, section
from commands.slice import (
    Button,
    Call,
    FormErrors,
    FormView,
    Home,
    OpenForm,
    Options,
    PushForm,
    Ref,
    Replace,
    Reply,
    Slice,
    UpdateForm,
    Whisper,
)
from storage.db import Tx
from words.reader import Reader

FORM = FormView("test.form", "A title longer than twenty-four", (section("x"),), "Save", Ref("thing", "1"))
SAMPLES: tuple[Reply, ...] = (
    Whisper(message("said")),
    Replace(message("said")),
    OpenForm(FORM),
    PushForm(FORM),
    UpdateForm(FORM),
    FormErrors({"name": "wrong"}),
    Options([("1", "One")]),
    Home((section("home"),)),
)
# What Slack offers no way for. A new origin or reply must be put here or into the table.
IMPOSSIBLE = {
    Origin.COMMAND: {Replace, PushForm, UpdateForm, FormErrors, Options},
    Origin.RERUN: {Replace, PushForm, UpdateForm, FormErrors, Options},
    Origin.MESSAGE_BUTTON: {Replace, PushForm, UpdateForm, FormErrors, Options},
    Origin.EPHEMERAL_BUTTON: {PushForm, UpdateForm, FormErrors, Options},
    Origin.FORM_BUTTON: {Replace, OpenForm, FormErrors, Options},
    Origin.HOME_BUTTON: {Replace, PushForm, UpdateForm, FormErrors, Options},
    Origin.SUBMISSION: {Replace, OpenForm, Options},
    Origin.SUGGESTION: set(REPLIES) - {Options},
    Origin.HOME_OPENED: set(REPLIES) - {Home},
}


def payload(origin: Origin) -> Payload:
    return Payload(origin, "name", "U1", "key", channel="C1", response_url="http://127.0.0.1/r", trigger_id="1")


@pytest.mark.parametrize("origin", list(Origin))
@pytest.mark.parametrize("reply", SAMPLES, ids=lambda reply: type(reply).__name__)
def test_each_pair_has_a_way_or_is_impossible(origin: Origin, reply: Reply):
    assert {type(each) for each in SAMPLES} == set(REPLIES)
    if type(reply) in IMPOSSIBLE[origin]:
        with pytest.raises(ImpossibleReplyError):
            find_transport(origin, type(reply))
        return
    chosen = plan(payload(origin), [reply], Reader())
    way = TABLE[origin][type(reply)]
    effects = [chosen.ack] if chosen.ack else list(chosen.after)
    assert [effect.transport for effect in effects] == [way]
    assert way.value.startswith("ack_") == (chosen.ack is not None)


def test_every_way_is_used():
    assert {way for row in TABLE.values() for way in row.values()} == set(Transport)


def test_field_errors_stand_alone():
    chosen = plan(payload(Origin.SUBMISSION), [Whisper(message("saved")), FormErrors({"name": "wrong"})], Reader())
    assert chosen.after == ()
    assert ack_body(chosen.ack) == {"response_action": "errors", "errors": {"name": "wrong"}}


@pytest.mark.parametrize("origin", list(Origin))
def test_something_can_be_said_meanwhile_from_everywhere(origin: Origin):
    meanwhile = still_working(payload(origin), Reader())
    quiet = {Origin.SUGGESTION}
    assert (meanwhile.ack is not None or bool(meanwhile.after)) or origin in quiet


def test_the_reference_and_the_channel_travel_with_a_form_within_slacks_limit():
    place = Place("C1", "https://hooks.slack.com/actions/1")
    assert read_metadata(dump_metadata('["thing","1",{}]', place)) == ('["thing","1",{}]', place)
    assert read_metadata("something else") == ("", Place())
    long = "x" * (METADATA_LENGTH - 20)
    assert read_metadata(dump_metadata(long, place)) == (long, Place("C1"))
    with pytest.raises(ValueError, match="3000"):
        dump_metadata("x" * METADATA_LENGTH, place)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("a &amp;lt; b", "a &lt; b"),
        ("&lt;!channel&gt; <!here>", "<!channel> <!here>"),
        ("<https://example.com/a?b=1&amp;c=2>", "https://example.com/a?b=1&c=2"),
        ("<mailto:mia@example.com|mia@example.com>", "mia@example.com"),
        ("<@U012ABCDEF|steve> <#C012ABCDE|sales>", "<@U012ABCDEF|steve> <#C012ABCDE|sales>"),
        ("  ", ""),
    ],
)
def test_typed_text_is_read_as_it_was_typed(typed: str, read: str):
    assert clean_text(typed) == read


@pytest.mark.parametrize(
    ("line", "parts"),
    [("", ("", "")), ("LOG acme  7.5%", ("log", "acme  7.5%")), ("list\u3000甲 乙", ("list", "甲 乙"))],
)
def test_a_line_splits_at_its_first_space(line: str, parts: tuple[str, str]):
    assert split_line(line) == parts


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ({"type": "plain_text_input", "value": "x"}, "x"),
        ({"type": "plain_text_input", "value": None}, None),
        ({"type": "static_select", "selected_option": {"value": "a"}}, "a"),
        ({"type": "static_select", "selected_option": None}, None),
        ({"type": "multi_static_select", "selected_options": [{"value": "a"}, {"value": "b"}]}, ["a", "b"]),
        ({"type": "checkboxes", "selected_options": []}, []),
        ({"type": "users_select", "selected_user": "U1"}, "U1"),
        ({"type": "multi_users_select", "selected_users": ["U1", "U2"]}, ["U1", "U2"]),
        ({"type": "conversations_select", "selected_conversation": "C1"}, "C1"),
        ({"type": "channels_select", "selected_channel": "C1"}, "C1"),
        ({"type": "datepicker", "selected_date": "2026-03-14"}, "2026-03-14"),
        ({"type": "timepicker", "selected_time": "09:00"}, "09:00"),
        ({"type": "datetimepicker", "selected_date_time": 1628633820}, "1628633820"),
        ({"type": "number_input", "value": "7"}, "7"),
    ],
    ids=lambda value: str(value.get("type")) if isinstance(value, dict) else None,
)
def test_every_element_gives_its_value(element: dict[str, object], value: object):
    assert read_element(element) == value


def test_two_slices_cannot_claim_one_name():
    def press(_call: Call, _tx: Tx) -> list[Reply]:
        return []

    one = Slice("one", buttons=(Button("a.b", press, "reads"),))
    two = Slice("two", buttons=(Button("a.b", press, "reads"),))
    with pytest.raises(ValueError, match=r"a\.b"):
        build_routes([one, two])


@pytest.mark.parametrize("value", ["", "[", "[1]", '{"a": 1}', '["x"]'])
def test_a_damaged_button_of_the_edge_itself_is_nobodys(value: str):
    body = {"user": {"id": "U1"}, "actions": [{"type": "button", "action_id": "edge.repress", "value": value}]}
    assert read_action(body).name == "edge.repress"
