"""The sample company: who the customers are, made anew from a seed. Owns names, sizes and who plays which story."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date

from bot.demo.sample.stories import CAST, STORIES, Story

COUNT = 40

_FIRST = (
    "Alder", "Basalt", "Cedar", "Delta", "Ember", "Fjord", "Granite", "Harbour", "Indigo", "Juniper", "Kestrel",
    "Lantern", "Meadow", "Nimbus", "Orchard", "Pebble", "Quarry", "Ridge", "Saffron", "Thistle", "Umber", "Vesper",
    "Willow", "Yarrow", "Zephyr", "Amber", "Birch", "Copper", "Drift", "Elm", "Falcon", "Grove", "Heron", "Iris",
)  # fmt: skip
_SECOND = {
    "Logistics": ("Freight", "Logistics", "Lines"),
    "Education": ("Academy", "Learning", "School Group"),
    "Retail": ("Retail", "Outfitters", "Markets"),
    "Health": ("Clinics", "Care", "Health"),
    "Finance": ("Bank", "Capital", "Insurance"),
}
_CHINESE = (("晨光教育", "Education"), ("远山物流", "Logistics"), ("青禾零售", "Retail"), ("明湖医疗", "Health"))
_COUNTRIES = ("DE", "FR", "US", "GB", "SE", "BR", "IN", "CN")
_TEAMS = {
    "Logistics": ("Dispatch", "Warehouse"),
    "Education": ("Teachers", "Office"),
    "Retail": ("Stores", "Online"),
    "Health": ("Reception", "Doctors"),
    "Finance": ("Branches", "Advice"),
}
# metric, unit, kind, baseline, goal (all for a year)
_TARGETS = {
    "Logistics": ("delivery on time", "%", "level", 82.0, 94.0),
    "Education": ("course completion", "%", "level", 55.0, 75.0),
    "Retail": ("conversion", "%", "level", 5.0, 10.0),
    "Health": ("handling time", "min", "level", 18.0, 11.0),
    "Finance": ("answer rate", "%", "level", 70.0, 90.0),
}


@dataclass(frozen=True)
class SampleAccount:
    """One invented customer. Money in whole units a year."""

    external_id: str
    name: str
    industry: str
    country: str
    tier: str
    seats: int
    yearly: int
    currency: str
    owner_email: str
    story: Story
    renews_in_days: int
    aliases: tuple[str, ...] = ()

    @property
    def teams(self) -> tuple[str, ...]:
        """The customer's teams that use the product."""
        return _TEAMS[self.industry]

    @property
    def target(self) -> tuple[str, str, str, float, float]:
        """(metric, unit, kind, baseline, goal) of its yearly target."""
        return _TARGETS[self.industry]

    def dice(self, *about: object) -> random.Random:
        """Chance that is the same in each run for the same customer and subject."""
        return random.Random(":".join(map(str, (self.external_id, *about))))


@dataclass(frozen=True)
class SampleCompany:
    """All customers, seen from `today`, the day the demo begins."""

    today: date
    accounts: tuple[SampleAccount, ...]

    def of_story(self, name: str) -> tuple[SampleAccount, ...]:
        """The customers that play one story."""
        return tuple(each for each in self.accounts if each.story.name == name)


def make_company(seed: int, today: date, owners: tuple[str, ...]) -> SampleCompany:
    """The company of a seed: the same seed gives the same customers, another seed other names in other roles.

    `owners` are the e-mail addresses of the CSMs.
    """
    dice = random.Random(seed)
    names = _draw_names(dice)
    stories = [STORIES[name] for name, count in CAST.items() for _ in range(count)]
    stories += [STORIES["steady"]] * (COUNT - len(stories))
    dice.shuffle(stories)
    accounts = tuple(
        _make_account(dice, f"C-{seed % 90 + 10}{number:02}", name, industry, owners[number % len(owners)], story)
        for number, ((name, industry), story) in enumerate(zip(names, stories, strict=True))
    )
    return SampleCompany(today, accounts)


def _draw_names(dice: random.Random) -> list[tuple[str, str]]:
    industries = list(_SECOND)
    firsts = dice.sample(_FIRST, len(_FIRST))
    names = list(_CHINESE)
    for number in range(COUNT - len(_CHINESE)):
        industry = industries[number % len(industries)]
        first = firsts[number % len(firsts)]
        second = dice.choice(_SECOND[industry])
        lap = "" if number < len(firsts) else " North"
        names.append((f"{first}{lap} {second}", industry))
    dice.shuffle(names)
    return names


def _make_account(
    dice: random.Random, external_id: str, name: str, industry: str, owner: str, story: Story
) -> SampleAccount:
    tier = story.tier or dice.choices("ABCD", weights=(20, 30, 30, 20))[0]
    seats = dice.randint(*{"A": (120, 400), "B": (50, 150), "C": (20, 60), "D": (8, 25)}[tier])
    country = "CN" if not name.isascii() else dice.choice(_COUNTRIES[:-1])
    return SampleAccount(
        external_id=external_id,
        name=name,
        industry=industry,
        country=country,
        tier=tier,
        seats=seats,
        yearly=seats * dice.choice((240, 300, 420)),
        currency={"US": "USD", "GB": "GBP", "CN": "CNY"}.get(country, "EUR"),
        owner_email=owner,
        story=story,
        renews_in_days=dice.randint(*story.ends_in),
        aliases=(name.split(maxsplit=1)[0],) if name.isascii() and " North" not in name else (),
    )
