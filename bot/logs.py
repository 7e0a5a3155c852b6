"""Log lines: structured, for people or machines. Owns the set-up; refuses secrets.

Slack's tokens and response URLs are masked wherever they appear, whoever logs them.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from bot.settings import Settings

_SECRETS = re.compile(r"xox[a-z]-[\w-]+|xapp-[\w-]+|https://hooks\.slack\.com/\S+")


def mask(text: str) -> str:
    """`text` with every Slack token and response URL replaced by `***`."""
    return _SECRETS.sub("***", text)


def _mask_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: mask(value) if isinstance(value, str) else value for name, value in event.items()}


_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _mask_event,
]


class _MaskedFormatter(structlog.stdlib.ProcessorFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


def configure_logs(settings: Settings) -> None:
    """Send every log line, the libraries' too, to standard error in the chosen format."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(_MaskedFormatter(foreign_pre_chain=_SHARED, processors=_endings(settings.log_format)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a tick skipped while another runs is no news
    for noisy in ("alembic", "slack_bolt", "slack_sdk", "aiohttp.access", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


def _endings(log_format: str) -> list[structlog.typing.Processor]:
    """The last steps of a line. Plain tracebacks: fast, and without the values of variables, which may be secrets."""
    meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if log_format == "json":
        return [meta, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    plain = structlog.dev.plain_traceback
    return [meta, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
