"""`/cs list`, `/cs show`, `/cs add`: pages, cards, accounts stored, changed and taken back."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlmodel import select

from commands.accounts.account_card import ALERTS, HEALTH
from commands.accounts.account_edits import open_edit
from commands.accounts.account_forms import ACCOUNT_FORM
from commands.accounts.account_list import ADD, NEXT, PAGE_LENGTH, PREVIOUS
from commands.accounts.accounts import (
    UNDO,
    add,
    list_,
    open_add,
    show,
    show_alerts,
    show_health,
    show_pressed,
    submit,
    turn_page,
    undo,
)
from commands.naming import choose_accounts
from commands.slice import Options, Ref, Replace
from commands.success.measurements import log
from commands.success.targets import target
from rules.errors import NotAllowedError, StaleError, UserError
from rules.records import AccountState, AlertKind, Band, EpisodeState, Role, Tier
from storage.accounts.accounts import AccountRow, list_aliases
from storage.audit import AuditRow
from storage.errors import NotFoundError
from storage.health.health import HealthScoreRow
from storage.renewals.contracts import ContractRow
from tests.alert_rows import add_episode
from tests.commands.conftest import Desk, find_ref, get_form, get_message, initial_values, shown

TODAY = date(2026, 3, 10)


def accounts(desk: Desk) -> list[AccountRow]:
    desk.tx.session.expire_all()
    return list(desk.tx.session.exec(select(AccountRow).order_by(AccountRow.name)))


def score(desk: Desk, account: AccountRow, value: float, band: Band) -> None:
    row = {"account_id": account.id, "day": TODAY, "score": value, "band": band, "coverage": 1.0, "factors": {}}
    desk.tx.session.add(HealthScoreRow(workspace_id=desk.tx.workspace_id, **row))
    desk.tx.session.flush()


# ---------------------------------------------------------------- list


def test_an_empty_list_says_how_to_begin(desk: Desk):
    replies = desk.do(list_)
    assert "milepost import accounts" in get_message(replies).text
    assert find_ref(replies, ADD) == Ref("account", "")
    assert "There are no accounts yet" in desk.say(list_, "red")


def test_a_list_shows_health_renewal_and_owner(desk: Desk):
    owner = desk.add_member("U0000007", name="Grace")
    acme = desk.add_account("Acme", tier=Tier.A, owner_id=owner.id)
    score(desk, acme, 41.4, Band.RED)
    desk.tx.session.add(
        ContractRow(
            workspace_id=desk.tx.workspace_id,
            external_id="1",
            account_id=acme.id,
            start_on=date(2025, 4, 1),
            end_on=date(2026, 3, 31),
        )
    )
    text = desk.say(list_)
    assert "1 account" in text
    assert "🔴 41 *Acme* · tier A · renews in 21 days · <@U0000007>" in text


def test_lists_narrow_by_words(desk: Desk):
    me = desk.person()
    mine = desk.add_account("Mine", owner_id=me.id, tier=Tier.A)
    score(desk, mine, 80, Band.GREEN)
    desk.add_account("Other", tier=Tier.B)
    desk.add_account("Try", state=AccountState.TRIAL)
    for words, names in {
        "mine": {"Mine"},
        "MINE green a": {"Mine"},
        "green": {"Mine"},
        "unknown": {"Other", "Try"},
        "tier B": {"Other"},
        "trial": {"Try"},
        "<@U0000001|ada>": {"Mine"},
        "": {"Mine", "Other", "Try"},
    }.items():
        text = desk.say(list_, words)
        assert {name for name in ("Mine", "Other", "Try") if f"*{name}*" in text} == names
    assert "No account is like that" in desk.say(list_, "red")
    assert "No account is like that" in desk.say(list_, "<@U7777777>")
    with pytest.raises(UserError, match="purple"):
        desk.do(list_, "purple")


def test_pages_turn_both_ways(desk: Desk):
    for number in range(PAGE_LENGTH * 2 + 1):
        desk.add_account(f"Account {number:02}")
    first = desk.do(list_, "all")
    assert "page 1 of 3" in shown(first[0])
    second = desk.press(turn_page, find_ref(first, NEXT))
    assert isinstance(second[0], Replace)
    assert "*Account 10*" in shown(second[0])
    assert "*Account 09*" not in shown(second[0])
    last = desk.press(turn_page, find_ref(second, NEXT))
    assert "*Account 20*" in shown(last[0])
    back = desk.press(turn_page, find_ref(last, PREVIOUS))
    assert shown(back[0]) == shown(second[0])
    beyond = desk.press(turn_page, Ref("list", "", {"text": "all", "page": "99"}))
    assert "page 3 of 3" in shown(beyond[0])


# ---------------------------------------------------------------- show


def test_show_puts_everything_on_one_page(desk: Desk):
    owner = desk.add_member("U0000007", name="Grace")
    acme = desk.add_account("Acme Corp", tier=Tier.A, industry="Software", seats=60, owner_id=owner.id)
    lead = desk.person(Role.LEAD, "U0000008")
    desk.do(target, "acme conversion from 5% to 10% by 31 Dec", person=lead)
    desk.do(log, "acme conversion 6.1% first week", person=lead)
    score(desk, acme, 62, Band.YELLOW)
    desk.tx.session.add(
        ContractRow(
            workspace_id=desk.tx.workspace_id,
            external_id="1",
            account_id=acme.id,
            start_on=date(2025, 4, 1),
            end_on=date(2026, 5, 23),
            notice_by=date(2026, 4, 23),
            yearly_minor=8_400_000,
        )
    )
    text = desk.say(show, "acme").replace("\u202f", " ")
    for part in (
        "*Acme Corp* · tier A · Software · 60 seats · <@U0000007>",
        "decision 23 Apr, ends 23 May · €84k a year",
        "*conversion*  6.1 % on 10 Mar 2026 → 10 % by 31 Dec 2026",
        "▓▓░░░░░░░░ 22 % of the way",
        "🟡 health 62",
        "conversion 6.1 % — first week",
    ):
        assert part in text


def test_show_of_a_bare_account_tells_what_is_missing(desk: Desk):
    desk.add_account("Acme")
    text = desk.say(show, "acme")
    assert "No targets yet" in text
    assert "no health score yet" in text
    assert "no owner" in text


@pytest.mark.parametrize("typed", ["acme corp", "ACME", "a-100", "acmee corp", "roadrunner", '"Acme Corp"'])
def test_names_resolve_by_id_alias_prefix_and_close_match(desk: Desk, typed: str):
    desk.add_account("Acme Corp", external_id="A-100", aliases=("Roadrunner",))
    desk.add_account("Globex")
    assert "*Acme Corp*" in desk.say(show, typed)


def test_chinese_names_resolve(desk: Desk):
    desk.add_account("宁德时代新能源", aliases=("CATL",))
    desk.add_account("比亚迪")
    assert "*宁德时代新能源*" in desk.say(show, "宁德")
    assert "*宁德时代新能源*" in desk.say(show, "catl")


def test_show_without_a_name_means_the_channels_account_or_asks(desk: Desk):
    desk.add_account("Acme Corp", channel_id="C1")
    desk.add_account("Globex Corp", channel_id="C2")
    desk.add_account("Initech", channel_id="C2")
    assert "*Acme Corp*" in desk.say(show, "", channel="C1")
    assert "Which account?" in desk.say(show, "", channel="C2")
    assert "*Globex Corp*" in desk.say(show, "globex", channel="C1")


def test_unknown_and_ambiguous_names_offer_the_nearest(desk: Desk):
    with pytest.raises(UserError, match="no accounts yet"):
        desk.do(show, "acme")
    for name in ("Acme North", "Acme South", "Globex", "Initech"):
        desk.add_account(name)
    with pytest.raises(UserError, match="several accounts") as refused:
        desk.do(show, "acme")
    assert {label for _value, label in refused.value.nearest} == {"Acme North", "Acme South"}
    with pytest.raises(UserError, match="no account") as refused:
        desk.do(show, "globxyzzy gmbh")
    assert len(refused.value.nearest) == 3
    assert refused.value.nearest[0][1] == "Globex"
    assert refused.value.nearest[0][0] in {row.id for row in accounts(desk)}
    with pytest.raises(UserError, match="what “please” means"):
        desk.do(show, "globex please")


def test_the_cards_buttons_answer_and_know_when_the_account_is_gone(desk: Desk):
    acme = desk.add_account("Acme")
    score(desk, acme, 41, Band.RED)
    add_episode(desk.tx, acme.id, kind=AlertKind.HEALTH_RED, facts={"score": 41.0, "day": "2026-03-10"})
    card = desk.do(show, "acme")
    assert "health 41" in shown(desk.press(show_health, find_ref(card, HEALTH))[0])
    assert "1 open alert" in shown(desk.press(show_alerts, find_ref(card, ALERTS))[0])
    assert "*Acme*" in shown(desk.press(show_pressed, Ref("account", acme.id))[0])
    assert "*Acme*" in desk.say(show_pressed, picked=acme.id)
    acme.archived_at = desk.now
    for handle in (show_pressed, show_health, show_alerts, open_edit):
        with pytest.raises(NotFoundError, match="was archived"):
            desk.press(handle, Ref("account", acme.id))
        with pytest.raises(NotFoundError, match="no longer exists"):
            desk.press(handle, Ref("account", "never-there"))


def test_the_card_names_who_took_an_alert(desk: Desk):
    acme, grace = desk.add_account("Acme"), desk.add_member("U0000007", name="Grace")
    taken = {"state": EpisodeState.ACKED, "taken_by": grace.id, "taken_at": desk.now}
    add_episode(desk.tx, acme.id, kind=AlertKind.HEALTH_RED, facts={"score": 41.0}, **taken)
    assert "taken by <@U0000007>" in desk.say(show, "acme")


@pytest.mark.parametrize("value", [40.5, 42.5, 74.5])
def test_a_list_and_a_card_show_the_same_score(desk: Desk, value: float):
    acme = desk.add_account("Acme")
    score(desk, acme, value, Band.YELLOW)
    assert f"🟡 health {int(value + 0.5)}" in desk.say(show, "acme")
    assert f"🟡 {int(value + 0.5)} *Acme*" in desk.say(list_)


def test_without_alerts_the_button_says_so(desk: Desk):
    acme = desk.add_account("Acme")
    assert "Acme: 0 open alerts" in shown(desk.press(show_alerts, Ref("account", acme.id))[0])
    assert "no health score yet" in shown(desk.press(show_health, Ref("account", acme.id))[0])


def test_names_that_mention_everybody_are_escaped(desk: Desk):
    acme = desk.add_account("<!channel> & co", industry="<@U1>", aliases=("<!here>",))
    texts = [desk.say(show, "channel"), desk.say(list_), desk.say(show_alerts, ref=Ref("account", acme.id))]
    texts.append(desk.say(add, '"<!channel> & co"'))
    for text in texts:
        assert "<!channel>" not in text
        assert "<@U1>" not in text
        assert "&lt;!channel&gt;" in text


# ---------------------------------------------------------------- add


def test_an_account_is_added_from_words(desk: Desk):
    desk.add_member("U0000007", name="Grace")
    line = "Acme Corp tier a, seats 1,200 industry Software id A-100 aka ACM, Roadrunner"
    text = desk.say(add, f"{line} <@U0000007|grace> <#C0000042|acme>")
    (row,) = accounts(desk)
    assert (row.name, row.tier, row.seats, row.industry) == ("Acme Corp", Tier.A, 1200, "Software")
    assert (row.external_id, row.channel_id, row.slug) == ("A-100", "C0000042", "acme-corp")
    assert list_aliases(desk.tx, row.id) == ["ACM", "Roadrunner"]
    assert "Added *Acme Corp*" in text
    assert "<@U0000007>" in text
    assert desk.tx.session.exec(select(AuditRow.verb)).all() == ["account.added"]


def test_who_adds_an_account_owns_it_unless_said_otherwise(desk: Desk):
    desk.do(add, "Acme")
    assert accounts(desk)[0].owner_id == desk.person().id


def test_add_without_a_name_opens_the_form_which_stores(desk: Desk):
    view = get_form(desk.do(add, ""))
    assert (view.form, initial_values(view)["owner"]) == (ACCOUNT_FORM, "U0000001")
    assert get_form(desk.press(open_add, Ref("account", ""))).form == ACCOUNT_FORM
    values = {"name": " Acme  Corp ", "tier": "B", "seats": "60", "state": "trial", "aliases": "ACM, Acme Inc",
              "owner": "U0000001", "channel": None, "external_id": None, "industry": "Software"}  # fmt: skip
    desk.do(submit, ref=view.ref, values=values)
    (row,) = accounts(desk)
    assert (row.name, row.tier, row.seats, row.state) == ("Acme Corp", Tier.B, 60, AccountState.TRIAL)
    assert list_aliases(desk.tx, row.id) == ["ACM", "Acme Inc"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "New", "seats": "many"}, "seats"),
        ({"name": "New", "seats": "0"}, "seats"),
        ({"name": "New", "seats": "1.5"}, "seats"),
        ({"name": "New", "seats": "5%"}, "seats"),
        ({"name": "New", "tier": "E"}, "tier"),
        ({"name": "New", "state": "dead"}, "state"),
        ({"name": "New", "aliases": "acme corp"}, "aliases"),
        ({"name": "New", "aliases": ",".join(f"n{number}" for number in range(21))}, "aliases"),
    ],
)
def test_the_form_names_the_field_at_fault(desk: Desk, values: dict[str, str], field: str):
    desk.add_account("Acme Corp")
    with pytest.raises(UserError) as refused:
        desk.do(submit, ref=Ref("account", ""), values=values)
    assert refused.value.field == field


def test_a_duplicate_shows_the_one_that_exists(desk: Desk):
    desk.add_account("Acme Corp", external_id="A-100", aliases=("Roadrunner",), industry="Software")
    for line in ("ACME corp", "roadrunner", "New id A-100"):
        text = desk.say(add, line)
        assert "exists already; nothing was added" in text
        assert "Software" in text
    assert len(accounts(desk)) == 1


def test_an_account_is_edited_and_the_change_told_and_audited(desk: Desk):
    acme = desk.add_account("Acme Corp", tier=Tier.A, aliases=("ACM",))
    ref = Ref("account", acme.id)
    view = get_form(desk.press(open_edit, ref))
    values = initial_values(view)
    assert (values["name"], values["tier"], values["aliases"]) == ("Acme Corp", "A", "ACM")
    assert "Nothing was changed" in desk.say(submit, ref=view.ref, values=values)
    text = desk.say(submit, ref=view.ref, values={**values, "name": "Acme Inc", "tier": "B", "aliases": "ACM, AI"})
    assert "name Acme Corp → Acme Inc" in text
    (row,) = accounts(desk)
    assert (row.id, row.name, row.slug, row.tier) == (acme.id, "Acme Inc", "acme-inc", Tier.B)
    assert list_aliases(desk.tx, row.id) == ["ACM", "AI"]
    audit = desk.tx.session.exec(select(AuditRow).where(AuditRow.verb == "account.changed")).one()
    assert (audit.before["name"], audit.after["name"]) == ("Acme Corp", "Acme Inc")  # type: ignore[index]
    desk.add_account("Globex")
    view = get_form(desk.press(open_edit, ref))
    with pytest.raises(UserError, match="taken by Globex") as refused:
        desk.do(submit, ref=view.ref, values={**values, "name": "globex"})
    assert refused.value.field == "name"


def test_a_change_is_told_in_names_and_mentions_never_in_what_somebody_is_called(desk: Desk):
    loud = desk.add_member("U0000007", name="<!channel>")
    acme = desk.add_account("Acme", owner_id=desk.person().id)
    lead, values = (
        desk.person(Role.LEAD, "U0000008"),
        initial_values(get_form(desk.press(open_edit, Ref("account", acme.id)))),
    )
    changed = {**values, "owner": loud.slack_id, "channel": "C0000042", "state": "trial", "aliases": "<!here>"}
    text = desk.say(submit, ref=Ref("account", acme.id), values=changed, person=lead)
    assert (
        "Changed *Acme*: state customer → trial · owner <@U0000001> → <@U0000007> · "
        "channel – → <#C0000042> · other names – → &lt;!here&gt;"
    ) in text


def test_rights_on_accounts(desk: Desk):
    viewer = desk.person(Role.VIEWER, "U2")
    acme = desk.add_account("Acme", owner_id=desk.person(Role.CSM, "U3", "Grace").id)
    assert "*Acme*" in desk.say(show, "acme", person=viewer)
    for handle, more in (
        (add, {"text": "New"}),
        (open_add, {}),
        (submit, {"ref": Ref("account", ""), "values": {"name": "New"}}),
        (open_edit, {"ref": Ref("account", acme.id)}),
        (submit, {"ref": Ref("account", acme.id), "values": {"name": "New"}}),
    ):
        with pytest.raises(NotAllowedError):
            desk.do(handle, person=viewer, **more)
    with pytest.raises(NotAllowedError, match="Grace"):
        desk.do(open_edit, ref=Ref("account", acme.id), person=desk.person(Role.CSM, "U4"))
    assert [row.name for row in accounts(desk)] == ["Acme"]


def test_undo_removes_a_new_account_once(desk: Desk):
    ref = find_ref(desk.do(add, "Acme aka ACM"), UNDO)
    assert "Undone" in shown(desk.press(undo, ref)[0])
    assert accounts(desk) == []
    with pytest.raises(StaleError, match="already undone"):
        desk.press(undo, ref)
    verbs = desk.tx.session.exec(select(AuditRow.verb).where(AuditRow.object_id == ref.id)).all()
    assert sorted(verbs) == ["account.added", "account.undone"]
    with pytest.raises(NotFoundError):
        desk.press(undo, Ref("account", "0" * 32))


def test_undo_is_refused_late_to_others_and_once_something_depends_on_it(desk: Desk):
    ref = find_ref(desk.do(add, "Acme"), UNDO)
    with pytest.raises(NotAllowedError):
        desk.press(undo, ref, person=desk.person(Role.CSM, "U2"))
    with pytest.raises(StaleError, match="10 minutes"):
        desk.press(undo, ref, now=desk.now + timedelta(minutes=11))
    desk.do(target, "acme conversion from 5% to 10% by 31 Dec")
    with pytest.raises(StaleError, match="depends on it"):
        desk.press(undo, ref)
    assert len(accounts(desk)) == 1


def test_the_menu_offers_what_may_be_meant(desk: Desk):
    for name in ("Globex", "Acme Corp", "Zacme"):
        desk.add_account(name)
    for typed, names in {"": ["Acme Corp", "Globex", "Zacme"], "acme": ["Acme Corp", "Zacme"]}.items():
        (reply,) = desk.do(choose_accounts, typed)
        assert isinstance(reply, Options)
        assert [label for _value, label in reply.options] == names
