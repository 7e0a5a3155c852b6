"""Mapping files at work: renamed columns, joins, derived dates, skipped rows, and the shipped examples."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.imports.mapping import Kind, read_mapping
from rules.records import AccountState, Tier
from storage.accounts.accounts import AccountRow
from storage.db import Database
from storage.health.tickets import TicketRow
from storage.health.usage import UsageEventRow
from storage.renewals.contracts import ContractRow
from storage.success.metrics import MetricRow
from tests.conftest import add_workspace
from tests.pipeline.import_stage import ACCOUNTS, Stage, counts, reasons

SHIPPED = Path(__file__).parents[2] / "library" / "mappings"


@pytest.fixture
def stage(sqlite_database: Database, tmp_path: Path) -> Stage:
    return Stage(sqlite_database, add_workspace(sqlite_database), tmp_path)


def test_joins_through_a_file_and_through_contracts(stage: Stage):
    stage.write("people.csv", "user_id;mail\n7;Ada@Example.com\n")
    mapping = "columns: {owner_email: owner}\njoins: {owner_email: {file: people.csv, match: user_id, take: mail}}\n"
    report = stage.run("accounts", "external_id,name,owner\nA1,Acme,7\nA2,Globex,8\nA3,Hooli,\n", mapping)
    assert reasons(report) == [(3, "owner", "'8' is not in people.csv")]
    assert stage.rows(AccountRow, "external_id", "owner_email") == [("A1", "ada@example.com"), ("A3", "")]
    stage.run("contracts", "external_id,account,start_on\nK1,A3,2026-01-01\n")
    usage = "message_id,account,metric,day\nm1,K1,export,2026-03-01\nm2,K2,export,2026-03-01\n"
    report = stage.run("usage", usage, "joins: {account: {through: contracts}}\n")
    assert reasons(report) == [(3, "account", "there is no contract 'K2'; import the contracts first")]
    owner = dict(stage.rows(AccountRow, "external_id", "id"))["A3"]
    assert stage.rows(UsageEventRow, "message_id", "account_id") == [("m1", owner)]


def test_derived_dates_defaults_values_and_skips(stage: Stage):
    stage.run("accounts", ACCOUNTS)
    mapping = """
kind: contracts
columns: {start_on: from, end_on: to, account: who, kind: what}
values: {kind: {S: subscription}}
defaults: {currency: USD, kind: S}
dates: ["%d/%m/%Y"]
derive: {notice_by: {from: end_on, months: -1, days: -1}}
skip: [{column: status, equals: draft, because: drafts are no contracts}]
"""
    content = (
        "external_id,who,from,to,what,status\nK1,A1,01/02/2025,31/03/2026,,signed\nK2,A1,01/02/2025,,pilot,signed\n"
        "K3,A1,x,,,draft\n"
    )
    report = stage.run("contracts", content, mapping)
    assert report.skipped == {"drafts are no contracts": 1}
    assert list(counts(report)) == [2, 0, 0, 0]
    assert stage.rows(ContractRow, "external_id", "kind", "currency", "end_on", "notice_by") == [
        ("K1", "subscription", "USD", date(2026, 3, 31), date(2026, 2, 27)),
        ("K2", "pilot", "USD", None, None),
    ]


def test_every_shipped_mapping_is_valid_and_says_what_it_is_for():
    shipped = sorted(SHIPPED.glob("*.yml"))
    assert len(shipped) >= 4
    for path in shipped:
        mapping = read_mapping(path, Kind(path.stem.rpartition("_")[2]))
        assert mapping.kind
        assert mapping.about


def test_data_in_the_manner_of_ravenstack_comes_in_through_the_shipped_mappings(stage: Stage):
    files = _ravenstack(random.Random(7))
    reports = {kind: stage.run(kind, content, _shipped(kind)) for kind, content in files.items()}
    assert [list(counts(reports[kind])) for kind in files] == [
        [20, 0, 0, 0],
        [60, 0, 0, 0],
        [200, 0, 0, 2],
        [40, 0, 0, 0],
    ]
    assert reasons(reports["usage"])[0] == (202, "usage_id", "line 2 says something else about the same fact")
    accounts = dict(stage.rows(AccountRow, "external_id", "tier"))
    assert set(accounts.values()) == {Tier.A, Tier.B, Tier.C}
    assert {state for (state,) in stage.rows(AccountRow, "state")} == {AccountState.TRIAL, AccountState.CUSTOMER}
    assert "UK" not in {country for (country,) in stage.rows(AccountRow, "country")}
    assert {term for (term,) in stage.rows(ContractRow, "term_months")} == {1, 12}
    assert {known for (known,) in stage.rows(ContractRow, "is_payment_known")} == {False}
    assert {core for (core,) in stage.rows(MetricRow, "is_core")} == {False}
    assert {each for (each,) in stage.rows(TicketRow, "priority")} == {"low", "normal", "high", "urgent"}
    assert stage.rows(TicketRow, "opened_at", "closed_at")[0] == (
        datetime(2024, 3, 1, tzinfo=UTC),
        datetime(2024, 3, 2, 3, tzinfo=UTC),
    )
    again = {kind: stage.run(kind, content, _shipped(kind)) for kind, content in files.items()}
    assert [list(counts(again[kind])) for kind in files] == [
        [0, 0, 20, 0],
        [0, 0, 60, 0],
        [0, 0, 200, 2],
        [0, 0, 40, 0],
    ]


def _shipped(kind: str) -> Path:
    return SHIPPED / f"ravenstack_{kind}.yml"


def _ravenstack(dice: random.Random) -> dict[str, str]:
    """Invented rows under the data set's column names: its date formats, its flags, its ids that stand twice."""
    days = [f"{date(2024, 1, 1) + timedelta(number):%d-%m-%Y}" for number in range(300)]
    accounts = [
        f"A-{n},Firm_{n},EdTech,{('UK', 'US')[n % 2]},{days[n]},ads,{('Basic', 'Pro', 'Enterprise')[n % 3]},{n + 1},"
        f"{('TRUE', 'FALSE')[n % 4 > 0]},FALSE"
        for n in range(20)
    ]
    subscriptions = [
        f"S-{n},A-{n % 20},{days[n]},{days[n + 99] if n % 9 == 0 else ''},Pro,{n},10,120,"
        f"{('TRUE', 'FALSE')[n % 5 > 0]},FALSE,FALSE,FALSE,{('monthly', 'annual')[n % 2]},TRUE"
        for n in range(60)
    ]
    usage = [
        f"U-{n % 200},S-{n % 60},{dice.choice(days)},feature_{n % 40},{n % 20 + 1 + n // 200},60,0,FALSE"
        for n in range(202)
    ]
    tickets = [
        f"T-{n},A-{n % 20},01-03-2024,02-03-2024 03:00,27,{('low', 'medium', 'high', 'urgent')[n % 4]},9,"
        f"{('', '3', '5')[n % 3]},FALSE"
        for n in range(40)
    ]
    heads = {
        "accounts": "account_id,account_name,industry,country,signup_date,referral_source,plan_tier,seats,is_trial,"
        "churn_flag",
        "contracts": "subscription_id,account_id,start_date,end_date,plan_tier,seats,mrr_amount,arr_amount,is_trial,"
        "upgrade_flag,downgrade_flag,churn_flag,billing_frequency,auto_renew_flag",
        "usage": "usage_id,subscription_id,usage_date,feature_name,usage_count,usage_duration_secs,error_count,"
        "is_beta_feature",
        "tickets": "ticket_id,account_id,submitted_at,closed_at,resolution_time_hours,priority,"
        "first_response_time_minutes,satisfaction_score,escalation_flag",
    }
    rows = (accounts, subscriptions, usage, tickets)
    return {kind: "\n".join((head, *lines)) + "\n" for (kind, head), lines in zip(heads.items(), rows, strict=True)}


Fact = tuple[str, str, str, int]
FACTS = st.lists(
    st.tuples(
        st.sampled_from(("A1", "Acme Corp", "A2", "nobody")),
        st.sampled_from(("", "Ops")),
        st.sampled_from(("export", "Export", "weekly_active_users")),
        st.integers(1, 9),
    ),
    max_size=25,
)
NUMBERS = count()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=FACTS, order=st.randoms(use_true_random=False), cut=st.integers(0, 25))
def test_any_split_and_order_and_any_repetition_of_usage_gives_the_same_rows(
    sqlite_database: Database, tmp_path: Path, facts: list[Fact], order: random.Random, cut: int
):
    shuffled = [*facts, *facts]
    order.shuffle(shuffled)
    whole = _import_facts(sqlite_database, tmp_path, facts)
    assert whole == _import_facts(sqlite_database, tmp_path, shuffled[:cut], shuffled[cut:], facts)
    assert len(whole) == len({(a.replace("Acme Corp", "A1"), t, m.lower(), d) for a, t, m, d in facts if a != "nobody"})


def _import_facts(database: Database, folder: Path, *files: list[Fact]) -> list[tuple[object, ...]]:
    """The events of a fresh workspace after importing the files in turn; its day gives a fact's value."""
    stage = Stage(database, add_workspace(database, f"T{next(NUMBERS)}"), folder)
    stage.run("accounts", ACCOUNTS)
    for facts in files:
        lines = [f"{account},{team},{metric},2026-03-0{day},{day}" for account, team, metric, day in facts]
        counts(stage.run("usage", "\n".join(("account,team,metric,day,value", *lines))))
    names = dict(stage.rows(AccountRow, "id", "external_id"))
    columns = ("account_id", "team", "metric_key", "day", "value")
    return sorted((names[id_], *rest) for id_, *rest in stage.rows(UsageEventRow, *columns))
