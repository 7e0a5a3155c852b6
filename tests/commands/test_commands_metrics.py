"""`/cs metrics`: the catalogue browsed, picked from, hidden in part and added to; the target's menu and typed names."""

from __future__ import annotations

import json

import pytest
from sqlmodel import select

from commands.blocks.targets import OPEN_METRICS
from commands.slice import Call, Options, Ref
from commands.success.measurements import log
from commands.success.metrics import MORE, choose, metrics, open_add, submit_add, turn_page
from commands.success.metrics import NEXT as NEXT_PAGE
from commands.success.target_forms import TARGET_FORM, choose_metrics
from commands.success.targets import submit_target, target
from commands.typed import writes_if_number
from rules.errors import NotAllowedError, UserError
from rules.records import Role
from storage.audit import AuditRow
from storage.catalogue import read_catalogue
from storage.success.metrics import MetricRow, list_offered
from storage.success.targets import TargetRow
from tests.commands.conftest import Desk, find_ref, get_form, get_message, initial_values
from words.reader import Reader


def lead(desk: Desk) -> dict[str, object]:
    return {"person": desk.person(Role.LEAD, "U0LEAD", "Lee")}


def options(desk: Desk, account_id: str = "", text: str = "") -> list[tuple[str, str]]:
    (found,) = desk.do(choose_metrics, text, ref=Ref("account", account_id))
    assert isinstance(found, Options)
    return list(found.options)


def test_the_catalogue_is_browsed_by_page_step_and_industry(desk: Desk):
    first = desk.do(metrics, "")
    assert "page 1 of" in str(get_message(first).blocks)
    second = desk.press(turn_page, find_ref(first, NEXT_PAGE))
    assert "page 2 of" in str(get_message(second).blocks)
    text = desk.say(metrics, "support")
    assert "*handling time* · min · less is better" in text
    assert "no benchmark" in text
    assert "*conversion*" not in text
    assert "*handling time*" in desk.say(metrics, "服务支持")
    assert "*scrap rate*" in desk.say(metrics, "Manufacturing")
    with pytest.raises(UserError, match="no step, department or industry"):
        desk.do(metrics, "astrology")
    assert "Nothing here" in desk.say(metrics, "own")
    sales = desk.say(metrics, "sales")
    assert "*win rate*" in sales
    assert "*handling time*" not in sales


def test_names_are_the_readers(desk: Desk):
    call = Call(person=desk.person(), reader=Reader("zh-CN", "UTC"), now=desk.now, text="convert")
    (reply,) = metrics(call, desk.tx)
    assert "转化率" in str(reply)


def test_picking_opens_the_targets_form_with_the_metric(desk: Desk):
    view = get_form(desk.press(choose, Ref("metric", "uptime", {"do": "pick"})))
    assert view.form == TARGET_FORM
    shown = initial_values(view)
    assert (shown["metric"], shown["kind"]) == ("uptime", "keep_above")
    account = desk.add_account("Acme Corp", channel_id="C0ACME")
    view = get_form(desk.press(choose, Ref("metric", "uptime", {"do": "pick"}), channel="C0ACME"))
    assert view.ref == Ref("account", account.id)
    with pytest.raises(UserError, match="not kept"):
        desk.press(choose, Ref("metric", "nothing", {"do": "pick"}))


def test_a_lead_hides_a_metric_and_shows_it_again(desk: Desk):
    with pytest.raises(NotAllowedError, match="Only a lead"):
        desk.press(choose, Ref("metric", "uptime", {"do": "hide"}))
    hidden = desk.press(choose, Ref("metric", "uptime", {"do": "hide"}), **lead(desk))
    assert desk.tx.session.exec(select(MetricRow.is_hidden)).one() is True
    assert "uptime" not in [key for key, _label in options(desk)]
    assert "*uptime*" in desk.say(metrics, "hidden")
    desk.press(choose, find_ref(hidden, MORE), **lead(desk))
    assert "uptime" in [key for key, _label in options(desk)]
    verbs = desk.tx.session.exec(select(AuditRow.verb).where(AuditRow.object_kind == "metric")).all()
    assert sorted(verbs) == ["metric.hidden", "metric.shown"]


def test_a_lead_adds_a_metric_of_ones_own(desk: Desk):
    with pytest.raises(NotAllowedError):
        desk.press(open_add, Ref("metric", ""))
    desk.do(submit_add, values={"name": "Cups of tea", "unit": "€"}, **lead(desk))
    row = desk.tx.session.exec(select(MetricRow)).one()
    assert (row.key, row.unit, row.role) == ("cups-of-tea", "EUR", "outcome")
    assert "Cups of tea" in desk.say(metrics, "own")
    for name in ("Cups of tea", "转化率", "conversion rate"):
        with pytest.raises(UserError, match="in the catalogue already"):
            desk.do(submit_add, values={"name": name}, **lead(desk))
    with pytest.raises(UserError) as refused:
        desk.do(submit_add, values={"name": "12"}, **lead(desk))
    assert refused.value.field == "name"


def test_the_menu_offers_what_the_industry_uses_first_and_takes_new_names(desk: Desk):
    desk.add_account("Globex", industry="Online retail")
    desk.do(target, "globex upsell rate from 5% to 10% by 31 Dec")
    shop = desk.add_account("Acme Corp", industry="零售")
    keys = [key for key, _label in options(desk, shop.id)]
    industry = {key for key, metric in read_catalogue().by_key.items() if "retail" in metric.industries}
    assert keys[0] == "upsell-rate"
    assert set(keys[1 : len(industry) + 1]) == industry
    assert options(desk, shop.id, "复购")[0][0] == "repurchase-rate"
    assert options(desk, shop.id, "Cups  of tea") == [("new:Cups of tea", "New: Cups of tea")]
    assert ("new:conversion", "New: conversion") not in options(desk, shop.id, "conversion")


@pytest.mark.parametrize("typed", ["conversion rate", "转化率", "轉化率", "Conversion"])
def test_typed_names_in_any_language_mean_one_metric(desk: Desk, typed: str):
    account = desk.add_account("Acme Corp")
    values = {"metric": f"new:{typed}", "kind": "level", "baseline": "5", "goal": "10", "due_on": "2026-12-31"}
    desk.do(submit_target, ref=Ref("account", account.id), values=values)
    row = desk.tx.session.exec(select(TargetRow)).one()
    assert (row.metric_key, row.unit) == ("conversion", "%")
    assert "Logged 7" in desk.say(log, f"acme {typed} 7%")


def test_money_is_in_the_workspaces_currency_unless_another_is_typed(desk: Desk):
    desk.add_account("Acme Corp")
    desk.do(target, "acme revenue to 20m in total by end of year")
    assert desk.tx.session.exec(select(TargetRow.unit)).one() == "EUR"
    offered = next(each for each in list_offered(desk.tx) if each.key == "revenue")
    assert offered.unit == "EUR"


@pytest.mark.parametrize(
    ("text", "access"),
    [
        ("NAME2024", "reads"),
        ('"Client2024"', "reads"),
        ("acme conversion", "reads"),
        ("NAME2024 conversion 7%", "writes"),
        ("NAME2024 revenue EUR5m", "writes"),
        ("acme revenue Euro5", "writes"),
        ("acme 转化率7.5%", "writes"),
        ("acme revenue 二十万", "writes"),
    ],
)
def test_digits_of_a_name_take_no_writers_turn(text: str, access: str):
    assert writes_if_number(text) == access


def test_the_catalogue_is_reached_from_an_accounts_targets(desk: Desk):
    desk.add_account("Acme Corp")
    listed = desk.do(target, "acme")
    assert "page 1 of" in str(get_message(desk.press(turn_page, find_ref(listed, OPEN_METRICS))).blocks)


def test_every_menu_value_fits_slack(desk: Desk):
    blocks = json.dumps([dict(each) for each in get_message(desk.do(metrics, "convert", **lead(desk))).blocks])
    assert len(blocks) < 13_000
