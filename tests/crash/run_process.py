"""Servers to be killed: for each line on standard input, an ISO business moment, a process that serves as
`milepost run` does, in a hurry. Prints the id of each process, and "ready" once it serves.

All are forked from one process that has imported everything, so that a start takes a fraction of a second. What to
serve stands in the environment, as for `milepost run`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime

from bot.clocks import Clocks, MovableClock, read_wall
from bot.serving import connect
from bot.settings import Settings
from bot.wiring import wire
from rules.delivery.outbox import Pace

PACE = Pace(lease=1.0, settle=0.4, spacing=0.01, poll=0.05, timeout=0.4, sweep=1.0)
TICK_SECONDS, LEASE_SECONDS = 0.2, 0.8


async def serve(moment: datetime, say: Callable[[str], None]) -> None:
    """Serve until killed; the business clock goes on from `moment`."""
    clocks = Clocks(MovableClock(read_wall, moment - read_wall()), read_wall)
    server = await connect(wire(Settings(), clocks=clocks), pace=PACE)
    server.scheduler.tick_seconds, server.scheduler.lease_seconds = TICK_SECONDS, LEASE_SECONDS
    await server.start()
    say("ready")
    await asyncio.Event().wait()


def main() -> None:
    """Fork for each line, until there are no more."""
    test = os.dup(1)
    os.dup2(2, 1)  # where the log goes

    def say(line: str) -> None:
        os.write(test, f"{line}\n".encode())

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            asyncio.run(serve(datetime.fromisoformat(line.strip()), say))
            os._exit(0)
        say(str(pid))


if __name__ == "__main__":
    main()
