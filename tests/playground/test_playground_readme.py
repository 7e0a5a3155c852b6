"""The README is true: it names every endpoint and method, and the command it gives starts."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import aiohttp

from playground.methods import METHODS
from playground.server import Playground

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "playground" / "README.md").read_text(encoding="utf-8")


def test_every_method_is_listed_and_none_that_is_not_there():
    listed = set()
    for family, names in re.findall(
        r"`([a-z]+(?:\.[a-z]+)?)\.([a-zA-Z|]+)`", README.split("Web API: ")[1].split("##")[0]
    ):
        listed |= {f"{family}.{name}" for name in names.split("|")}
    assert listed == set(METHODS)


async def test_every_endpoint_is_shown_with_curl_and_exists(slack: Playground):
    shown = {f"/_play/{name}" for name in re.findall(r"\$P/_play/(\w+)", README)}
    async with aiohttp.ClientSession() as session:
        for path in shown:
            verb = "POST" if re.search(rf"-d .*{path}\b", README) else "GET"
            async with session.request(verb, slack.url + path) as response:
                assert response.status in {200, 400}, path
    runner = slack._runner
    assert runner is not None
    assert runner.app is not None
    served = {str(route.resource.canonical) for route in runner.app.router.routes() if route.resource}
    assert {path for path in served if path.startswith("/_play/")} == shown


async def test_the_command_starts_a_playground(tmp_path: Path, manifest: dict[str, Any]):
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    words = (sys.executable, "-m", "playground", str(path), "--channel", "random")
    process = await asyncio.create_subprocess_exec(*words, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    facts = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    async with aiohttp.ClientSession() as session, session.get(f"{facts['url']}/_play/channels") as response:
        channels = {one["name"]: one["members"] for one in (await response.json())["channels"]}
    process.terminate()
    await process.wait()
    assert facts["bot_user_id"] in channels["random"]
    assert facts["bot_user_id"] not in channels["general"]
