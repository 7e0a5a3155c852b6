"""The pictures of the README: the demo is started in a temporary folder and its page photographed.

`uv run python docs/pictures.py` writes them to docs/images. Seed, start, language and size are fixed, and the clock
times of messages (which are the machine's) are left out, so that a picture changes only when what it shows does. Needs
a Chromium: MILEPOST_CHROMIUM, or one on the path.
"""
# ruff: noqa: INP001  # a script among documents, not a package

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from bot.demo.sample.company import SampleCompany
from bot.demo.show import SEED, Demo, open_demo
from bot.demo.team import ALERTS, CSMS, LEAD, list_owner_emails

IMAGES = Path(__file__).parent / "images"
START = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)
WIDE, PHONE = (1100, 720), (390, 844)
BROWSER_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
STILL = "time.stamp { display: none } * { caret-color: transparent !important }"
HOME, DIRECT = "home", "direct"
FORM = "[role=dialog]"
WAIT_MILLISECONDS, SETTLE_MILLISECONDS = 15_000, 800


@dataclass(frozen=True)
class Picture:
    """One picture: what `user` sees at `place` (a channel's id, `HOME` or `DIRECT`).

    Args:
        command: typed first, after `/cs`; names in braces are sample customers.
        shows: a selector of what must be in view.
    """

    name: str
    user: str
    place: str
    shows: str
    command: str = ""
    size: tuple[int, int] = WIDE
    is_dark: bool = False


PICTURES = (
    Picture("alert", CSMS[1], ALERTS, ".message:has-text('Why'):has-text('health fell')"),
    Picture("digest", CSMS[0], DIRECT, ".message:has-text('things need you')"),
    Picture("checkin", CSMS[0], ALERTS, FORM, command="checkin {near}"),
    Picture("journey", CSMS[0], ALERTS, ".message[data-ephemeral]", command="journey {new}"),
    Picture("renewals", LEAD, ALERTS, ".message:has(table)"),
    Picture("home", CSMS[0], HOME, "#home"),
    Picture("phone", CSMS[0], ALERTS, ".message[data-ephemeral]", command="show {near}", size=PHONE, is_dark=True),
)


def name_customers(company: SampleCompany) -> Mapping[str, str]:
    """The sample customers that commands name: of the first CSM where they have one of that story."""
    first = list_owner_emails()[0]
    stories = {"near": "decides soon", "new": "onboarding"}
    return {
        key: min(company.of_story(story), key=lambda each: each.owner_email != first).name
        for key, story in stories.items()
    }


async def take_all(folder: Path) -> None:
    """Start the demo in `folder` and write every picture."""
    executable = os.environ.get("MILEPOST_CHROMIUM") or shutil.which("chromium")
    async with open_demo(folder, seed=SEED, start=START) as demo, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=BROWSER_FLAGS)
        for picture in PICTURES:
            size = await take(demo, browser, picture)
            sys.stdout.write(f"{picture.name}.png {size / 1000:.0f} kB\n")
        await browser.close()


async def take(demo: Demo, browser: Browser, picture: Picture) -> int:
    """Write one picture; returns its size in bytes."""
    width, height = picture.size
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if picture.is_dark else "light",
        locale="en-GB",
        timezone_id="UTC",
        bypass_csp=True,  # for the style that leaves out the times
    )
    page = await context.new_page()
    page.set_default_timeout(WAIT_MILLISECONDS)
    await go_to(page, demo, picture)
    if picture.command:
        typed = picture.command.format_map(name_customers(demo.ledger.company))
        await demo.hands.act("command", user=picture.user, channel=ALERTS, text=f"/cs {typed}")
    await show(page, picture)
    path = IMAGES / f"{picture.name}.png"
    await page.screenshot(path=path, animations="disabled")
    await close(demo, page, picture)
    await context.close()
    return path.stat().st_size


async def go_to(page: Page, demo: Demo, picture: Picture) -> None:
    """Open the page as the person, at the place."""
    (app,) = demo.slack.core.workspace.list_apps()
    place = picture.place if picture.place == ALERTS else app.app_id
    await page.goto(f"{demo.slack.url}/?user={picture.user}&channel={place}")
    if picture.place == DIRECT:
        await page.get_by_role("tab", name="Messages").click()
    await page.add_style_tag(content=STILL)


async def show(page: Page, picture: Picture) -> None:
    """Wait for what the picture shows, and bring its beginning into view."""
    shown = page.locator(picture.shows).last
    await shown.wait_for(state="visible")
    await page.wait_for_timeout(SETTLE_MILLISECONDS)  # the page goes to the newest message by itself
    if picture.shows != FORM:
        await shown.evaluate("node => node.scrollIntoView({ block: 'start' })")
    await page.evaluate("document.activeElement?.blur()")


async def close(demo: Demo, page: Page, picture: Picture) -> None:
    """Leave nothing behind for the next picture."""
    if picture.shows == FORM:
        await page.get_by_role("button", name="Cancel").click()
    demo.hands.dismiss_notes()


def main() -> None:
    """Write all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="milepost-pictures-") as folder:
        asyncio.run(take_all(Path(folder)))


if __name__ == "__main__":
    main()
