"""The soak as a program, at a tiny size: its table and its file tell the same, its exit code whether all was kept."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.soak.__main__ import COLUMNS, make_report
from benchmarks.soak.oracle import Damage, Verdict
from benchmarks.soak.run import Result

ROOT = Path(__file__).resolve().parents[2]
WHOLE = Result(
    seed=1,
    database="sqlite",
    messages=10,
    changes=2,
    kills=3,
    pauses=0,
    verdict=Verdict(Damage(), 0, (0.1, 0.2, 0.3), {"fail": 2}, {"chat.postMessage": 10}),
    drained=1.5,
    rows={"sent": 12},
    is_intact=True,
    is_audited=True,
    may_double=False,
    lag=0.02,
    seconds=4.0,
)


def test_the_program_runs_both_kinds_and_keeps_the_results(tmp_path: Path):
    file = tmp_path / "soak.json"
    words = ["--seeds", "1", "--database", "sqlite", "--messages", "20", "--kills", "2", "--json", "--file", str(file)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    told, kept = json.loads(done.stdout), json.loads(file.read_text(encoding="utf-8"))
    assert [row["run"] for row in told["rows"]] == ["lands in time", "lands too late"]
    assert [run["run"] for run in kept["runs"]] == ["lands in time", "lands too late"]
    assert [row["messages"] for row in told["rows"]] == [20, 4]
    assert [run["kills"] for run in kept["runs"]] == [2, 0]
    assert all(run["is_kept"] for run in kept["runs"])


def test_the_table_says_what_was_broken():
    broken = replace(WHOLE, seed=2, verdict=replace(WHOLE.verdict, damage=Damage(lost=1)))
    unswept = replace(WHOLE, seed=3, verdict=replace(WHOLE.verdict, removed=1))
    never = replace(WHOLE, seed=4, drained=None)
    late = replace(WHOLE, seed=5, may_double=True, verdict=replace(WHOLE.verdict, removed=1))
    found = [("soak", each) for each in (WHOLE, broken, unswept, never, late)]
    report = make_report(found)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in report.rows]
    assert [row["kept"] for row in rows] == ["yes", "NO", "NO", "NO", "yes"]
    assert [row["lost"] for row in rows] == [0, 1, 0, 0, 0]
    assert [row["drained s"] for row in rows] == [1.5, 1.5, 1.5, "never", 1.5]
    assert report.notes == ["Faults, soak, sqlite: fail 10."]
    for fault in (replace(WHOLE, is_intact=False), replace(WHOLE, is_audited=False), replace(WHOLE, rows={"dead": 1})):
        assert not fault.is_kept
