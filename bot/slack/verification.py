"""Signatures of HTTP requests. Owns that two signing secrets are accepted during a rotation and that a refused
request is logged without its body (Bolt's own middleware logs all of it).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier

_log = structlog.get_logger(__name__)


class Verification(AsyncMiddleware):
    """Lets signed requests (and Socket Mode, which needs none) pass; 401 for all others."""

    def __init__(self, signing_secrets: Sequence[str]) -> None:
        self._verifiers = [SignatureVerifier(secret) for secret in signing_secrets if secret]

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002  # Bolt's name
    ) -> BoltResponse:
        """Bolt's hook. A timestamp older or newer than five minutes is refused too."""
        if req.mode == "socket_mode" or self._is_signed(req):
            await next()
            return resp
        _log.warning("request refused: its signature is missing, wrong or old")
        return BoltResponse(status=401, body={"error": "invalid request"})

    def _is_signed(self, req: AsyncBoltRequest) -> bool:
        stamp = req.headers.get("x-slack-request-timestamp", ["0"])[0]
        signature = req.headers.get("x-slack-signature", [""])[0]
        if not stamp.isdigit():
            return False
        return any(verifier.is_valid(req.raw_body, stamp, signature) for verifier in self._verifiers)
