"""How long `milepost run` takes until it is ready: `uv run python -m benchmarks.start`.

The bot is a process of its own that connects over Socket Mode to a local Slack in another one. First: an empty
database, which is made, and no compiled modules. Then: the same database again. The floor is the import of Bolt and
SQLModel.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from time import perf_counter

from benchmarks.acks import open_slack
from benchmarks.report import Must, Report, read_arguments, spread

LIMIT_MS = 3_000.0
_READY = b"is ready"
_FLOOR = "import slack_bolt, sqlmodel"
_RUN = "from bot.main import main; main(['run'])"


async def time_import(environment: dict[str, str]) -> float:
    """Seconds for Python to start, import the two big libraries, and end."""
    began = perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _FLOOR, env=environment)
    assert await process.wait() == 0
    return perf_counter() - began


async def time_start(environment: dict[str, str]) -> float:
    """Seconds until `milepost run` says that it is ready."""
    began = perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _RUN, env=environment, stdout=DEVNULL, stderr=PIPE
    )
    assert process.stderr is not None
    said = b""
    while _READY not in said:
        line = await process.stderr.readline()
        said += line
        if not line:
            raise RuntimeError(said.decode())
    seconds = perf_counter() - began
    process.terminate()
    await process.communicate()
    return seconds


async def measure(rounds: int) -> Report:
    """The first start, then `rounds` warm ones."""
    report = Report(
        "Start of milepost run until it is ready", ("what", "runs", "median s", "most s", "times the floor")
    )
    with tempfile.TemporaryDirectory(prefix="milepost-benchmark-") as folder:
        async with open_slack() as (_process, told):
            environment = {
                **os.environ,
                "MILEPOST_DATABASE_URL": f"sqlite:///{folder}/milepost.db",
                "MILEPOST_SLACK_API_URL": told["api_url"],
                "MILEPOST_SLACK_BOT_TOKEN": told["bot_token"],
                "MILEPOST_SLACK_APP_TOKEN": told["app_token"],
            }
            floor = [await time_import(environment) for _ in range(rounds)]
            first = [await time_start({**environment, "PYTHONPYCACHEPREFIX": str(Path(folder) / "compiled")})]
            warm = [await time_start(environment) for _ in range(rounds)]
    middle = spread(floor).p50
    for name, seconds in ((f"python -c '{_FLOOR}'", floor), ("first start", first), ("warm start", warm)):
        each = spread(seconds)
        row = (name, each.count, round(each.p50 / 1000, 2), round(each.most / 1000, 2), round(each.p50 / middle, 2))
        report.rows.append(row)
    report.musts.append(Must("a warm start under 3000 ms (median)", spread(warm).p50, LIMIT_MS))
    return report


def main() -> None:
    """Measure, print."""
    parser = read_arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how many warm starts (default 5)")
    given = parser.parse_args()
    asyncio.run(measure(given.rounds)).show(is_json=given.json)


if __name__ == "__main__":
    main()
