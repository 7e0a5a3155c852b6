"""The sample team in the local Slack: a lead and three CSMs in three time zones, and their channels."""

from __future__ import annotations

from playground.model import Channel, Team, User
from playground.seed import Seed

LEAD = "U0LEAD00001"
CSMS = ("U0CSM000001", "U0CSM000002", "U0CSM000003")
ALERTS = "C0ALERTS001"


def make_seed() -> Seed:
    """The workspace before the app is installed."""
    users = [
        User(
            id=LEAD, name="lena", real_name="Lena (lead)", email="lena@demo.example", tz="Europe/Berlin", is_admin=True,
            color="9f69e7",
        ),
        User(
            id=CSMS[0], name="amara", real_name="Amara (CSM)", email="amara@demo.example", tz="Europe/London",
            color="2eb67d",
        ),
        User(
            id=CSMS[1], name="diego", real_name="Diego (CSM)", email="diego@demo.example", tz="America/Sao_Paulo",
            color="e8912d",
        ),
        User(
            id=CSMS[2], name="wei", real_name="伟 Wei (CSM)", email="wei@demo.example", tz="Asia/Shanghai",
            color="36a2c5",
        ),
    ]  # fmt: skip
    everyone = [user.id for user in users]
    channels = [
        Channel(id=ALERTS, name="cs-alerts", members=everyone),
        Channel(id="C0GENERAL01", name="general", members=list(everyone)),
    ]
    return Seed(
        team=Team(id="T0DEMO00001", name="Milepost demo", domain="milepost-demo"), users=users, channels=channels
    )


def list_owner_emails() -> tuple[str, ...]:
    """Who owns the sample customers."""
    return tuple(user.email for user in make_seed().users if user.id in CSMS)
