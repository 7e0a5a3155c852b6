"""What follows an acknowledgement, handed to Slack: forms, whispers, the Home tab. Owns the fallbacks (a form that
did not open, a response_url that is used up, a channel the bot is not in); refuses channel posts, the outbox's work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.models.blocks import ButtonElement
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.slack.form_values import Json
from bot.slack.payloads import REPRESS, RERUN, Origin, Payload, repress_value
from bot.slack.transports import Effect, Transport, mark_direct
from commands.kit import actions, section
from words.reader import Reader

TIMEOUT_SECONDS = 10
_BUTTON_VALUE = 2000
_UNREACHABLE = (ClientError, TimeoutError, OSError)
_log = structlog.get_logger(__name__)


def build_client(bot_token: str, base_url: str) -> AsyncWebClient:
    """The edge's client: waits as long as a 429 asks, once, and never repeats a request whose fate is unknown."""
    return AsyncWebClient(
        token=bot_token,
        base_url=base_url,
        timeout=TIMEOUT_SECONDS,
        retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=1)],
    )


@dataclass(frozen=True)
class Sender:
    """Sends the effects of one installation."""

    client: AsyncWebClient

    async def send(self, effect: Effect, payload: Payload, reader: Reader) -> None:
        """Hand one effect to Slack. What cannot be delivered in the end is logged; the change itself is saved."""
        try:
            await self._send(effect, payload, reader)
        except (SlackApiError, *_UNREACHABLE) as error:
            _log.warning("reply not delivered", way=effect.transport.value, name=payload.name, error=str(error))

    async def _send(self, effect: Effect, payload: Payload, reader: Reader) -> None:
        match effect.transport:
            case Transport.VIEWS_OPEN | Transport.VIEWS_PUSH:
                await self._show_form(effect, payload, reader)
            case Transport.VIEWS_UPDATE:
                await self.client.views_update(view_id=str(payload.view.get("id", "")), view=effect.body["view"])
            case Transport.VIEWS_PUBLISH:
                await self.client.views_publish(user_id=payload.slack_id, view=effect.body["view"])
            case _:
                await self._respond(effect.body, payload)

    async def _show_form(self, effect: Effect, payload: Payload, reader: Reader) -> None:
        show = self.client.views_push if effect.transport is Transport.VIEWS_PUSH else self.client.views_open
        try:
            await show(trigger_id=payload.trigger_id, view=effect.body["view"])
        except (SlackApiError, *_UNREACHABLE) as error:
            if _code(error) == "exchanged_trigger_id":
                return  # the same payload came twice and the form is open already
            _log.info("form not opened", name=payload.name, error=str(error))
            await self._respond(_offer_again(payload, reader), payload)

    async def _respond(self, body: Json, payload: Payload) -> None:
        """Answer by response_url; where that is missing, expired (30 minutes) or used up (5 times), tell the person."""
        if payload.response_url:
            webhook = AsyncWebhookClient(
                payload.response_url, timeout=TIMEOUT_SECONDS, retry_handlers=self.client.retry_handlers
            )
            answered = await webhook.send_dict(body)
            if answered.status_code == 200:  # noqa: PLR2004  # HTTP's own word for yes
                return
            _log.info("response_url refused", status=answered.status_code, name=payload.name)
        await self._tell(body, payload)

    async def _tell(self, body: Json, payload: Payload) -> None:
        """Whisper in the channel where it began; where the bot cannot, as a direct message."""
        said: dict[str, Any] = {"text": body["text"], "blocks": body.get("blocks") or [section(body["text"])]}
        if payload.channel:
            try:
                await self.client.chat_postEphemeral(channel=payload.channel, user=payload.slack_id, **said)
            except SlackApiError as error:
                _log.info("no whisper in the channel", channel=payload.channel, error=_code(error))
            else:
                return
        said["blocks"] = mark_direct(said["blocks"])
        await self.client.chat_postMessage(channel=payload.slack_id, **said)


def _code(error: BaseException) -> str:
    return str(error.response.get("error", "")) if isinstance(error, SlackApiError) else type(error).__name__


def _offer_again(payload: Payload, reader: Reader) -> Json:
    """A whisper with a button that opens the form with a fresh trigger."""
    if payload.origin is Origin.FORM_BUTTON:
        sentence = reader.say("Slack was too slow to open the form. Press the button once more.")
        return _whisper(sentence)
    sentence = reader.say("Slack was too slow to open the form. It is one click away:")
    is_command = payload.origin in {Origin.COMMAND, Origin.RERUN}
    value = payload.line if is_command else repress_value(payload)
    if len(value) > _BUTTON_VALUE:
        return _whisper(reader.say("Slack was too slow to open the form. Please try once more."))
    button = ButtonElement(
        text=reader.say("Open the form"), action_id=RERUN if is_command else REPRESS, value=value, style="primary"
    )
    body = _whisper(sentence)
    return {**body, "blocks": [*body["blocks"], actions(button)]}


def _whisper(sentence: str) -> Json:
    return {
        "response_type": "ephemeral",
        "replace_original": False,
        "text": sentence,
        "blocks": [section(sentence)],
    }
