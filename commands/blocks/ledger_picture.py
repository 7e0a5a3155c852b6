"""The ledger as a picture: one bar per rule, readable on a phone, on a card of its own that suits light and dark. Owns
how it looks; refuses to count and to word. matplotlib is imported when a picture is drawn, and only then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

_WIDTH, _DPI = 4.2, 230
"""Inches and dots: a phone shows the 966 pixels at a third, and ten points as eleven of its own pixels."""
_ROW_HEIGHT, _HEAD, _FOOT = 0.6, 0.5, 0.78
_CARD, _INK, _FAINT = "#f3f4f2", "#22272b", "#6a737b"
_COLOURS = ("#0072b2", "#e69f00", "#b34700", "#9aa3a8", "#d4d9db")
"""Acted on, dismissed, too sensitive, ignored, waiting: told apart also without colour vision, and by their order."""
_INK_ON = ("white", "black", "white", "black", "black")
_LEAST_LABELLED = 0.06
_FONTS = ("Noto Sans CJK SC", "Noto Sans CJK TC", "WenQuanYi Micro Hei", "Source Han Sans SC", "DejaVu Sans")


@dataclass(frozen=True)
class Bar:
    """One rule: its name, what stands at the right above its bar, and how many of each part."""

    name: str
    note: str
    counts: Sequence[int]


@dataclass(frozen=True)
class Sheet:
    """The whole picture: `parts` name the counts of each bar, in their order."""

    title: str
    parts: Sequence[str]
    bars: Sequence[Bar]


def draw_sheet(sheet: Sheet) -> bytes:
    """The picture as a PNG, 966 pixels wide."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.font_manager import fontManager

    known = {each.name for each in fontManager.ttflist}
    family = [name for name in _FONTS if name in known]
    height = _HEAD + _FOOT + _ROW_HEIGHT * len(sheet.bars)
    with rc_context({"font.family": family or ["sans-serif"]}):
        figure = Figure(figsize=(_WIDTH, height), dpi=_DPI, facecolor=_CARD)
        _draw_bars(figure.add_axes((0.04, _FOOT / height, 0.92, 1 - (_HEAD + _FOOT) / height)), sheet)
        figure.text(0.04, 1 - 0.27 / height, sheet.title, fontsize=10.5, color=_INK, weight="bold", va="center")
        return _save(figure)


def _draw_bars(axes: Any, sheet: Sheet) -> None:
    """Widths are shares of the rule's alerts, numbers their counts, so that a rare rule is as readable as a common."""
    for row, bar in enumerate(sheet.bars):
        total, left = sum(bar.counts) or 1, 0.0
        axes.text(0, row - 0.33, bar.name, fontsize=10, color=_INK, va="center")
        axes.text(1, row - 0.33, bar.note, fontsize=9, color=_FAINT, va="center", ha="right")
        for part, count in enumerate(bar.counts):
            share = count / total
            drawn = axes.barh(row + 0.1, share, left=left, height=0.42, color=_COLOURS[part])
            if row == 0:
                drawn.set_label(sheet.parts[part])
            if share >= _LEAST_LABELLED:
                place = (left + share / 2, row + 0.11)
                axes.text(*place, str(count), fontsize=10, color=_INK_ON[part], va="center", ha="center")
            left += share
    axes.set_xlim(0, 1)
    axes.set_ylim(len(sheet.bars) - 0.45, -0.65)
    axes.axis("off")
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        ncols=2,
        frameon=False,
        fontsize=9,
        labelcolor=_INK,
        handlelength=1.0,
        columnspacing=1.2,
    )


def _save(figure: Any) -> bytes:
    made = BytesIO()
    figure.savefig(made, format="png", facecolor=_CARD)
    return made.getvalue()
