"""What somebody does on the Home tab shows on it at once."""

from __future__ import annotations

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.clocks import Clocks
from bot.registry import SLICES
from bot.slack.handling import Handling
from bot.slack.installation import Installation
from bot.slack.payloads import Origin, Payload
from bot.slack.people import People
from bot.slack.routes import build_routes
from bot.slack.transports import Transport
from bot.wiring import with_help
from commands.slice import Ref
from rules.records import Role
from storage.db import Database
from storage.owners import save_from_slack
from storage.people.members import SlackProfile
from storage.success.tasks import get_task
from tests.agenda_rows import add_task
from tests.alert_rows import add_account
from tests.conftest import NOW, add_workspace

TEAM, ADA = "T0000001", "U0000001"


@pytest.fixture
def handling(sqlite_database: Database) -> Handling:
    workspace_id = add_workspace(sqlite_database, TEAM)
    with sqlite_database.writing(workspace_id) as tx:
        member = save_from_slack(tx, SlackProfile(ADA, "Ada", is_admin=True), NOW)
        add_account(tx, "acme", owner_id=member.id)
        add_task(tx, "acme", "Call them", id="call")
        add_task(tx, "acme", "Write to them", id="write")
    installation = Installation(workspace_id, TEAM, "xoxb-0", team_name="Ours")
    clocks = Clocks(business=lambda: NOW, wall=lambda: NOW)
    client = AsyncWebClient(token="xoxb-0", base_url="http://127.0.0.1:9/")
    people = People(sqlite_database, installation, client, clocks, Role.CSM)
    return Handling(sqlite_database, build_routes(with_help(SLICES)), people, clocks)


def press(handling: Handling, origin: Origin, name: str, ref: Ref, **more: str) -> dict[Transport, str]:
    """What goes out, by its way."""
    payload = Payload(origin, name, ADA, f"trigger:{name}", team_id=TEAM, reference=ref.dump(), **more)
    chosen = handling.answer(payload).plan
    effects = [*([chosen.ack] if chosen.ack else []), *chosen.after]
    return {effect.transport: str(effect.body) for effect in effects}


def test_a_deed_is_answered_and_the_page_published_anew(handling: Handling):
    sent = press(handling, Origin.HOME_BUTTON, "digests.done", Ref("task", "call"))
    assert "Call them" in sent[Transport.WHISPER]
    assert "Call them" not in sent[Transport.VIEWS_PUBLISH]
    assert "Write to them" in sent[Transport.VIEWS_PUBLISH]
    with handling.database.reading(handling.people.installation.workspace_id) as tx:
        assert get_task(tx, "call").done_at == NOW


def test_turning_and_reading_publish_once_or_not_at_all(handling: Handling):
    turned = press(handling, Origin.HOME_BUTTON, "home.sort", Ref("home", "", {"by": "renewal"}))
    assert set(turned) == {Transport.VIEWS_PUBLISH}
    read = press(handling, Origin.HOME_BUTTON, "accounts.show", Ref("account", "acme"))
    assert Transport.VIEWS_PUBLISH not in read


def test_a_refusal_leaves_the_page_alone(handling: Handling):
    assert set(press(handling, Origin.HOME_BUTTON, "digests.done", Ref("task", "gone"))) == {Transport.WHISPER}


def test_a_deed_elsewhere_leaves_the_page_alone(handling: Handling):
    sent = press(handling, Origin.EPHEMERAL_BUTTON, "digests.done", Ref("task", "call"), channel="C1")
    assert Transport.VIEWS_PUBLISH not in sent
