"""What the team has done with a sample customer so far, as the lines its CSM typed and the forms they filled in: the
journey, people, check-ins, notes, next steps, risks. Owns these words; refuses to type them (`bot.demo.hands`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from bot.demo.sample.company import SampleAccount, SampleCompany
from rules.success.templates import plan_journey
from storage.library import find_template

Fields = dict[str, str]


@dataclass(frozen=True)
class Act:
    """One thing a CSM did: `text` typed after /cs; with `fields`, the form that this opens is filled in with them;
    with `button`, the button of that action is pressed on the answer first.
    """

    owner_email: str
    text: str
    button: str = ""
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True)
class Walk:
    """A journey: its template, the stage it stands in and since how many days. `late`: so many milestones that should
    be done are not.
    """

    template: str
    stage: str
    days: int
    late: int = 0


# Stories whose journey and last check-in (days back, how it felt) matter; the others have what their tier has.
_WALKS = {
    "onboarding": Walk("standard", "onboarding", 31, late=1),
    "just started": Walk("light", "onboarding", 12),
    "on premises": Walk("on-premises", "adoption", 35),
    "decides soon": Walk("standard", "renewal", 12),
    "well prepared": Walk("standard", "renewal", 16),
    "gave notice": Walk("standard", "engagement", 30, late=1),
    "sleepy": Walk("standard", "adoption", 112, late=1),
    "slow targets": Walk("standard", "success", 38, late=1),
}
_CHECKED = {
    "onboarding": (4, 4),
    "just started": (5, 4),
    "sleepy": (41, 2),
    "decides soon": (22, 3),
    "well prepared": (6, 5),
    "gave notice": (9, 1),
    "slow targets": (16, 3),
    "silent": (20, 2),
    "fell last week": (13, 3),
}
_NOT_BEGUN = frozenset({"unpaid"})
_RHYTHM = {"A": 14, "B": 30, "C": 90}
_LATE_BY = 2
_TAKEN = ("fell last week", "unpaid")
_PEOPLE = (
    ("Ines Romero", "Head of Operations"), ("Tom Becker", "Managing Director"), ("Yuki Mori", "Head of Logistics"),
    ("Lea Fontaine", "Head of Service"), ("Sam Okafor", "Operations Director"), ("Nora Lind", "Head of Digital"),
    ("Paul Weber", "Plant Manager"), ("Ana Costa", "Head of Sales"),
)  # fmt: skip
_CHINESE = (("李娜", "运营总监"), ("王伟", "总经理"), ("陈静", "服务负责人"))
_CHANGED = {
    5: "They showed the figures to their board and want more teams on it.",
    4: "Going well; a second team asks for training.",
    3: "Works, but the champion has little time this quarter.",
    2: "Hardly anybody opened it last month. They say it is the season.",
    1: "They compare us with another offer; the price is the reason they give.",
}
_STEPS = ("Send the summary of the call", "Plan training for the second team", "Ask who decides on the renewal")


def list_beginnings(company: SampleCompany) -> list[Act]:
    """What was done first: journeys, people, check-ins, notes. Each act stands alone."""
    today = company.today
    late = _list_late(company)
    return [act for each in company.accounts for act in _begin(each, today, is_late=each.external_id in late)]


def list_endings(company: SampleCompany) -> list[Act]:
    """What follows from that: milestones done, and verdicts."""
    return [act for each in company.accounts for act in (*_finish(each, company.today), *_judge(each))]


def list_answers(company: SampleCompany) -> list[Act]:
    """What was done about the alerts of the last days: some are taken, but not by the CSM that a visitor plays."""
    visitor = company.accounts[0].owner_email
    found = [each for name in _TAKEN for each in company.of_story(name) if each.owner_email != visitor]
    return [Act(each.owner_email, f"alerts take {each.name}") for each in found]


def _list_late(company: SampleCompany) -> set[str]:
    """The customers whose check-in is due: one of each CSM, of those to whom nothing else happens."""
    quiet = [each for each in company.accounts if each.story.name in {"steady", "growing"} and each.tier in _RHYTHM]
    first = {each.owner_email: each.external_id for each in reversed(quiet)}
    return set(first.values())


def _begin(account: SampleAccount, today: date, *, is_late: bool) -> Iterator[Act]:
    walk = find_walk(account)
    if walk is not None:
        since = (today - timedelta(days=walk.days)).isoformat()
        text = f"journey {account.name} start {walk.template} at {walk.stage} from {since}"
        yield Act(account.owner_email, text)
    yield from _meet(account, today)
    yield from _check_in(account, today, is_late=is_late)
    yield from _write_down(account, today)


def find_walk(account: SampleAccount) -> Walk | None:
    """The journey a customer is on, None for none."""
    if account.story.name in _NOT_BEGUN:
        return None
    dice = account.dice("walk")
    if account.tier in "AB":
        stage = dice.choice(("adoption", "success"))
        usual = Walk("standard", stage, dice.randint(12, 80), late=int(dice.random() < _SHARE_LATE))
    else:
        usual = Walk("light", "adoption", dice.randint(12, 140))
    return _WALKS.get(account.story.name, usual)


_SHARE_LATE = 0.2


def _finish(account: SampleAccount, today: date) -> Iterator[Act]:
    """The milestones of the stage that should be done by now, but for the late ones, the last of them."""
    walk = find_walk(account)
    template = find_template(walk.template) if walk else None
    if walk is None or template is None:
        return
    since = today - timedelta(days=walk.days)
    plan = plan_journey(template, since, country=account.country, stage_key=walk.stage)
    passed = [each for each in plan.milestones if each.stage_key == walk.stage and each.due_on < today]
    passed.sort(key=lambda each: each.due_on)
    for each in passed[: len(passed) - walk.late]:
        yield Act(account.owner_email, f"milestone {account.name} done {each.key} on {each.due_on.isoformat()}")


def _judge(account: SampleAccount) -> Iterator[Act]:
    """What a CSM says of a renewal in time."""
    verdicts = {
        "well prepared": ("expands", "The goal is reached, and they want a second team on it."),
        "gave notice": ("churns", "Notice is in. A last talk with the director is planned."),
    }
    if account.story.name in verdicts:
        verdict, note = verdicts[account.story.name]
        fields = {"verdict": verdict, "note": note}
        yield Act(account.owner_email, f"renewal {account.name}", button="renewals.verdict", fields=fields)


def _meet(account: SampleAccount, today: date) -> Iterator[Act]:
    """The people at the customer: a sponsor nearly everywhere, gone at one; a champion at the large ones."""
    dice = account.dice("people")
    sponsor, champion = dice.sample(_PEOPLE if account.name.isascii() else _CHINESE, 2)
    name, title = sponsor
    if account.story.name == "sponsor left":
        left_on = (today - timedelta(days=9)).isoformat()
        fields = {"name": name, "title": title, "contact_role": "sponsor", "left_on": left_on}
        yield Act(account.owner_email, f"contact {account.name}", fields=fields)
    elif account.tier in "AB" and account.story.name != "decides soon":
        yield Act(account.owner_email, f"contact {account.name} {name}, {title}, sponsor")
    if account.tier == "A":
        yield Act(account.owner_email, f"contact {account.name} {champion[0]}, {champion[1]}, champion")


def _check_in(account: SampleAccount, today: date, *, is_late: bool) -> Iterator[Act]:
    """The last check-in, within the rhythm of the tier but where the story has it due."""
    rhythm, dice = _RHYTHM.get(account.tier, 0), account.dice("check-in")
    if not rhythm:
        return
    usual = (rhythm + _LATE_BY if is_late else dice.randint(1, rhythm - 3), dice.choice((3, 4, 4, 5)))
    back, pulse = _CHECKED.get(account.story.name, usual)
    fields = {
        "pulse": str(pulse),
        "changed": _CHANGED[pulse],
        "happened_on": (today - timedelta(days=back)).isoformat(),
    }
    if account.tier == "A":
        due_on = today + timedelta(days=dice.choice((0, 1, 2, 4)))
        fields |= {"step": dice.choice(_STEPS), "due_on": due_on.isoformat()}
    if account.story.name == "decides soon":
        fields |= {"risk": "Nobody knows who signs", "plan": "Ask the head of operations for the names"}
    yield Act(account.owner_email, f"checkin {account.name}", fields=fields)


def _write_down(account: SampleAccount, today: date) -> Iterator[Act]:
    """Notes, a next step and a risk, where there is something to tell."""
    day = (today - timedelta(days=account.dice("note").randint(3, 8))).isoformat()
    said = {
        "growing": f"note {account.name} met the head of operations about a second team on {day}",
        "onboarding": f"note {account.name} call: sign-in works, first team begins next week on {day}",
        "gave notice": f"risk {account.name} notice is in, the director asked for a last talk",
        "sponsor left": f"task {account.name} find out who follows the sponsor",
        "support storm": f"note {account.name} email: told them when the fix comes on {day}",
    }
    if account.story.name in said:
        yield Act(account.owner_email, said[account.story.name])
