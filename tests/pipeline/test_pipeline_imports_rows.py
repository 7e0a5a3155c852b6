"""Rows: what is stored, what is rejected and why, dry runs, and the file of rejects."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from storage.accounts.accounts import AccountRow, AliasRow
from storage.audit import AuditRow
from storage.db import Database
from storage.health.tickets import TicketRow
from storage.health.usage import UsageDirtyRow, UsageEventRow
from storage.renewals.contracts import ContractRow
from storage.success.metrics import MetricRow
from storage.success.targets import MeasurementRow, TargetRow, TargetStepRow
from tests.conftest import add_workspace
from tests.pipeline.import_stage import ACCOUNTS, Stage, counts, reasons

TARGET = "external_id,account,metric,unit,baseline,goal,start_on,due_on,value,measured_on\n"
CONTRACT = "external_id,account,start_on,end_on,yearly_amount,currency\n"
TICKET = "external_id,account,opened_at,closed_at,priority,satisfaction\n"
USAGE = "message_id,account,metric,day,value\n"


@pytest.fixture
def stage(sqlite_database: Database, tmp_path: Path) -> Stage:
    stage = Stage(sqlite_database, add_workspace(sqlite_database), tmp_path)
    stage.run("accounts", ACCOUNTS)
    return stage


@pytest.mark.parametrize(
    ("kind", "content", "column", "said"),
    [
        ("accounts", "name,seats\nA,many\n", "seats", "not a number"),
        ("accounts", "name,seats\nA,2.5\n", "seats", "not a whole number"),
        ("accounts", "name,seats\nA,-3\n", "seats", "less than 0"),
        ("accounts", "name,tier\nA,X\n", "tier", "'X' is none of"),
        ("accounts", f"name\n{'A' * 121}\n", "name", "more than 120 characters"),
        ("accounts", "name,industry\n,IT\n", "name", "empty, and needed"),
        ("accounts", "name,owner_email\nA,nobody\n", "owner_email", "not an e-mail address"),
        ("accounts", "name,channel\nA,#general\n", "channel", "not a channel id"),
        ("accounts", "name,country\nA,<!channel>\n", "country", "not a country code of two letters"),
        ("accounts", "name,aliases\nInitech,acm\n", "aliases", "'acm' is a name of another account"),
        (
            "contracts",
            CONTRACT + "K1,Akme,2026-01-01,,1,EUR\n",
            "account",
            "no account 'Akme'; the nearest is 'Acme Corp'",
        ),
        ("contracts", CONTRACT + "K1,A1,01.02.2026,,1,EUR\n", "start_on", "'01.02.2026' is not a date like 2026-03-14"),
        ("contracts", CONTRACT + "K1,A1,0026-01-01,,1,EUR\n", "start_on", "the year 26"),
        ("contracts", CONTRACT + "K1,A1,2026-05-01,2026-04-30,1,EUR\n", "", "ends on 2026-04-30, before it starts"),
        ("contracts", CONTRACT + "K1,A1,2026-05-01,,lots,EUR\n", "yearly_amount", "not a number"),
        ("contracts", CONTRACT + "K1,A1,2026-05-01,,5,Euros\n", "currency", "does not look like"),
        ("targets", TARGET + "G1,A1,nps,,1,2,2026-01-01,2026-12-31,2,2026-03-11\n", "measured_on", "in the future"),
        ("targets", TARGET + "G1,A1,nps,<!channel>,1,2,2026-01-01,2026-12-31,,\n", "unit", "is no unit"),
        ("targets", TARGET + "G1,A1,nps,k,1,2,2026-01-01,2026-12-31,,\n", "unit", "is no unit"),
        ("targets", TARGET + "G1,A1,nps,,1,2,2026-01-01,2026-12-31,2,\n", "", "needs the day it was measured"),
        ("targets", TARGET + "G1,A1,nps,%,1,2 kg,2026-01-01,2026-12-31,,\n", "goal", "kept in %"),
        ("targets", TARGET + "G1,A1,nps,,2,2,2026-01-01,2026-12-31,,\n", "goal", "equals the start value"),
        ("targets", TARGET + "G1,A1,nps,,1,2,2026-01-01,2025-12-31,,\n", "due_on", "after it starts"),
        ("tickets", TICKET + "T1,A1,2026-03-02,2026-03-01,,\n", "", "before it was opened"),
        ("tickets", TICKET + "T1,A1,2026-03-02,,medium,\n", "priority", "'medium' is none of 'low'"),
        ("tickets", TICKET + "T1,A1,2026-03-02,,,6\n", "satisfaction", "'6' is more than 5"),
        ("usage", USAGE + "m1,A1,export,2026-03-11,1\n", "day", "2026-03-11 is in the future"),
        ("usage", USAGE + "m1,A1,export,2026-03-09,-1\n", "value", "less than 0"),
        ("usage", USAGE + "m1,A1,export,2026-03-09,nan\n", "value", "not a number"),
        ("usage", USAGE + "m1,A1,export,2026-03-09,12%\n", "value", "plain number"),
        ("usage", USAGE + "m1,A1,2024,2026-03-09,1\n", "metric", "no letter"),
    ],
)
def test_a_bad_row_is_rejected_with_line_column_and_reason(
    stage: Stage, kind: str, content: str, column: str, said: str
):
    report = stage.run(kind, content)
    ((line, at, reason),) = reasons(report)
    assert (line, at) == (2, column)
    assert said in reason
    assert len(reason) < 300
    assert list(counts(report)) == [0, 0, 0, 1]


def test_flags_are_yes_or_no(stage: Stage):
    content = "external_id,account,opened_at,escalated\nT1,A1,2026-03-01,TRUE\nT2,A1,2026-03-01,\nT3,A1,2026-03-01,si\n"
    assert reasons(stage.run("tickets", content)) == [(4, "escalated", "'si' is neither yes nor no")]
    assert stage.rows(TicketRow, "external_id", "is_escalated") == [("T1", True), ("T2", False)]


def test_an_unknown_account_without_any_accounts_says_what_to_do(sqlite_database: Database, tmp_path: Path):
    stage = Stage(sqlite_database, add_workspace(sqlite_database), tmp_path)
    assert reasons(stage.run("usage", USAGE + "m1,A1,x,2026-03-09,1\n")) == [
        (2, "account", "there are no accounts yet; import the accounts first")
    ]


def test_a_name_of_two_accounts_is_nobodys_but_their_ids_work(stage: Stage):
    stage.run("accounts", "external_id,name\nT-1,Twin\nt_1,Twin\n")
    report = stage.run(
        "tickets", "external_id,account,opened_at\n1,Twin,2026-03-01\n2,T-1,2026-03-01\n3,t_1,2026-03-01\n"
    )
    assert reasons(report) == [(2, "account", "'Twin' is the name of several accounts; use the external id")]
    ids = dict(stage.rows(AccountRow, "external_id", "id"))
    assert stage.rows(TicketRow, "external_id", "account_id") == [("2", ids["T-1"]), ("3", ids["t_1"])]


def test_accounts_are_named_by_id_name_slug_and_alias_in_any_case(stage: Stage):
    names = ("A1", "acme corp", "ACME-CORP", "acm")
    content = "external_id,account,opened_at\n" + "".join(f"{n},{name},2026-03-01\n" for n, name in enumerate(names))
    assert list(counts(stage.run("tickets", content))) == [4, 0, 0, 0]
    assert len({account for (account,) in stage.rows(TicketRow, "account_id")}) == 1


def test_only_columns_of_the_file_change_and_each_change_is_audited(stage: Stage):
    stage.run(
        "contracts", "external_id,account,start_on,yearly_amount,auto_renew,overdue_since\nK1,A1,2026-01-01,€84k,yes,\n"
    )
    report = stage.run("contracts", "external_id,account,start_on,seats\nK1,A1,2026-02-01,5\n")
    assert list(counts(report)) == [0, 1, 0, 0]
    columns = ("start_on", "seats", "yearly_minor", "currency", "is_auto_renew", "is_payment_known")
    assert stage.rows(ContractRow, *columns) == [(date(2026, 2, 1), 5, 8_400_000, "EUR", True, True)]
    changes = [row for row in stage.rows(AuditRow, "object_kind", "object_id", "before", "after") if row[1] == "K1"]
    assert (
        "contracts",
        "K1",
        {"start_on": "2026-01-01", "seats": None},
        {"start_on": "2026-02-01", "seats": 5},
    ) in changes
    assert len(changes) == 2


def test_a_target_with_measurements_and_steps(stage: Stage):
    head = TARGET.replace("goal,", "goal,steps,")
    rows = (
        "G1,A1,conversion,%,5,10%,2026-06-30=6;2026-09-30=8%,2026-01-01,2026-12-31,5.5%,2026-02-01\n"
        "G1,A1,conversion,%,5,10%,2026-06-30=6;2026-09-30=8%,2026-01-01,2026-12-31,6,2026-03-01\n"
    )
    assert list(counts(stage.run("targets", head + rows))) == [2, 0, 0, 0]
    assert stage.rows(TargetRow, "external_id", "goal", "unit") == [("G1", Decimal(10), "%")]
    assert stage.rows(TargetStepRow, "day", "value") == [
        (date(2026, 6, 30), Decimal(6)),
        (date(2026, 9, 30), Decimal(8)),
    ]
    assert [value for (value,) in stage.rows(MeasurementRow, "value")] == [Decimal("5.5"), Decimal(6)]
    assert list(counts(stage.run("targets", head + rows))) == [0, 0, 2, 0]
    assert list(counts(stage.run("targets", head + rows.replace("=6;", "=7;")))) == [0, 1, 1, 0]


def test_rows_of_one_target_must_agree_and_a_day_has_one_value(stage: Stage):
    report = stage.run(
        "targets",
        TARGET
        + "G1,A1,nps,,1,9,2026-01-01,2026-12-31,2,2026-02-01\n"
        + "G1,A1,nps,,1,8,2026-01-01,2026-12-31,2,2026-02-02\n"
        + "G2,A1,nps,,1,7,2026-01-01,2026-12-31,3,2026-02-01\n",
    )
    assert reasons(report) == [
        (3, "", "line 2 says something else about the same target"),
        (4, "", "line 2 says something else about the same value"),
    ]


@pytest.mark.parametrize(
    ("kind", "row", "other"),
    [
        ("accounts", "external_id,name\nA9,Umbrella\n", "A9,Umbra\n"),
        ("contracts", "external_id,account,start_on\nK1,A1,2026-01-01\n", "K1,A1,2026-01-02\n"),
        ("tickets", "external_id,account,opened_at\nT1,A1,2026-01-01\n", "T1,A2,2026-01-01\n"),
        ("usage", "message_id,account,metric,day\nm1,A1,export,2026-03-01\n", "m1,A1,export,2026-03-02\n"),
        ("usage", "account,metric,day,value\nA1,export,2026-03-01,1\n", "acme corp,Export,2026-03-01,2\n"),
    ],
)
def test_a_second_row_of_one_key_is_the_same_or_rejected_with_the_first_ones_line(
    stage: Stage, kind: str, row: str, other: str
):
    report = stage.run(kind, row + row.splitlines()[1] + "\n" + other)
    assert list(counts(report)) == [1, 0, 1, 1]
    assert "line 2 says something else" in report.rejects[0].reason
    assert report.rejects[0].line.number == 4


def test_a_known_message_with_other_content_is_rejected_later_and_other_sources_are_apart(stage: Stage):
    stage.run("usage", USAGE + "m1,A1,export,2026-03-01,1\n")
    report = stage.run("usage", USAGE + "m1,A1,export,2026-03-01,2\n")
    assert reasons(report) == [(2, "message_id", "'m1' was imported before, with other values")]
    assert list(counts(stage.run("usage", USAGE + "m1,A1,export,2026-03-01,2\n", "source: other\n"))) == [1, 0, 0, 0]
    assert stage.rows(UsageEventRow, "source", "value") == [("file", 1.0), ("other", 2.0)]


def test_usage_without_ids_is_known_again_by_what_it_is_about(stage: Stage):
    content = "account,team,metric,day,value\nA1,Ops,Export,2026-03-01,3\nA1,Ops,weekly_active_users,2026-03-01,9\n"
    assert list(counts(stage.run("usage", content))) == [2, 0, 0, 0]
    assert list(counts(stage.run("usage", content.replace("A1", "Acme Corp").replace("Export", "export")))) == [
        0,
        0,
        2,
        0,
    ]
    assert stage.rows(MetricRow, "key", "role", "is_core") == [
        ("export", "feature", True),
        ("weekly-active-users", "active_users", False),
    ]
    assert [day for (day,) in stage.rows(UsageDirtyRow, "day")] == [date(2026, 3, 1)]


def test_accounts_match_by_id_then_name_and_an_alias_alone_is_a_change(stage: Stage):
    assert list(counts(stage.run("accounts", "external_id,name\n,acme corp\nA2,Globex International\n"))) == [
        0,
        2,
        0,
        0,
    ]
    assert stage.rows(AccountRow, "external_id", "name") == [("A1", "acme corp"), ("A2", "Globex International")]
    assert list(counts(stage.run("accounts", ACCOUNTS.replace("ACM", "ACM;Road Runner")))) == [0, 2, 0, 0]
    assert list(counts(stage.run("accounts", ACCOUNTS.replace("ACM", "Road Runner;ACM;Coyote")))) == [0, 1, 1, 0]
    assert stage.rows(AliasRow, "folded") == [("acm",), ("coyote",), ("road runner",)]


def test_a_dry_run_counts_the_same_and_writes_nothing(stage: Stage):
    content = USAGE + "".join(f"m{n},A{n % 3 + 1},metric {n % 7},2026-03-0{n % 9 + 1},{n}\n" for n in range(2500))
    dry = stage.run("usage", content, is_dry_run=True)
    assert dry.rejects_path is None
    assert stage.rows(UsageEventRow, "value") == stage.rows(MetricRow, "key") == stage.rows(UsageDirtyRow, "day") == []
    wet = stage.run("usage", content)
    assert counts(dry) == counts(wet)
    assert reasons(dry) == reasons(wet)
    assert len(stage.rows(UsageEventRow, "value")) == wet.outcomes["new"] > 1500


def test_rejects_mended_in_their_file_import_with_the_same_mapping(stage: Stage):
    mapping = "columns: {external_id: Nr, account: Kunde, opened_at: Datum}\ndates: '%d.%m.%Y'\nencoding: cp1252\n"
    content = (
        'Nr;Kunde;Datum;title\n1;Acme Corp;01.03.2026;"Größe; =1+1"\n'
        '2;Agme;02.03.2026;-5 °C\n3;Globex;2.x;"zwei\nZeilen"\n'
    )
    report = stage.run("tickets", content.encode("cp1252"), mapping)
    assert list(counts(report)) == [1, 0, 0, 2]
    path = report.rejects_path
    assert path == stage.folder / "tickets.rejected.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    assert rows[0] == ["Nr", "Kunde", "Datum", "title", "reject_line", "reject_column", "reject_reason"]
    assert rows[1][:6] == ["2", "Agme", "02.03.2026", "-5 °C", "3", "Kunde"]
    assert rows[2][3:6] == ["zwei\nZeilen", "4", "Datum"]
    mended = path.read_text(encoding="utf-8-sig").replace("Agme;", "ACM;", 1).replace("2.x", "03.03.2026", 1)
    path.write_text(mended, encoding="utf-8-sig")
    again = stage.run("tickets", path, stage.folder / "map.yml")
    assert (list(counts(again)), again.ignored_columns) == ([2, 0, 0, 0], ())
    assert stage.rows(TicketRow, "external_id", "title", "opened_at") == [
        ("1", "Größe; =1+1", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2", "-5 °C", datetime(2026, 3, 2, tzinfo=UTC)),
        ("3", "zwei\nZeilen", datetime(2026, 3, 3, tzinfo=UTC)),
    ]


def test_what_we_add_to_the_rejects_is_no_formula(stage: Stage):
    report = stage.run("tickets", "external_id,account,=cmd()\n1,A1,x\n", "columns: {opened_at: =cmd()}\n")
    assert report.rejects[0].column == "=cmd()"
    assert report.rejects_path is not None
    assert report.rejects_path.read_text(encoding="utf-8-sig").splitlines()[1].split(",")[4] == "'=cmd()"
