"""Everything a person can do, tried by those who may not: with ids of another workspace, by a viewer, by somebody of
another team. It is refused in words and no row changes. The cases are made from what is registered, so that a new
command, button, form or menu is tried without anybody thinking of it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import select

from bot.clocks import Clocks
from bot.registry import SLICES
from bot.slack.handling import Answer, Handling
from bot.slack.installation import Installation
from bot.slack.payloads import Origin, Payload
from bot.slack.people import People
from bot.slack.routes import build_routes
from bot.wiring import with_help
from commands import help as help_page
from commands import home
from commands.accounts import account_archive, account_list, contact_forms, notes
from commands.accounts.account_list import ADD
from commands.alerts import alert_lists, mute_views
from commands.blocks.targets import OPEN_METRICS
from commands.delivery import admin_views, digest_views
from commands.people import owners, team_list
from commands.people.first_steps import OPEN_SETUP, START_JOURNEY
from commands.people.setup_form import SETUP_FORM
from commands.renewals import contract_forms, renewal_list
from commands.slice import Call, Handler, OpenForm, PushForm, Ref, Reply, UpdateForm
from commands.success import (
    checkin_lists,
    journey_forms,
    journey_list,
    measurements,
    metrics,
    risk_forms,
    risk_lists,
    target_forms,
    task_forms,
    task_lists,
)
from commands.success.metrics_forms import METRIC_FORM
from rules.errors import NotAllowedError, UserError
from rules.records import Role
from storage.db import Database, Tx
from storage.owners import save_from_slack
from storage.people.members import SlackProfile
from storage.schema import METADATA
from tests.commands.conftest import shown
from tests.conftest import NOW, add_workspace
from tests.small_company import Company, fill
from words.errors import WordsError
from words.reader import Reader

SECRET = "zebra"
"""In every text of the other workspace that nobody types here."""
NAME, EXTERNAL_ID, THEIR_CHANNEL = "Initech", "Q77", "C0INITECH01"
RENAMED = {"Acme Corp": NAME, "A1": EXTERNAL_ID, "C0ACME00001": THEIR_CHANNEL, "K1": "Q88"} | {
    word: f"{SECRET} {number}"
    for number, word in enumerate(("ACM", "Globex", "mining", "conversion", "Slow", "logins", "north"))
}
TEAM, LEAD, VIEWER = "T0000001", "U0000LEAD", "U000VIEWER"

# What names nothing that could be another workspace's, and so has nothing to refuse a lead.
NAMELESS = {
    ADD,
    account_list.NEXT,
    account_list.PREVIOUS,
    alert_lists.NEXT,
    alert_lists.BACK,
    alert_lists.FILTER,
    SETUP_FORM,
}
NAMELESS |= {help_page.ALL}
# Deeds that name nothing because they are about the whole workspace.
SWEEPING = (admin_views.PAUSE, admin_views.RETRY_ALL, admin_views.RESUME)
NAMELESS |= {*SWEEPING, admin_views.BACK, admin_views.NEXT}
NAMELESS |= {each.action for lists in (checkin_lists, task_lists, risk_lists) for each in lists.BUTTONS}
NAMELESS |= {OPEN_SETUP, START_JOURNEY, team_list.LIST, team_list.MINE, team_list.PREVIOUS, team_list.NEXT}
NAMELESS |= {team_list.UNMATCHED, owners.PREVIOUS, owners.NEXT}
NAMELESS |= {account_archive.BACK, account_archive.MORE, renewal_list.BACK, renewal_list.NEXT}
NAMELESS |= {journey_list.BACK, journey_list.NEXT}
NAMELESS |= {OPEN_METRICS, metrics.ADD, metrics.PREVIOUS, metrics.NEXT, METRIC_FORM}
NAMELESS |= {digest_views.ALL, digest_views.BACK, digest_views.MORE, home.SORT, home.PREVIOUS, home.NEXT}
NAMELESS |= {mute_views.LIST, mute_views.BACK, mute_views.NEXT, mute_views.MUTE}
# Forms whose menu, and not only their reference, names the account.
WITH_MENU = {measurements.LOG_FORM, target_forms.TARGET_FORM, task_forms.TASK_FORM, risk_forms.RISK_FORM}
WITH_MENU |= {contact_forms.CONTACT_FORM, notes.NOTE_FORM, contract_forms.CONTRACT_FORM}
WITH_MENU |= {journey_forms.START_FORM, mute_views.FORM}
# All that buttons of any kind carry besides the id, and all that forms of any kind hold.
EXTRA = {
    "metric": "conversion",
    "baseline": "5",
    "goal": "10",
    "unit": "%",
    "start_on": "2026-03-01",
    "due_on": "2026-12-31",
    "cadence": "30",
    "days": "3",
    "end": "2026-05-31",
    "version": "1",
    "template": "light",
    "started_on": "2026-03-09",
    "stage": "onboarding",
    "remedy": "raise",
}
DOINGS = ("account", "why", "assign", "dismiss", "resolve")
MENUS = {
    "episode": DOINGS,
    "account": ("contacts", "timeline", "edit", "archive", "back", "close", "start"),
    "contact": ("edit", "left", "remove"),
    "milestone": ("done", "move", "skip", "reopen", "edit", "remove"),
}
"""What the menus of each kind of thing offer."""
VALUES: dict[str, Any] = {
    "name": "Renamed",
    "external_id": "X9",
    "state": "customer",
    "tier": "B",
    "metric": "conversion",
    "kind": "level",
    "baseline": "5%",
    "goal": "10%",
    "start_on": "2026-03-01",
    "due_on": "2026-12-31",
    "cadence": "30",
    "value": "7%",
    "measured_on": "2026-03-09",
    "until": "2026-03-20",
    "owner": LEAD,
    "reason": "known",
    "note": "because",
    "verdict": "renews",
    "amount": "€84k",
    "end_on": "2026-12-31",
    "auto_renew": "no",
    "contact_role": "sponsor",
    "email": "jo@example.com",
    "country": "DE",
    "touch": "call",
    "text": "a text",
    "happened_on": "2026-03-09",
    "pulse": "4",
    "changed": "much",
    "risk": "a risk",
    "plan": "a plan",
    "step": "a step",
    "outcome": "averted",
    "template": "light",
    "started_on": "2026-03-09",
    "stage": "onboarding",
    "stage_key": "onboarding",
    "lane": "ours",
    "is_required": "no",
    "done_on": "2026-03-09",
    "shift": "yes",
    "team_channel_id": "C0NEW00001",
    "zone": "Europe/Berlin",
    "currency": "USD",
}
ROUTES = build_routes(with_help(SLICES))


@dataclass
class Outcome:
    """What a handler did: its replies, or why it refused."""

    replies: Sequence[Reply] = ()
    error: Exception | None = None

    @property
    def said(self) -> str:
        return "\n".join(shown(reply) for reply in self.replies)


@dataclass
class House:
    """Two workspaces in one database; people act in `ours` through the same edge as in production."""

    ours: Company
    theirs: Company
    outcomes: list[Outcome] = field(default_factory=list)
    stored: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        installation = Installation(self.ours.workspace_id, TEAM, "xoxb-0", team_name="Ours")
        clocks = Clocks(business=lambda: NOW, wall=lambda: NOW)
        client = AsyncWebClient(token="xoxb-0", base_url="http://127.0.0.1:9/")
        people = People(self.ours.database, installation, client, clocks, Role.CSM)
        watched = {
            name: {key: replace(each, handle=self.watch(each.handle)) for key, each in getattr(ROUTES, name).items()}
            for name in ("commands", "buttons", "forms", "choices")
        }
        self.handling = Handling(self.ours.database, replace(ROUTES, **watched), people, clocks)

    def watch(self, handle: Handler) -> Handler:
        def run(call: Call, tx: Tx) -> Sequence[Reply]:
            outcome = Outcome()
            self.outcomes.append(outcome)
            try:
                outcome.replies = handle(call, tx)
            except Exception as error:
                outcome.error = error
                raise
            return outcome.replies

        return run

    def act(self, payloads: Iterator[Payload]) -> tuple[list[Outcome], list[Answer]]:
        """Send them all; nothing stored may differ afterwards, and nothing may end as a bug."""
        before = self.stored or self.dump()
        self.outcomes = []
        answers = [self.handling.answer(payload) for payload in payloads]
        assert answers
        for outcome in self.outcomes:
            assert outcome.error is None or isinstance(outcome.error, UserError | WordsError), repr(outcome.error)
        self.stored = self.dump()
        assert {name: rows for name, rows in self.stored.items() if rows != before[name]} == {}
        return self.outcomes, answers

    def dump(self) -> dict[str, list[str]]:
        """Every row, but for what the edge itself writes down: refusals, payloads seen, people met."""
        with self.ours.database.read() as session:
            tables = {
                table.name: session.execute(select(table)).mappings().all()
                for table in METADATA.sorted_tables
                if table.name not in {"deliveries", "members"}
            }
        return {
            name: sorted(repr(dict(row)) for row in rows if not row.get("is_refused")) for name, rows in tables.items()
        }


@pytest.fixture(scope="module")
def house(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Shared by all tests here: none of them may change it."""
    folder = tmp_path_factory.mktemp("house")
    shutil.copyfile(sqlite_template, folder / "milepost.db")
    database = Database(f"sqlite:///{folder / 'milepost.db'}")
    ours, theirs = add_workspace(database, TEAM), add_workspace(database, "T0000002")
    with database.writing(ours) as tx:
        save_from_slack(tx, SlackProfile(LEAD, "Lee", is_admin=True), NOW)
        save_from_slack(tx, SlackProfile(VIEWER, "Vera", is_guest=True), NOW)
    with database.writing(theirs) as tx:
        save_from_slack(tx, SlackProfile("U0THEIRS01", SECRET), NOW)
    house = House(fill(database, ours, folder / "ours"), fill(database, theirs, folder / "theirs", RENAMED))
    assert all(house.theirs.ids()[kind] for kind in ("account", "target", "measurement", "episode", "alert_event"))
    yield house
    database.close()


# ---------------------------------------------------------------- the cases


def tell(origin: Origin, name: str, slack_id: str = LEAD, **more: Any) -> Payload:
    more.setdefault("channel", THEIR_CHANNEL)
    return Payload(origin, name, slack_id, "", team_id=TEAM, **more)


def references(company: Company) -> Iterator[tuple[str, str]]:
    """(id, reference) of one thing of each kind in the company, as any button or form might carry it."""
    for kind, ids in company.ids().items():
        for id_ in ids[:1]:
            doings = MENUS.get(kind, DOINGS[:1])
            yield from ((id_, Ref(kind, id_, EXTRA | {"do": do}).dump()) for do in doings)


def presses(name: str, company: Company, slack_id: str) -> Iterator[Payload]:
    for id_, reference in references(company):
        yield tell(Origin.EPHEMERAL_BUTTON, name, slack_id, reference=reference)
        yield tell(Origin.HOME_BUTTON, name, slack_id, reference=reference, picked=id_)


def submissions(name: str, company: Company, slack_id: str) -> Iterator[Payload]:
    own = Ref("account", "").dump()
    for id_, reference in references(company):
        yield tell(Origin.SUBMISSION, name, slack_id, reference=reference, values=VALUES)
        if name in WITH_MENU:
            yield tell(Origin.SUBMISSION, name, slack_id, reference=own, values=VALUES | {"account": id_})


def lines(name: str, texts: Sequence[str], slack_id: str) -> Iterator[Payload]:
    for text in texts:
        yield tell(Origin.COMMAND, name, slack_id, text=text, line=f"{name} {text}")


# ---------------------------------------------------------------- ids of another workspace


@pytest.mark.parametrize("name", sorted(set(ROUTES.buttons) - NAMELESS))
def test_a_button_finds_nothing_of_another_workspace(house: House, name: str):
    outcomes, _answers = house.act(presses(name, house.theirs, LEAD))
    assert [outcome.said for outcome in outcomes if outcome.error is None] == []
    assert not any(isinstance(outcome.error, NotAllowedError) for outcome in outcomes), "it says that it exists"


@pytest.mark.parametrize("name", sorted(set(ROUTES.forms) - NAMELESS))
def test_a_form_finds_nothing_of_another_workspace(house: House, name: str):
    outcomes, _answers = house.act(submissions(name, house.theirs, LEAD))
    assert [outcome.said for outcome in outcomes if outcome.error is None] == []


@pytest.mark.parametrize("name", sorted(ROUTES.choices))
def test_a_menu_offers_nothing_of_another_workspace(house: House, name: str):
    texts = ("", SECRET[:-1], NAME[:-1], EXTERNAL_ID)  # beginnings: a menu may offer what was typed as new
    cases = (
        tell(Origin.SUGGESTION, name, text=text, reference=reference)
        for _id, reference in references(house.theirs)
        for text in texts
    )
    outcomes, _answers = house.act(cases)
    assert not any(SECRET in outcome.said or NAME in outcome.said for outcome in outcomes)


@pytest.mark.parametrize("name", sorted(set(ROUTES.commands) - {"add"}))
def test_a_command_knows_nothing_of_another_workspace(house: House, name: str):
    ids = house.theirs.ids()
    named = [NAME, EXTERNAL_ID, ids["account"][0], ids["episode"][0]]
    verbs = ("", "take ", "snooze ", "assign ", "dismiss ", "resolve ", "why ", "mute ", "unmute ", "all ", "closed ")
    ends = ("conversion 7%", "conversion from 5% to 10% by 2026-12-31")
    texts = [f"{verb}{each}" for verb in verbs for each in named] + [f"{each} {end}" for end in ends for each in named]
    outcomes, _answers = house.act(lines(name, texts, LEAD))
    assert not any(SECRET in outcome.said for outcome in outcomes)
    assert not any(isinstance(outcome.error, NotAllowedError) for outcome in outcomes), "it says that it exists"


@pytest.mark.parametrize(
    "name", [*sorted(NAMELESS & set(ROUTES.buttons) - {*SWEEPING}), "home", "list", "alerts", "health"]
)
def test_a_list_shows_nothing_of_another_workspace(house: House, name: str):
    texts = [Ref("page", "", {"text": text, "which": text, "at": "0", "page": "1"}).dump() for text in ("", "all")]
    if name in ROUTES.buttons:
        cases: Iterator[Payload] = (tell(Origin.EPHEMERAL_BUTTON, name, reference=text) for text in texts)
    elif name == "home":
        cases = iter([tell(Origin.HOME_OPENED, name)])
    else:
        cases = lines(name, ["", "all", "closed", "mine"], LEAD)
    _outcomes, answers = house.act(cases)
    assert SECRET not in repr(answers)
    assert NAME not in repr(answers)


def test_a_deed_on_the_whole_workspace_leaves_another_alone(house: House):
    def dump_theirs() -> list[str]:
        return [row for rows in house.dump().values() for row in rows if house.theirs.workspace_id in row]

    before = dump_theirs()
    house.outcomes = []
    for name in SWEEPING:
        house.handling.answer(tell(Origin.EPHEMERAL_BUTTON, name, reference=Ref("page", "").dump()))
    assert [each.error for each in house.outcomes] == [None] * len(SWEEPING)
    assert before
    assert dump_theirs() == before
    house.stored = house.dump()


@pytest.mark.parametrize("kind", sorted({kind for each in SLICES for kind in each.renders}))
def test_a_message_is_not_drawn_for_another_workspace(house: House, kind: str):
    [render] = [each.renders[kind] for each in SLICES if kind in each.renders]
    with house.ours.database.reading(house.ours.workspace_id) as tx:
        drawn = [render(id_, tx, Reader()) for ids in house.theirs.ids().values() for id_ in ids]
    assert set(drawn) == {None}


# ---------------------------------------------------------------- a viewer


def forms_to_fill(outcomes: Sequence[Outcome]) -> list[str]:
    replies = [reply for outcome in outcomes for reply in outcome.replies]
    views = [reply.view for reply in replies if isinstance(reply, OpenForm | PushForm | UpdateForm)]
    return [view.form for view in views if view.submit]


@pytest.mark.parametrize("name", sorted(ROUTES.buttons))
def test_a_viewer_changes_nothing_by_a_button(house: House, name: str):
    outcomes, _answers = house.act(presses(name, house.ours, VIEWER))
    assert forms_to_fill(outcomes) == []
    if ROUTES.buttons[name].access != "reads":
        assert [outcome.said for outcome in outcomes if outcome.error is None] == []
        assert any(isinstance(outcome.error, NotAllowedError) for outcome in outcomes)


@pytest.mark.parametrize("name", sorted(ROUTES.forms))
def test_a_viewer_changes_nothing_by_a_form(house: House, name: str):
    outcomes, _answers = house.act(submissions(name, house.ours, VIEWER))
    assert [outcome.said for outcome in outcomes if outcome.error is None] == []
    assert any(isinstance(outcome.error, NotAllowedError) for outcome in outcomes)


@pytest.mark.parametrize("name", sorted(ROUTES.commands))
def test_a_viewer_changes_nothing_by_a_command(house: House, name: str):
    examples = [example.removeprefix(name).strip() for example in ROUTES.commands[name].examples]
    verbs = [f"{verb} acme" for verb in ("take", "assign", "dismiss", "resolve", "snooze")]
    outcomes, _answers = house.act(lines(name, ["", "acme", *verbs, *examples], VIEWER))
    assert forms_to_fill(outcomes) == []


# ---------------------------------------------------------------- somebody of another team


def test_nobody_of_another_team_gets_as_far_as_a_handler(house: House):
    cases = [
        *(tell(Origin.COMMAND, name) for name in ROUTES.commands),
        *(tell(Origin.MESSAGE_BUTTON, name) for name in ROUTES.buttons),
        *(tell(Origin.SUBMISSION, name, values=VALUES) for name in ROUTES.forms),
        *(tell(Origin.SUGGESTION, name) for name in ROUTES.choices),
        tell(Origin.HOME_OPENED, "home"),
    ]
    outcomes, answers = house.act(replace(payload, team_id="T0OUTSIDE") for payload in cases)
    assert outcomes == []
    assert all(answer.plan.ack or answer.plan.after for answer in answers)
