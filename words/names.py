"""Names: which one somebody means, however they typed it.

Owns folding, slugs, and the way from typed words to one of many named things. Refuses to know what is named:
accounts, metrics and people come as `Named`. Traditional and simplified Chinese stay different.
"""

import re
import string
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from typing import Literal

from rapidfuzz import fuzz, process

How = Literal["id", "name", "alias", "prefix", "close", "ambiguous", "none"]

CLOSE = 85.0
"""Least similarity (Indel ratio, 0 to 100) of a typing error: "acne corp" and "Acme Corp" have 88.9."""

_EXACT: tuple[How, ...] = ("id", "name", "alias")
_CLEAR_LEAD = 5.0
_SHORTEST_CLOSE = 4
_SHORTEST_PREFIX = 2
_SHORT_WORD = 2
_PART_WEIGHT = 0.9
_LEAST_PART = 60.0
_LONGEST_QUERY = 120
_LONGEST_SLUG = 80
_MOST_TYPED_WORDS = 24
_KEPT_SYMBOLS = "+$<>=|~"
_ASCII = str.maketrans(
    dict.fromkeys(set(string.punctuation) - set(_KEPT_SYMBOLS), " ")
    | dict.fromkeys([*map(chr, range(0x20)), "\x7f"], " ")
    | {"'": "", "`": ""}
)
_APOSTROPHES = "’‘ʼ´"
_ACCENTS = range(0x300, 0x370)
_CJK = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]")
_QUOTES = {'"': '"', "“": "”", "”": "”", "„": "“", "‘": "’", "'": "'", "「": "」", "『": "』", "«": "»", "＂": "＂"}


@dataclass(frozen=True)
class Named:
    """Something with an id and every name it goes by: the shown name first, then external id, slug, aliases."""

    id: str
    names: tuple[str, ...]

    @cached_property
    def folded(self) -> tuple[str, ...]:
        """The id and the names, folded; kept, because ten thousand of them are compared with each query."""
        return (fold(self.id), *map(fold, self.names))


@dataclass(frozen=True)
class Found:
    """The answer to "which one?".

    `match` is set for the first five kinds of `how`. For "ambiguous" and "none" `nearest` lists the
    candidates, best first.
    """

    match: Named | None
    nearest: tuple[Named, ...]
    how: How


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """The form in which two spellings of a name are equal: case, width, Latin accents, punctuation, spaces.

    `fold("  ACME—Corp. ") == "acme corp"`, `fold("Ｃａｆé") == "cafe"`, `fold("O’Brien") == "obrien"`. A name of
    punctuation alone keeps it, so that "!!!" and "???" stay two names. Folding twice changes nothing.
    """
    if text.isascii():
        plain = text.lower()
        folded = plain.translate(_ASCII)
    else:
        plain = _normalize(text)
        folded = "".join(map(_fold_sign, plain))
    return " ".join(folded.split()) or "".join(sign for sign in plain if sign.isprintable()).strip()


def slug(text: str) -> str:
    """A stable key: "acme-corp", "宁德时代"; at most 80 letters and digits of any script, joined by hyphens.

    A name without letters and digits gets its code points: "!!!" is "u21-21-21".
    """
    words = ("".join(filter(_is_word_sign, word)) for word in fold(text).split())
    joined = "-".join(filter(None, words))
    return (joined or "u" + "-".join(f"{ord(sign):x}" for sign in text))[:_LONGEST_SLUG].strip("-")


def find_name(query: str, among: Iterable[Named], *, nearest: int = 3) -> Found:
    """The one that `query` means, by the first of these that fits:

    1. equal to an id, else a shown name, else another name (folded);
    2. the beginning of the names of exactly one, whole words before parts of words ("acme" is Acme Corp
       beside Acmetron), never within a number ("A-10" is not A-103); in Chinese any part of a name;
    3. one close enough to be a typing error (see `CLOSE`), clearly ahead of the others, with the same
       numbers and words of one or two letters ("client 12" is not a slip for "client 13").

    Otherwise the `nearest` few, or none at all for an empty query.
    """
    return _Register(among).find(fold(query[:_LONGEST_QUERY]), nearest)


def split_leading_name(text: str, among: Iterable[Named], *, nearest: int = 3) -> tuple[Found, str]:
    """The name that `text` begins with, and the rest: "acme corp conversion 7.5%" → Acme Corp, "conversion 7.5%".

    A quoted name is taken as it stands. Otherwise the longest run of leading words that is a name or the
    beginning of one counts; a typing error only where it explains more words than that; Chinese names also
    without a space after them. When nothing is found, the rest is the whole text.
    """
    register = _Register(among)
    text = text.strip()
    close = text.find(_QUOTES.get(text[:1], "\0"), 1)
    if close > 0:
        return register.find(fold(text[1:close]), nearest), text[close + 1 :].lstrip()
    found, end = register.find_leading(text, _list_ends(text, register.count_most_words()), nearest)
    return found, text[end:].lstrip()


class _Register:
    """Folded names side by side with what they name."""

    def __init__(self, among: Iterable[Named]) -> None:
        self._texts: list[str] = []
        self._owners: list[Named] = []
        for named in among:
            folded = named.folded
            self._texts += folded
            self._owners += [named] * len(folded)

    def count_most_words(self) -> int:
        """How many words the longest name has."""
        return max((text.count(" ") for text in self._texts), default=0) + 1

    def find(self, query: str, nearest: int) -> Found:
        """See `find_name`; the query is folded."""
        found = self.find_literal(query, nearest) or self.find_close(query, nearest)[1]
        return found or Found(None, self.list_nearest(query, nearest), "none")

    def find_leading(self, text: str, ends: list[int], nearest: int) -> tuple[Found, int]:
        """See `split_leading_name`; `ends` are where its first words end. Returns where the name ends, too."""
        literal, end = self._find_longest_literal(text, ends, nearest)
        if literal and literal.how in _EXACT:
            return literal, end
        if glued := self._find_glued(text):
            return glued
        longer = [(self.find_close(fold(text[:stop]), nearest), stop) for stop in ends if stop >= end]
        (_score, close), close_end = max(longer, key=lambda hit: hit[0][0], default=((0.0, None), 0))
        if close and close_end > end:
            return close, close_end
        first_words = fold(text[: ends[min(len(ends), 2) - 1]]) if ends else ""
        return literal or Found(None, self.list_nearest(first_words, nearest), "none"), end

    def find_literal(self, query: str, nearest: int) -> Found | None:
        """What the query is, or begins; several of them are ambiguous."""
        return self._find_exact(query, nearest) or self._find_prefix(query, nearest)

    def find_close(self, query: str, nearest: int) -> tuple[float, Found | None]:
        """The best similarity and what it means: a match, several equally close, or nothing."""
        if len(query) < _SHORTEST_CLOSE:
            return 0.0, None
        hits = process.extract(query, self._texts, scorer=fuzz.ratio, score_cutoff=CLOSE, limit=20)
        fixed = _get_fixed_words(query)
        scores: dict[Named, float] = {}
        for text, score, place in hits:
            if _get_fixed_words(text) == fixed:
                scores.setdefault(self._owners[place], score)
        if not scores:
            return 0.0, None
        best = max(scores.values())
        rivals = [named for named, score in scores.items() if score > best - _CLEAR_LEAD]
        return best, _pick(rivals, "close", nearest)

    def list_nearest(self, query: str, nearest: int) -> tuple[Named, ...]:
        """Those with the most similar name or part of a name, best first."""
        if not query:
            return ()
        scores: dict[Named, float] = {}
        for scorer, weight, least in ((fuzz.ratio, 1.0, 0.0), (fuzz.partial_ratio, _PART_WEIGHT, _LEAST_PART)):
            hits = process.extract(query, self._texts, scorer=scorer, score_cutoff=least, limit=10 * nearest)
            for _text, score, place in hits:
                named = self._owners[place]
                scores[named] = max(scores.get(named, 0.0), score * weight)
        return tuple(sorted(scores, key=lambda named: -scores[named])[:nearest])

    def _find_exact(self, query: str, nearest: int) -> Found | None:
        hits = [self._owners[place] for place, text in enumerate(self._texts) if text == query]
        if not hits or not query:
            return None
        kinds = [_get_kind(named, query) for named in hits]
        best = min(kinds, key=_EXACT.index)
        return _pick([named for named, kind in zip(hits, kinds, strict=True) if kind == best], best, nearest)

    def _find_prefix(self, query: str, nearest: int) -> Found | None:
        is_chinese = bool(_CJK.search(query))
        if len(query) < _SHORTEST_PREFIX and not is_chinese:
            return None
        hits = [place for place, text in enumerate(self._texts) if text.startswith(query)]
        fair = [place for place in hits if _is_cut_fair(self._texts[place], query)]
        whole = [place for place in fair if self._texts[place][len(query)] == " "]
        chosen = whole or fair
        if is_chinese and not chosen:
            chosen = [place for place, text in enumerate(self._texts) if query in text]
        chosen.sort(key=lambda place: len(self._texts[place]))
        return _pick([self._owners[place] for place in chosen], "prefix", nearest) if chosen else None

    def _find_longest_literal(self, text: str, ends: list[int], nearest: int) -> tuple[Found | None, int]:
        for end in reversed(ends):
            if found := self.find_literal(fold(text[:end]), nearest):
                return found, end
        return None, 0

    def _find_glued(self, text: str) -> tuple[Found, int] | None:
        """A Chinese name with the next word written right after it."""
        folded = fold(text[:_LONGEST_QUERY])
        names = {name for name in self._texts if name and folded.startswith(name) and _CJK.match(name[-1])}
        if not names:
            return None
        name = max(names, key=len)
        end = next((stop for stop in range(1, len(text)) if fold(text[:stop]) == name), 0)
        found = self._find_exact(name, nearest=1)
        return (found, end) if found and end else None


def _pick(candidates: list[Named], how: How, nearest: int) -> Found:
    distinct = tuple({named.id: named for named in reversed(candidates)}.values())[::-1]
    if len(distinct) == 1:
        return Found(distinct[0], (), how)
    return Found(None, distinct[:nearest], "ambiguous")


def _list_ends(text: str, most_words: int) -> list[int]:
    """Where the first words end, as far as a name of so many folded words can reach.

    A lone sign is no word: of two ends with the same folded text the first counts, so "- 3" stays with the rest.
    """
    ends: dict[str, int] = {}
    for word in islice(re.finditer(r"\S+", text), _MOST_TYPED_WORDS):
        ends.setdefault(fold(text[: word.end()]), word.end())
    return [end for folded, end in ends.items() if folded.count(" ") < most_words]


def _get_kind(named: Named, query: str) -> How:
    """What of `named` equals the folded query; something does."""
    return _EXACT[min(named.folded.index(query), len(_EXACT) - 1)]


def _is_cut_fair(text: str, prefix: str) -> bool:
    """Whether a prefix shorter than the text ends outside a number."""
    return len(text) > len(prefix) and not (prefix[-1].isdigit() and text[len(prefix)].isdigit())


def _get_fixed_words(text: str) -> list[str]:
    """The words in which every sign counts: numbers and words of one or two letters."""
    return sorted(word for word in text.split() if len(word) <= _SHORT_WORD or any(sign.isdigit() for sign in word))


def _normalize(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", decomposed) if ord(sign) not in _ACCENTS)
    return unicodedata.normalize("NFKC", plain)


def _fold_sign(sign: str) -> str:
    category = unicodedata.category(sign)
    if category == "Cf" or sign in _APOSTROPHES or sign in "'`":
        return ""
    is_kept = category[0] in "LNM" or category in ("Sc", "So", "Sm")
    return sign if is_kept else " "


def _is_word_sign(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LNM"
