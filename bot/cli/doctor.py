"""`milepost doctor`: is everything set up, reachable and in step? Owns how the findings are shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from bot.clocks import real_clocks
from bot.doctor.examine import examine
from bot.doctor.findings import Finding, Verdict, is_broken
from bot.settings import Settings
from storage.db import Database

_MARKS = {Verdict.OK: "✓", Verdict.WARN: "!", Verdict.FAIL: "✗"}


def doctor(*, is_json: Annotated[bool, typer.Option("--json", help="One JSON document for machines.")] = False) -> None:
    """Check tokens, scopes, channels, database, clock and backlog. Exit code 1: something is broken."""
    settings = Settings()
    found = asyncio.run(examine(settings, Database(settings.database_url), real_clocks()))
    console = Console(soft_wrap=True)
    if is_json:
        console.print_json(json.dumps([asdict(each) for each in found]))
    else:
        show_findings(console, found)
        console.print(_sum_up(found), highlight=False, markup=False)
    if is_broken(found):
        raise typer.Exit(1)


def show_findings(console: Console, found: Sequence[Finding]) -> None:
    """A line for each, and below it what to do."""
    for each in found:
        console.print(f"{_MARKS[each.verdict]} {each.about}: {each.said}", highlight=False, markup=False)
        if each.to_do:
            console.print(f"    {each.to_do}", highlight=False, markup=False)


def _sum_up(found: Sequence[Finding]) -> str:
    failed = sum(each.verdict is Verdict.FAIL for each in found)
    warned = sum(each.verdict is Verdict.WARN for each in found)
    if not failed and not warned:
        return "Everything is in order."
    return f"{failed} broken, {warned} worth a look."
