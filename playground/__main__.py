"""`python -m playground MANIFEST.json [--port N] [--channel NAME]`: a local Slack with one app, until Ctrl-C.

Owns the command line only. Prints one JSON line with the addresses and the app's tokens, which are worthless
anywhere else.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from playground.seed import default_seed
from playground.server import Playground


def read_command_line(words: list[str]) -> argparse.Namespace:
    """The arguments; exits with usage when they are wrong."""
    parser = argparse.ArgumentParser(prog="python -m playground", description="A local, throwaway Slack.")
    parser.add_argument("manifest", type=Path, help="the app's manifest, as JSON")
    parser.add_argument("--port", type=int, default=0, help="where to listen on 127.0.0.1 (default: a free port)")
    parser.add_argument("--channel", default="general", help="the channel the bot joins (default: general)")
    return parser.parse_args(words)


async def run(manifest: dict[str, Any], port: int, channel: str) -> None:
    """Serve until cancelled."""
    seed = default_seed()
    async with Playground(seed, port) as slack:
        installed = slack.install(manifest, seed.users[0].id)
        slack.join(channel, installed.bot_user_id)
        facts = {"url": slack.url, "api_url": slack.api_url, **asdict(installed)}
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    """Run from the command line."""
    given = read_command_line(sys.argv[1:])
    manifest = json.loads(given.manifest.read_text(encoding="utf-8"))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(manifest, given.port, given.channel))


if __name__ == "__main__":
    main()
