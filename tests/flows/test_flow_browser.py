"""The main line with a real browser on the page of the local Slack: the message changes when somebody takes it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.flows.flow_stage import CHANNEL, CSM, open_stage

CHROMIUM = os.environ.get("MILEPOST_CHROMIUM") or shutil.which("chromium") or ""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
FLAGS += ["--disable-sync", "--no-first-run", "--disable-quic"]
SECONDS = 20_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM and not os.environ.get("CI"), reason="no Chromium on this machine"),
]


@asynccontextmanager
async def open_page(url: str) -> AsyncIterator[Page]:
    """The channel as the CSM sees it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page()
        page.set_default_timeout(SECONDS)
        await page.goto(f"{url}/?user={CSM}&channel={CHANNEL}")
        yield page
        await browser.close()


async def test_the_main_line_in_a_browser(tmp_path: Path):
    expect.set_options(timeout=SECONDS)
    async with open_stage(tmp_path) as stage, open_page(stage.slack.url) as page:
        await asyncio.to_thread(stage.import_customer)
        await stage.pass_days(3, active=40)
        await stage.pass_days(4, active=6)  # seen on Saturday, told on Monday
        alert = page.locator("#messages .message:not([data-ephemeral])", has_text="Northwind")
        await expect(alert).to_contain_text("health fell")
        await alert.get_by_role("button", name="I'm on it").click()
        await expect(alert).to_contain_text("taken by")
        await alert.get_by_role("button", name="Log what you did").click()
        await log_in_the_form(page)
        await stage.pass_days(5, active=42)
        await expect(alert).to_contain_text("recovered")
        await expect(alert.locator("[data-action-id]")).to_have_count(0)


async def log_in_the_form(page: Page) -> None:
    """Fill the form that opened, and read the whisper."""
    form = page.get_by_role("dialog")
    await form.locator("[data-block-id=value] input").fill("7.5%")
    await form.locator("[data-dialog-submit]").click()
    await expect(form).to_have_count(0)
    await expect(page.locator("#messages [data-ephemeral]").last).to_contain_text("of the way")
