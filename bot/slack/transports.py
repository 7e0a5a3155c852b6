"""How each reply reaches a person: one table of origin (payload kind and surface) and reply → transport.

Owns the table, the bodies Slack wants and what changes when a handler is late; refuses to send anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.slack.form_values import Json
from bot.slack.payloads import WHISPER_BLOCK, Origin, Payload
from bot.slack.views import Place, render_again, render_form, render_home, render_note
from commands.kit import MESSAGE_BLOCKS, OPTION_COUNT, option
from commands.slice import (
    FormErrors,
    Home,
    Message,
    OpenForm,
    Options,
    PushForm,
    Replace,
    Reply,
    UpdateForm,
    Whisper,
)
from words.reader import Reader


class Transport(StrEnum):
    """Ways to a person. ACK_* ride on the acknowledgement, the others follow it.

    WHISPER goes by response_url while that lives, else by chat.postEphemeral, else as a direct message; REPLACE by
    response_url with replace_original.
    """

    ACK_TEXT = "ack_text"
    ACK_ERRORS = "ack_errors"
    ACK_UPDATE = "ack_update"
    ACK_PUSH = "ack_push"
    ACK_OPTIONS = "ack_options"
    WHISPER = "whisper"
    REPLACE = "replace"
    VIEWS_OPEN = "views_open"
    VIEWS_PUSH = "views_push"
    VIEWS_UPDATE = "views_update"
    VIEWS_PUBLISH = "views_publish"


_T = Transport
_FROM_MESSAGE: dict[type[Reply], Transport] = {
    Whisper: _T.WHISPER,
    OpenForm: _T.VIEWS_OPEN,
    Home: _T.VIEWS_PUBLISH,
}
# The table. A pair that is not here is impossible: Slack has no way to do it.
TABLE: dict[Origin, dict[type[Reply], Transport]] = {
    Origin.COMMAND: {Whisper: _T.ACK_TEXT, OpenForm: _T.VIEWS_OPEN, Home: _T.VIEWS_PUBLISH},
    Origin.RERUN: {**_FROM_MESSAGE, Whisper: _T.REPLACE},  # it takes the place of the whisper that offered it
    Origin.MESSAGE_BUTTON: _FROM_MESSAGE,
    Origin.EPHEMERAL_BUTTON: {**_FROM_MESSAGE, Replace: _T.REPLACE},
    Origin.FORM_BUTTON: {
        Whisper: _T.WHISPER,
        PushForm: _T.VIEWS_PUSH,
        UpdateForm: _T.VIEWS_UPDATE,
        Home: _T.VIEWS_PUBLISH,
    },
    Origin.HOME_BUTTON: {Whisper: _T.WHISPER, OpenForm: _T.VIEWS_OPEN, Home: _T.VIEWS_PUBLISH},
    Origin.SUBMISSION: {
        Whisper: _T.WHISPER,
        FormErrors: _T.ACK_ERRORS,
        UpdateForm: _T.ACK_UPDATE,
        PushForm: _T.ACK_PUSH,
        Home: _T.VIEWS_PUBLISH,
    },
    Origin.SUGGESTION: {Options: _T.ACK_OPTIONS},
    Origin.HOME_OPENED: {Home: _T.VIEWS_PUBLISH},
}
REPLIES: tuple[type[Reply], ...] = (
    Whisper,
    Replace,
    OpenForm,
    PushForm,
    UpdateForm,
    FormErrors,
    Options,
    Home,
)
_ON_ACK = frozenset({_T.ACK_TEXT, _T.ACK_ERRORS, _T.ACK_UPDATE, _T.ACK_PUSH, _T.ACK_OPTIONS})
_VIEW_ACTIONS = {_T.ACK_UPDATE: "update", _T.ACK_PUSH: "push"}


class ImpossibleReplyError(TypeError):
    """A handler returned a reply that cannot reach the person from where they acted: a bug in the slice."""


@dataclass(frozen=True)
class Effect:
    """One thing to hand to Slack: the body is ready, the way is chosen."""

    transport: Transport
    body: Json


@dataclass(frozen=True)
class Plan:
    """What goes on the acknowledgement (at most one effect) and what follows it, in order."""

    ack: Effect | None = None
    after: tuple[Effect, ...] = ()


def find_transport(origin: Origin, reply: type[Reply]) -> Transport:
    """The way of a reply. Raises `ImpossibleReplyError` where Slack has none."""
    found = TABLE[origin].get(reply)
    if found is None:
        raise ImpossibleReplyError(f"{reply.__name__} cannot answer {origin.value}")
    return found


def plan(payload: Payload, replies: Sequence[Reply], reader: Reader) -> Plan:
    """Choose a way and build the body for each reply.

    One effect fits on the acknowledgement; whispers beyond it follow by response_url. Field errors stand alone,
    because they mean that nothing was saved.
    """
    errors = [reply for reply in replies if isinstance(reply, FormErrors)]
    effects = [_build(payload, reply, reader) for reply in (errors[:1] or replies)]
    on_ack = [effect for effect in effects if effect.transport in _ON_ACK]
    after = _replace_once([effect for effect in effects if effect.transport not in _ON_ACK])
    after += [_follow(effect) for effect in on_ack[1:] if effect.transport is _T.ACK_TEXT]
    return Plan(on_ack[0] if on_ack else None, tuple(after))


def ack_body(effect: Effect | None) -> Json | None:
    """What the acknowledgement carries; None for an empty one."""
    if effect is None:
        return None
    if effect.transport is _T.ACK_ERRORS:
        return {"response_action": "errors", **effect.body}
    if effect.transport in _VIEW_ACTIONS:
        return {"response_action": _VIEW_ACTIONS[effect.transport], **effect.body}
    return effect.body


def still_working(payload: Payload, reader: Reader) -> Plan:
    """What is said when the handler needs longer than Slack waits."""
    sentence = reader.say("Still working on it…")
    if payload.origin is Origin.SUBMISSION:
        return Plan(Effect(_T.ACK_UPDATE, {"view": render_note(reader, sentence)}))
    if payload.origin is Origin.SUGGESTION:
        return Plan(Effect(_T.ACK_OPTIONS, {"options": []}))
    if payload.origin is Origin.COMMAND:
        return Plan(Effect(_T.ACK_TEXT, {"response_type": "ephemeral", "text": sentence}))
    if payload.response_url:
        return Plan(after=(Effect(_T.WHISPER, _note_body(sentence)),))
    return Plan()


def postpone(chosen: Plan, payload: Payload, reader: Reader) -> tuple[Effect, ...]:
    """The effects of a plan whose acknowledgement has already gone: by response_url and views.update instead."""
    if payload.origin is Origin.SUGGESTION:
        return ()
    if payload.origin is not Origin.SUBMISSION:
        return (*((_follow(chosen.ack),) if chosen.ack else ()), *chosen.after)
    return (Effect(_T.VIEWS_UPDATE, {"view": _late_view(chosen.ack, payload, reader)}), *chosen.after)


def _late_view(ack: Effect | None, payload: Payload, reader: Reader) -> Json:
    if ack is None:
        return render_note(reader, reader.say("Done."))
    if ack.transport is _T.ACK_ERRORS:
        return render_again(payload.view, ack.body["errors"])
    view: Json = ack.body["view"]
    return view


def _build(payload: Payload, reply: Reply, reader: Reader) -> Effect:
    transport = find_transport(payload.origin, type(reply))
    return Effect(transport, _body(payload, reply, reader, transport))


def _body(payload: Payload, reply: Reply, reader: Reader, transport: Transport) -> Json:
    match reply:
        case Whisper(message) | Replace(message):
            is_new = transport is not _T.REPLACE
            return _whisper_body(message, transport) if is_new else _replace_body(message, is_direct=payload.is_direct)
        case OpenForm(view) | PushForm(view) | UpdateForm(view):
            return {"view": render_form(view, reader, Place(payload.channel, payload.response_url))}
        case FormErrors(errors):
            return {"errors": dict(errors)}
        case Options(options):
            return {"options": [option(*each).to_dict() for each in options[:OPTION_COUNT]]}
        case Home(blocks):
            return {"view": render_home(blocks)}


def _whisper_body(message: Message, transport: Transport) -> Json:
    body: Json = {"response_type": "ephemeral", "text": message.text, "blocks": list(message.blocks)}
    return body if transport is _T.ACK_TEXT else {**body, "replace_original": False}


def _replace_body(message: Message, *, is_direct: bool) -> Json:
    if is_direct:
        body: Json = {"text": message.text, "blocks": mark_direct(message.blocks)}
        return {**body, "response_type": "in_channel", "replace_original": True}
    body = {"text": message.text, "blocks": list(message.blocks)}
    return {**body, "response_type": "ephemeral", "replace_original": True}


def mark_direct(blocks: Sequence[Json]) -> list[Json]:
    """The blocks of a whisper that goes as a direct message, marked so that its buttons may replace it."""
    first = [{**block, "block_id": WHISPER_BLOCK} for block in blocks[:1]]
    return [*first, *blocks[1:MESSAGE_BLOCKS]]


def _replace_once(effects: list[Effect]) -> list[Effect]:
    """Only the first replacement replaces; what a handler says beyond it follows as whispers."""
    first = next((effect for effect in effects if effect.transport is _T.REPLACE), None)
    return [_follow(each) if each.transport is _T.REPLACE and each is not first else each for each in effects]


def _follow(effect: Effect) -> Effect:
    body = {**effect.body, "response_type": "ephemeral", "replace_original": False}
    return replace(effect, transport=_T.WHISPER, body=body)


def _note_body(sentence: str) -> Json:
    return {"response_type": "ephemeral", "replace_original": False, "text": sentence}
