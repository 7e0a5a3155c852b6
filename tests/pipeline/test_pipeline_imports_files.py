"""Files and mapping files that cannot be used: refused with a sentence that says why, and nothing is written."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from pipeline.imports.source import open_source
from rules.errors import IngestError
from storage.accounts.accounts import AccountRow
from storage.db import Database
from tests.conftest import add_workspace
from tests.pipeline.import_stage import ACCOUNTS, Stage, counts, reasons


@pytest.fixture
def stage(sqlite_database: Database, tmp_path: Path) -> Stage:
    return Stage(sqlite_database, add_workspace(sqlite_database), tmp_path)


GOOD = "external_id,name\n" + "".join(f"A{number},Customer {number}\n" for number in range(600))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (GOOD.encode() + "A600,Café\n".encode("cp1252"), "line 602: this is not utf-8"),
        (GOOD.encode() + "Café".encode()[:-1], "line 602: this is not utf-8"),
        (GOOD.encode() + b"A600,Nul\0l\n", "NUL bytes"),
        (GOOD.encode("utf-16-le"), "utf-16-le"),
        (GOOD.encode() + b'A600,"open\nA601,Next\n', "line 602: a quote"),
        (GOOD.encode() + b'A600,"a" b\n', "line 602: text follows a closing quote"),
        (GOOD.encode() + b"A600," + b"x" * (1 << 20) + b"\n", "line 602: a cell holds more than 131,072"),
        (b"external_id,name,name\nA1,B,C\n", "the column name twice"),
        (b"external_id,title\nA1,B\n", "no column name. Its columns are: external_id, title"),
        (b"external_id#name\nA1#B\n", "one single column, external_id#name"),
    ],
)
def test_a_file_that_is_no_csv_is_refused_and_nothing_is_written(stage: Stage, content: bytes, said: str):
    with pytest.raises(IngestError) as refused:
        stage.run("accounts", content)
    assert said in str(refused.value)
    assert stage.rows(AccountRow, "name") == []


def test_a_missing_file_is_named(stage: Stage):
    with pytest.raises(IngestError, match=r"There is no file .*nowhere\.csv"):
        stage.run("accounts", stage.folder / "nowhere.csv")


def test_a_header_alone_imports_nothing_without_complaint(stage: Stage):
    report = stage.run("accounts", "external_id,name\n")
    assert (report.rows, list(counts(report))) == (0, [0, 0, 0, 0])


@pytest.mark.parametrize(
    "content",
    [
        ACCOUNTS.replace(",", ";").encode(),
        ACCOUNTS.replace(",", "\t").encode(),
        codecs.BOM_UTF8 + ACCOUNTS.replace("\n", "\r\n").encode(),
        ACCOUNTS.encode("utf-16"),
        codecs.BOM_UTF16_BE + ACCOUNTS.encode("utf-16-be"),
        ACCOUNTS.replace("external_id,name", "External ID, Name ").encode(),
        b'external_id,name,aliases,,\n"A1","Acme Corp","ACM",,\n\n ,,,,\nA2,Globex,,,\n',
    ],
)
def test_delimiters_encodings_with_a_mark_and_the_case_of_names_are_found(stage: Stage, content: bytes):
    assert list(counts(stage.run("accounts", content))) == [2, 0, 0, 0]
    assert stage.rows(AccountRow, "external_id", "name") == [("A1", "Acme Corp"), ("A2", "Globex")]


def test_an_encoding_can_be_named(stage: Stage):
    stage.run("accounts", "external_id,name\nA1,宁德时代\n".encode("gb18030"), "encoding: gb18030\n")
    assert stage.rows(AccountRow, "name") == [("宁德时代",)]
    with pytest.raises(IngestError, match="no encoding base64"):
        stage.run("accounts", ACCOUNTS, "encoding: base64\n")


def test_a_row_is_named_by_the_line_it_begins_on(tmp_path: Path):
    path = tmp_path / "file.csv"
    path.write_text('a,b\n1,"two\nlines"\n\n3,4\n', encoding="utf-8")
    assert [(line.number, line.cells) for line in open_source(path).lines()] == [
        (2, ("1", "two\nlines")),
        (5, ("3", "4")),
    ]


def test_ragged_rows_are_rejected_one_by_one(stage: Stage):
    report = stage.run("accounts", "external_id,name\nA1,Acme\nA2\nA3,Initech,extra\nA4,Hooli\n")
    assert reasons(report) == [
        (3, "", "it has 1 cells, the header names 2 columns"),
        (4, "", "it has 3 cells, the header names 2 columns; left over: extra"),
    ]
    assert [name for (name,) in stage.rows(AccountRow, "name")] == ["Acme", "Hooli"]


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("columns: [", "is not YAML"),
        ("- a\n- b\n", "must consist of lines like"),
        ("kind: usage\n", "maps usage, not accounts"),
        ("kind: people\n", "kind:"),
        ("colums: {name: name}\n", "colums is nothing a mapping file knows; known are kind"),
        ("columns: {name: name}\ncolumns: {name: other}\n", "columns stands twice"),
        ("columns: {nam: name}\n", "a field we do not have: nam"),
        ("columns: {name: Kunde}\n", "has no column Kunde, which the mapping names"),
        ("derive: {started_on: {from: begun, days: 3}}\n", "a field we do not have: begun"),
        ("derive: {started_on: {from: started_on, days: 99999999999}}\n", "derive.started_on.days"),
        ("skip: [{column: nope, equals: x, because: y}]\n", "has no column nope"),
        ("joins: {name: {file: other.csv}}\n", "either `through: contracts`"),
        ("joins: {name: {through: contracts}}\n", "Only `account` can be joined"),
        ("joins: {name: {file: other.csv, match: a, take: b}}\n", "There is no file"),
        ("delimiter: ab\n", "delimiter"),
        ("source: ''\n", "source"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_with_its_reason(stage: Stage, mapping: str, said: str):
    with pytest.raises(IngestError) as refused:
        stage.run("accounts", ACCOUNTS, mapping)
    assert said in str(refused.value)
    assert stage.rows(AccountRow, "name") == []


def test_a_mapping_that_is_no_text_or_not_there_is_refused(stage: Stage):
    with pytest.raises(IngestError, match="cannot be read"):
        stage.run("accounts", ACCOUNTS, stage.folder / "none.yml")
    with pytest.raises(IngestError, match="cannot be read"):
        stage.run("accounts", ACCOUNTS, stage.write("latin.yml", "about: Café".encode("cp1252")))


def test_the_rejects_may_not_overwrite_the_file_itself(stage: Stage):
    path = stage.write("accounts.csv", ACCOUNTS)
    with pytest.raises(IngestError, match="must not overwrite"):
        stage.run("accounts", path, rejects_path=path)
    with pytest.raises(IngestError, match="no file that can be written"):
        stage.run("accounts", path, rejects_path=stage.folder / "no" / "where.csv")
