"""What the rules about journeys and milestones see. Owns these rules; refuses to know what follows."""

from __future__ import annotations

from rules.alerts.evidence import Rule

RULES: tuple[Rule, ...] = ()
