"""What is written out by hand is what the SDK's models would have written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import (
    ActionsBlock,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from commands.kit import Element, actions, button, clip, confirm, context, divider, header, overflow, section
from commands.slice import Ref

TEXTS = st.text(min_size=1, max_size=200)
BUTTONS = st.builds(
    button,
    TEXTS,
    st.just("test.press"),
    st.builds(Ref, st.just("thing"), TEXTS),
    style=st.sampled_from([None, "primary", "danger"]),
    confirm=st.sampled_from([None, confirm("Really?", "It cannot be undone.", "Yes", "No")]),
)
ELEMENTS = BUTTONS | st.just(overflow("test.more", [("1", "One"), ("2", "Two")]))


def mrkdwn(text: str) -> MarkdownTextObject:
    return MarkdownTextObject(text=text, verbatim=True)


@given(TEXTS, st.none() | ELEMENTS, st.lists(TEXTS, max_size=10))
def test_a_section_is_the_sdks(text: str, accessory: Element | None, fields: list[str]):
    sdks = SectionBlock(text=mrkdwn(text), accessory=accessory, fields=[mrkdwn(each) for each in fields])
    assert section(text, accessory=accessory, fields=fields) == sdks.to_dict()


@given(st.lists(ELEMENTS, min_size=1, max_size=25))
def test_a_row_of_buttons_is_the_sdks(elements: list[Element]):
    assert actions(*elements) == ActionsBlock(elements=elements).to_dict()


@given(TEXTS)
def test_small_blocks_are_the_sdks(text: str):
    assert header(text) == HeaderBlock(text=PlainTextObject(text=clip(text, 150), emoji=False)).to_dict()
    assert context(text) == ContextBlock(elements=[mrkdwn(text)]).to_dict()
    assert divider() == DividerBlock().to_dict()


def test_what_slack_would_refuse_is_refused_here():
    with pytest.raises(SlackObjectFormationError):
        actions(button("Press", "test.press", Ref("thing", "x" * 2000)))
    with pytest.raises(SlackObjectFormationError):
        section("")
