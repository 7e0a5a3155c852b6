"""How long a command takes in process, on a company of 10,000 accounts: `uv run python -m benchmarks.show`.

The handler runs in a transaction as the edge runs it, its commit included where it writes; Slack, Bolt and the look-up
of the person are left out. Each command names another account each time. The floor is a handler that says a word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from random import Random
from time import perf_counter

from benchmarks.company import NOW, OWNERS, Company, open_company
from benchmarks.report import Must, Report, read_arguments, spread
from bot.registry import SLICES
from commands.home import show_home
from commands.kit import message
from commands.slice import Call, Command, Handler, Person, Reply, Slice, Whisper
from storage.db import Tx
from storage.people.members import find_by_slack_id
from words.reader import Reader

LIMIT_MS = 50.0
HOME = Command("home", "", "The Home tab, though nobody types it", show_home, "reads")


@dataclass(frozen=True)
class Desk:
    """A person of the company, ready to type."""

    company: Company
    person: Person

    def run(self, command: Command, text: str) -> float:
        """Seconds that one command took."""
        call = Call(self.person, Reader("en-US", "UTC"), NOW, channel="C0000GENERAL", text=text)
        database = self.company.database
        begin = database.reading if command.access == "reads" else database.writing
        began = perf_counter()
        with begin(self.company.workspace_id) as tx:
            replies = command.handle(call, tx)
        seconds = perf_counter() - began
        assert replies
        return seconds


def find_person(company: Company) -> Person:
    """An admin who owns one account in twenty, and looks after what is nobody's."""
    with company.database.reading(company.workspace_id) as tx:
        row = find_by_slack_id(tx, OWNERS[0])
    assert row is not None
    return Person(row.id, row.slack_id, row.name, row.role)


def list_lines(names: Sequence[str], seed: int) -> list[tuple[str, Callable[[], str]]]:
    """What is typed: the command's name and the words after it, another account each time."""
    random = Random(seed)
    value = count(500)

    def pick() -> str:
        return random.choice(names)

    return [
        ("show", pick),
        ("show", lambda: f"acc-{random.randrange(40):06}"),
        ("list", lambda: ""),
        ("list", lambda: "red"),
        ("health", lambda: ""),
        ("health", pick),
        ("alerts", lambda: ""),
        ("journeys", lambda: ""),
        ("journey", pick),
        ("checkins", lambda: ""),
        ("tasks", lambda: ""),
        ("renewals", lambda: ""),
        ("timeline", pick),
        ("digest", lambda: ""),
        (HOME.name, lambda: ""),
        ("log", lambda: f"{pick()} conversion {next(value) / 100:.2f}%"),
    ]


def say_a_word(_call: Call, _tx: Tx) -> list[Reply]:
    """The floor."""
    return [Whisper(message("Hello"))]


def find_command(slices: Sequence[Slice], name: str) -> Command:
    """The subcommand of that name."""
    return next(each for one in slices for each in one.commands if each.name == name)


def measure(company: Company, rounds: int, seed: int) -> Report:
    """Each command `rounds` times, after three that do not count."""
    desk = Desk(company, find_person(company))
    floor = spread([desk.run(_word(say_a_word), "") for _ in range(rounds)])
    report = Report(
        f"Commands on {len(company.names)} accounts, in process",
        ("command", "median ms", "p95 ms", "most ms", "times the empty handler"),
        [("an empty handler", floor.p50, floor.p95, floor.most, 1.0)],
    )
    for number, (name, write) in enumerate(list_lines(company.names, seed)):
        command = HOME if name == HOME.name else find_command(SLICES, name)
        found = spread([desk.run(command, write()) for _ in range(rounds + 3)][3:])
        shown = f"/cs {name} {write()}".strip()
        report.rows.append((shown, found.p50, found.p95, found.most, round(found.p50 / floor.p50, 1)))
        if number == 0:
            report.musts.append(Must(f"median of /cs show under {LIMIT_MS:g} ms", found.p50, LIMIT_MS))
    return report


def _word(handle: Handler) -> Command:
    return Command("word", "", "Says a word", handle, "reads")


def main() -> None:
    """Make the company, measure, print."""
    parser = read_arguments(__doc__, 10_000)
    parser.add_argument("--rounds", type=int, default=50, help="how often each command runs (default 50)")
    given = parser.parse_args()
    with open_company(given.accounts, seed=given.seed) as company:
        measure(company, given.rounds, given.seed).show(is_json=given.json)


if __name__ == "__main__":
    main()
