"""A Slack that answers every post after a fixed time, in a process of its own: what `benchmarks.delivery` sends to.

Standard output: one JSON line with its address, then, for each line of standard input, what came since the last one, as
[seconds, channel, key] per message. Owns the answer's delay; checks nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from aiohttp import web


class Stub:
    """Accepts whatever is posted."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._came: list[tuple[float, str, str]] = []

    async def answer(self, request: web.Request) -> web.Response:
        """Note the message, wait, say that it stands."""
        at = time.monotonic()
        body = await request.json()
        self._came.append((at, body["channel"], body["metadata"]["event_payload"]["key"]))
        ts = f"{1_700_000_000 + len(self._came)}.000100"
        await asyncio.sleep(self._seconds)
        return web.json_response({"ok": True, "channel": body["channel"], "ts": ts})

    def take(self) -> list[tuple[float, str, str]]:
        """What came since the last call."""
        came, self._came = self._came, []
        return came


async def serve(seconds: float) -> None:
    """Until standard input ends."""
    stub = Stub(seconds)
    app = web.Application()
    app.router.add_post("/api/{method}", stub.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(json.dumps(f"http://127.0.0.1:{runner.addresses[0][1]}/api/"), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(stub.take()), flush=True)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
