"""How alerts about journeys and milestones look. Owns their words and buttons; refuses to lay them out
(`commands.blocks.alerts`).
"""

from __future__ import annotations

from commands.blocks.alert_looks import Look
from rules.records import AlertKind

LOOKS: dict[AlertKind, Look] = {}
