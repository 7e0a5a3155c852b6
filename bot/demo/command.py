"""`milepost demo`: try Milepost on this machine, without a Slack workspace."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from bot.demo.show import show
from bot.logs import configure_logs
from bot.settings import Settings


def demo(
    *,
    port: Annotated[int, typer.Option(help="Port of the local Slack; 0 takes a free one.")] = 8484,
    browser: Annotated[bool, typer.Option(help="Open the page.")] = True,
    data: Annotated[
        Path | None, typer.Option(help="Keep files and database here (an earlier demo there is replaced).")
    ] = None,
) -> None:
    """Start a local Slack with Milepost and a sample company in it. Nothing leaves this machine."""
    configure_logs(Settings(log_level="WARNING"))
    with contextlib.suppress(KeyboardInterrupt), _folder(data) as folder:
        asyncio.run(show(folder, port=port, is_opening_browser=browser))


@contextlib.contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        yield data.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="milepost-demo-") as name:
        yield Path(name)
