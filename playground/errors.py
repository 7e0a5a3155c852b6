"""The refusals of the local Slack, in Slack's own codes.

Owns how a refusal looks on the wire; the raising modules own when it happens.
"""

from __future__ import annotations

from typing import Any


class PlaygroundError(Exception):
    """Root of everything the playground raises on purpose."""


class RefusalError(PlaygroundError):
    """A Web API call that Slack would answer with `ok: false`.

    Args:
        code: Slack's error code, such as `channel_not_found`.
        messages: sentences for `response_metadata.messages`.
        extra: further top-level fields of the answer (`needed`, `provided` …).
    """

    def __init__(self, code: str, messages: list[str] | None = None, **extra: Any) -> None:
        super().__init__(f"{code}: {'; '.join(messages)}" if messages else code)
        self.code = code
        self.messages = messages or []
        self.extra = extra

    def to_json(self) -> dict[str, Any]:
        """The body of the answer."""
        body: dict[str, Any] = {"ok": False, "error": self.code, **self.extra}
        if self.messages:
            body["errors"] = [message.removeprefix("[ERROR] ") for message in self.messages]
            body["response_metadata"] = {"messages": self.messages}
        return body


class ActError(PlaygroundError):
    """An act of the control API or the page that a person in Slack could not do; the text says why."""


class ManifestError(PlaygroundError):
    """An app manifest that the playground cannot install; the text names the field."""
