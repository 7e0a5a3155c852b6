"""Slack's payloads read into one shape: who did what, where, with which words. Owns every field name of Slack
that comes in (commands, interactions, Home); refuses to act on them.

Sources: Slack's reference of slash commands, interaction payloads and the app_home_opened event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from bot.slack.form_values import Value, read_element, read_state
from bot.slack.views import read_metadata
from commands.slice import Surface, write_compact

RERUN = "edge.rerun"
REPRESS = "edge.repress"
HELP = "help"
# The first block of a whisper that had to be a direct message, so that its buttons may replace it.
WHISPER_BLOCK = "edge.whisper"

_SLACK_TOKEN = re.compile(r"<([^<>]*)>")


class Origin(StrEnum):
    """What the person did, and where: it decides how each reply reaches them."""

    COMMAND = "command"
    RERUN = "rerun"
    MESSAGE_BUTTON = "message_button"
    EPHEMERAL_BUTTON = "ephemeral_button"
    FORM_BUTTON = "form_button"
    HOME_BUTTON = "home_button"
    SUBMISSION = "submission"
    SUGGESTION = "suggestion"
    HOME_OPENED = "home_opened"


_SURFACES = {
    Origin.RERUN: Surface.EPHEMERAL,
    Origin.EPHEMERAL_BUTTON: Surface.EPHEMERAL,
    Origin.FORM_BUTTON: Surface.FORM,
    Origin.SUBMISSION: Surface.FORM,
    Origin.HOME_BUTTON: Surface.HOME,
    Origin.HOME_OPENED: Surface.HOME,
}


@dataclass(frozen=True)
class Payload:
    """One thing a person did. `name` is the subcommand, action or form; `key` makes the payload unique ("" where
    Slack sent nothing to know it by).

    `line` is the whole command after `/cs`; `value` and `picked` are the button's value and the chosen option;
    `reference` is a dumped `Ref` or "" and `is_direct` tells a whisper that had to be a direct message.
    """

    origin: Origin
    name: str
    slack_id: str
    key: str
    team_id: str = ""
    enterprise_id: str = ""
    channel: str = ""
    line: str = ""
    text: str = ""
    value: str = ""
    picked: str = ""
    reference: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)
    trigger_id: str = ""
    response_url: str = ""
    view: Mapping[str, Any] = field(default_factory=dict)
    is_direct: bool = False
    is_button: bool = True

    @property
    def surface(self) -> Surface:
        """Where the person acted, as a handler is told."""
        return _SURFACES.get(self.origin, Surface.MESSAGE)

    @property
    def is_on_home(self) -> bool:
        """Whether the person acted on the Home tab, or in a form that was opened there (from nowhere else, then)."""
        is_form = self.origin is Origin.SUBMISSION and not self.channel and not self.response_url
        return self.origin is Origin.HOME_BUTTON or is_form


def read_command(body: Mapping[str, Any]) -> Payload:
    """A slash command (form body, already parsed)."""
    line = clean_text(_text(body, "text"))
    name, text = split_line(line)
    return Payload(
        Origin.COMMAND,
        name,
        _text(body, "user_id"),
        _key("trigger", _text(body, "trigger_id")),
        team_id=_text(body, "team_id"),
        enterprise_id=_text(body, "enterprise_id"),
        channel=_text(body, "channel_id"),
        line=line,
        text=text,
        trigger_id=_text(body, "trigger_id"),
        response_url=_text(body, "response_url"),
    )


def read_action(body: Mapping[str, Any]) -> Payload:
    """A pressed button or a changed menu (block_actions). Slack sends one action at a time."""
    action: Mapping[str, Any] = next(iter(body.get("actions") or []), {})
    payload = _read_interaction(body, _origin_of(body), str(action.get("action_id", "")))
    if action.get("type") == "button":
        value = str(action.get("value") or "")
        payload = replace(payload, value=value, reference=value or payload.reference)
    else:
        found = read_element(action)
        picked = ",".join(found) if isinstance(found, list) else found or ""
        reference = picked if _is_reference(picked) else payload.reference
        payload = replace(payload, picked=picked, reference=reference, is_button=False)
    return _unfold(payload)


def read_submission(body: Mapping[str, Any]) -> Payload:
    """A submitted form (view_submission); unique by its view and the view's hash."""
    view = body.get("view") or {}
    payload = _read_interaction(body, Origin.SUBMISSION, str(view.get("callback_id", "")))
    return replace(payload, key=_key("view", _text(view, "id"), _text(view, "hash")))


def read_suggestion(body: Mapping[str, Any]) -> Payload:
    """What was typed so far into a menu that loads its options (block_suggestion)."""
    payload = _read_interaction(body, Origin.SUGGESTION, _text(body, "action_id"))
    return replace(payload, text=_text(body, "value"))


def read_home(body: Mapping[str, Any]) -> Payload:
    """Somebody opened the Home tab (event app_home_opened)."""
    user = _text(body, "event", "user")
    return Payload(
        Origin.HOME_OPENED,
        "home",
        user,
        _key("event", _text(body, "event_id")),
        team_id=_text(body, "team_id"),
        enterprise_id=_text(body, "enterprise_id"),
    )


def split_line(line: str) -> tuple[str, str]:
    """The subcommand in lower case ("" when nothing was typed) and the words after it."""
    words = line.split(maxsplit=1)
    return (words[0].lower() if words else "", words[1].strip() if len(words) > 1 else "")


def clean_text(text: str) -> str:
    """Typed text as the person typed it: entities and links undone, mentions (`<@U1|mia>`, `<#C1|sales>`) kept."""
    parts: list[str] = []
    at = 0
    for token in _SLACK_TOKEN.finditer(text):
        parts += [unescape_entities(text[at : token.start()]), _clean_token(token[1])]
        at = token.end()
    return "".join([*parts, unescape_entities(text[at:])]).strip()


def unescape_entities(text: str) -> str:
    """Slack escapes exactly three characters."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def repress_value(payload: Payload) -> str:
    """The value of a button that presses the same button once more."""
    return write_compact([payload.name, payload.value, payload.picked])


def _clean_token(inside: str) -> str:
    link, _, label = inside.partition("|")
    is_link = link.startswith(("http://", "https://", "mailto:", "tel:"))
    return unescape_entities(label or link) if is_link else f"<{inside}>"


def _read_interaction(body: Mapping[str, Any], origin: Origin, name: str) -> Payload:
    view = body.get("view") or {}
    reference, opened_from = read_metadata(_text(view, "private_metadata"))
    return Payload(
        origin,
        name,
        _text(body, "user", "id"),
        _key("trigger", _text(body, "trigger_id"), name),
        team_id=_text(body, "user", "team_id") or _text(body, "team", "id"),
        enterprise_id=_text(body, "enterprise", "id"),
        channel=_text(body, "channel", "id") or _text(body, "container", "channel_id") or opened_from.channel,
        reference=reference,
        values=read_state(view),
        trigger_id=_text(body, "trigger_id"),
        response_url=_text(body, "response_url") or opened_from.response_url,
        view=view,
        is_direct=_is_direct_whisper(body),
    )


def _origin_of(body: Mapping[str, Any]) -> Origin:
    view = body.get("view")
    if view:
        return Origin.HOME_BUTTON if view.get("type") == "home" else Origin.FORM_BUTTON
    is_ephemeral = bool((body.get("container") or {}).get("is_ephemeral")) or _is_direct_whisper(body)
    return Origin.EPHEMERAL_BUTTON if is_ephemeral else Origin.MESSAGE_BUTTON


def _is_direct_whisper(body: Mapping[str, Any]) -> bool:
    blocks = (body.get("message") or {}).get("blocks") or []
    return any(block.get("block_id") == WHISPER_BLOCK for block in blocks[:1])


def _unfold(payload: Payload) -> Payload:
    """The edge's own buttons stand for another command or another button."""
    if payload.name.startswith(RERUN):
        name, text = split_line(payload.value)
        return replace(payload, origin=Origin.RERUN, name=name, text=text, line=payload.value, value="", reference="")
    if payload.name != REPRESS:
        return payload
    try:
        name, value, picked = (str(each) for each in json.loads(payload.value))
    except (ValueError, TypeError):
        return payload
    reference = value or (picked if _is_reference(picked) else "")
    return replace(
        payload, name=name, value=value, picked=picked, reference=reference, is_button=not picked or bool(value)
    )


def _key(kind: str, id_: str, *more: str) -> str:
    return ":".join((kind, id_, *more)) if id_ else ""


def _is_reference(text: str) -> bool:
    return text.startswith('["')


def _text(body: Mapping[str, Any], *path: str) -> str:
    found: Any = body
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""
