"""What the rules about contracts see. Owns these rules; refuses to know what follows."""

from __future__ import annotations

from rules.alerts.evidence import Rule

RULES: tuple[Rule, ...] = ()
