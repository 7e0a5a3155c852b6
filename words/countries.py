"""Countries, as people type and read them.

Owns text to ISO 3166 code (two letters) and back. Refuses holidays and zones.
"""

from functools import cache

from babel import Locale
from babel.core import get_global

from words.errors import WordsError, excerpt
from words.language import get_language, list_languages
from words.names import fold

_CODE_LENGTH = 2
_SHORTEST_BEGINNING = 4
_NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
_SAID = {"uk": "GB", "great britain": "GB", "england": "GB", "america": "US", "korea": "KR", "holland": "NL"}


class CountryError(WordsError):
    """The text is no country."""


def parse_country(text: str) -> str:
    """Read `DE`, `deu`, `Germany`, `德国` or `Switz` as the code `DE` (`CH`); a name may be left unfinished after four
    letters where only one country begins so.

    Raises:
        CountryError: not a country, or the beginning of several.
    """
    typed, known = fold(text), _list_names()
    beginnings = {code for name, code in known.items() if len(typed) >= _SHORTEST_BEGINNING and name.startswith(typed)}
    code = known.get(typed) or (beginnings.pop() if len(beginnings) == 1 else None)
    if code is None:
        raise CountryError("“{text}” is no country I know. Type it like DE or Germany.", text=excerpt(text))
    return code


def format_country(code: str, locale: str) -> str:
    """The country's name in the reader's language; a code without one stands for itself."""
    return str(Locale.parse(get_language(locale)).territories.get(code, code))


@cache
def _list_names() -> dict[str, str]:
    """Codes by folded name in every language we speak, and by codes of two and three letters."""
    found: dict[str, str] = {}
    for language in list_languages():
        territories = Locale.parse(language).territories.items()
        found |= {fold(name): code for code, name in territories if _is_country(code)}
    codes = set(found.values())
    replaced = get_global("territory_aliases").items()
    longer = {long.lower(): codes_[0] for long, codes_ in replaced if long.isalpha() and codes_[0] in codes}
    return longer | found | _SAID | {code.lower(): code for code in codes}


def _is_country(code: str) -> bool:
    return len(code) == _CODE_LENGTH and code.isalpha() and code not in _NO_COUNTRIES
