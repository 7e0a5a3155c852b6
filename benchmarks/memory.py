"""How much memory a process holds, as Linux counts it; NaN, and no effect, elsewhere. Owns these readings."""

from __future__ import annotations

import math
from pathlib import Path

_PROCESS = Path("/proc/self")


def read_resident_mb() -> float:
    """What this process holds now, in MB of 1024 × 1024 bytes."""
    return _read("VmRSS")


def read_peak_mb() -> float:
    """The most it ever held, or since `forget_peak`. Counted from its own start, whatever its parent held."""
    return _read("VmHWM")


def forget_peak() -> None:
    """Let Linux count the peak from here."""
    path = _PROCESS / "clear_refs"
    if path.exists():
        path.write_text("5", encoding="ascii")


def _read(name: str) -> float:
    path = _PROCESS / "status"
    if not path.exists():
        return math.nan
    line = next(each for each in path.read_text(encoding="ascii").splitlines() if each.startswith(name))
    return int(line.split()[1]) / 1024
