"""Checks of what Slack answers: token, scopes, Socket Mode, clock, channels. Owns what is fine and what is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.doctor.findings import Finding, fail, ok, warn
from bot.slack.manifest import SCOPES
from bot.slack.probe import BotAnswer, ChannelAnswer

# Slack's signatures are refused after five minutes; a minute off already makes times in messages wrong.
_WARN_SECONDS, _FAIL_SECONDS = 60, 300
_REINSTALL = "Paste manifest.yml into the app's settings at api.slack.com/apps (App Manifest) and install it again."


def judge_bot(answer: BotAnswer) -> Finding:
    """The bot token."""
    if answer.error.startswith("unreachable"):
        return fail("bot token", f"Slack is {answer.error}", "Check the network, proxy and MILEPOST_SLACK_API_URL.")
    if answer.error:
        to_do = "Copy the Bot User OAuth Token (xoxb-…) from OAuth & Permissions into MILEPOST_SLACK_BOT_TOKEN."
        return fail("bot token", f"Slack refuses it ({answer.error})", to_do)
    return ok("bot token", f"it speaks for {answer.team} ({answer.team_id})")


def judge_scopes(answer: BotAnswer) -> Iterator[Finding]:
    """Each scope that is missing, with what it is for."""
    if answer.error or answer.scopes is None:
        return
    missing = sorted(SCOPES.keys() - answer.scopes)
    if not missing:
        yield ok("scopes", f"all {len(SCOPES)} are granted")
    for scope in missing:
        yield fail("scopes", f"{scope} is missing: {SCOPES[scope]}", _REINSTALL)


def judge_app(error: str) -> Finding:
    """The app-level token."""
    if not error:
        return ok("Socket Mode", "the app token opens a connection")
    to_do = (
        "Make an app-level token with connections:write under Basic Information, set MILEPOST_SLACK_APP_TOKEN "
        "(xapp-…), and switch Socket Mode on."
    )
    return fail("Socket Mode", f"Slack refuses the app token ({error})", to_do)


def judge_clock(answer: BotAnswer, now: datetime) -> Iterator[Finding]:
    """This machine's clock against Slack's."""
    if answer.slack_time is None:
        return
    seconds = abs((now - answer.slack_time).total_seconds())
    to_do = "Switch time synchronisation on (for instance: timedatectl set-ntp true)."
    if seconds >= _FAIL_SECONDS:
        yield fail("clock", f"{seconds:.0f} s away from Slack's: its requests over HTTP would be refused", to_do)
    elif seconds >= _WARN_SECONDS:
        yield warn("clock", f"{seconds:.0f} s away from Slack's", to_do)
    else:
        yield ok("clock", "in step with Slack's")


def judge_channels(answers: Sequence[ChannelAnswer]) -> Iterator[Finding]:
    """Each channel that cannot be posted in, or one line for all that can."""
    faults = [found for answer in answers if (found := _judge_channel(answer)) is not None]
    yield from faults
    if answers and not faults:
        yield ok("channels", f"Milepost can post in {len(answers)}")


def _judge_channel(answer: ChannelAnswer) -> Finding | None:
    name = f"#{answer.name}" if answer.name else answer.channel
    choose = "Choose another one: `/cs setup` for the team's, `/cs edit` for an account's."
    if answer.error in {"channel_not_found", "missing_scope"}:
        return fail("channels", f"{name} is not there, or private without Milepost", f"Invite Milepost, or: {choose}")
    if answer.error:
        return warn("channels", f"{name} could not be looked at ({answer.error})", "Try again in a minute.")
    if answer.is_archived:
        return fail("channels", f"{name} is archived", choose)
    if answer.is_private and not answer.is_member:
        return fail(
            "channels", f"Milepost is not in the private channel {name}", f"There, type /invite @Milepost. {choose}"
        )
    return None
