"""Currencies: which sign or word means which ISO 4217 code, and how many minor digits a code has.

Owns symbols and codes. Refuses amounts. The codes and digits come from CLDR (through Babel): legal tender
of today, so that a word such as "ESP" in a text is not taken for a currency nobody pays in.
"""

from functools import cache

from babel.core import get_global
from babel.numbers import get_currency_precision

_SHOWN = {
    "AUD": "A$", "BRL": "R$", "CAD": "CA$", "CNY": "¥", "EUR": "€", "GBP": "£", "HKD": "HK$", "ILS": "₪",
    "INR": "₹", "JPY": "JP¥", "KRW": "₩", "MXN": "MX$", "NZD": "NZ$", "PHP": "₱", "SGD": "SG$", "TRY": "₺",
    "TWD": "NT$", "UAH": "₴", "USD": "$", "VND": "₫",
}  # fmt: skip
_TYPED = {symbol.casefold(): code for code, symbol in _SHOWN.items()} | {
    "us$": "USD", "美元": "USD", "美金": "USD", "cn¥": "CNY", "rmb": "CNY", "元": "CNY", "块": "CNY", "圆": "CNY",
    "人民币": "CNY", "人民幣": "CNY", "円": "JPY", "日元": "JPY", "日圆": "JPY", "日圓": "JPY", "欧元": "EUR",
    "歐元": "EUR", "euro": "EUR", "euros": "EUR", "英镑": "GBP", "英鎊": "GBP", "港元": "HKD", "港币": "HKD",
    "港幣": "HKD", "新台币": "TWD", "新臺幣": "TWD", "新台幣": "TWD", "台币": "TWD", "台幣": "TWD", "c$": "CAD",
    "加元": "CAD", "au$": "AUD", "澳元": "AUD", "s$": "SGD", "新加坡元": "SGD", "kč": "CZK", "zł": "PLN",
    "₽": "RUB", "฿": "THB",
}  # fmt: skip
_SHARED = {
    "$": frozenset({"AUD", "BRL", "CAD", "CLP", "COP", "HKD", "MXN", "NZD", "SGD", "TWD", "USD"}),
    "¥": frozenset({"CNY", "JPY"}),
    "元": frozenset({"CNY", "HKD", "MOP", "TWD"}),
    "kr": frozenset({"DKK", "ISK", "NOK", "SEK"}),
}
# In lower case these are English words first.
_ENGLISH = frozenset({"all", "bam", "cup", "gel", "mad", "mop", "ron", "sos", "top", "try"})


@cache
def _tender() -> frozenset[str]:
    entries = (entry for territory in get_global("territory_currencies").values() for entry in territory)
    return frozenset(code for code, _start, end, is_tender in entries if is_tender and end is None)


def find_currency(text: str, home: str = "") -> str | None:
    """The ISO 4217 code that `text` (a symbol, word or code) means, or None.

    `home` is the currency meant by a sign that several currencies share: $ is home for a dollar, otherwise
    USD; ¥ is home for JPY, otherwise CNY; kr is readable only with a Nordic home.
    """
    sign = text.casefold()
    if home in _SHARED.get(sign, ()):
        return home
    if sign in _TYPED:
        return _TYPED[sign]
    is_word = sign in _ENGLISH and not text.isupper()
    return text.upper() if text.upper() in _tender() and not is_word else None


def get_symbol(currency: str) -> str:
    """What is shown before an amount: a symbol no other currency has here, else the code and a thin gap."""
    return _SHOWN.get(currency, f"{currency}\u202f")


def get_minor_digits(currency: str) -> int:
    """Digits after the point: 2 for EUR, 0 for JPY, 3 for KWD; 2 for codes CLDR does not know."""
    return get_currency_precision(currency)
