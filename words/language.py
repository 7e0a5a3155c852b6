"""Which language a reader gets, and the translation of a sentence.

Owns the way from a Slack locale to a gettext catalogue (`words/locale/<language>/milepost.po`; English is the
msgid itself and has none). Refuses numbers, dates and what is inserted into a sentence.

A new language is one more catalogue: no list to edit and nothing to compile.
"""

from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

DEFAULT_LANGUAGE = "en"

_FOLDER = Path(__file__).parent / "locale"


@lru_cache(maxsize=256)
def get_language(locale: str) -> str:
    """The catalogue for a locale: "zh-CN" → "zh_Hans", "zh-TW" and "zh-HK" → "zh_Hant", unknown → "en"."""
    try:
        parsed = Locale.parse(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError):
        return DEFAULT_LANGUAGE
    script = parsed.script or ("Hans" if parsed.language == "zh" else "")
    known = list_languages()
    wanted = (f"{parsed.language}_{script}", parsed.language)
    return next((language for language in wanted if language in known), DEFAULT_LANGUAGE)


@cache
def list_languages() -> tuple[str, ...]:
    """English and every language with a catalogue, sorted."""
    found = {path.parent.name for path in _FOLDER.glob("*/milepost.po")}
    return tuple(sorted(found | {DEFAULT_LANGUAGE}))


def find_catalogue(language: str) -> Path:
    """The file that holds a language's translations; it exists for all of `list_languages` but English."""
    return _FOLDER / language / "milepost.po"


def translate(text: str, locale: str) -> str:
    """The translated msgid, or the msgid itself (English) where none exists."""
    return _load(get_language(locale)).gettext(text) if text else text


def translate_many(one: str, many: str, count: int, locale: str) -> str:
    """The plural form that the language has for `count`."""
    return _load(get_language(locale)).ngettext(one, many, abs(count))


@cache
def _load(language: str) -> NullTranslations:
    if language == DEFAULT_LANGUAGE:
        return NullTranslations()
    with find_catalogue(language).open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
