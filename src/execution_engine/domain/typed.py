"""Numbers as people type them: with the decimal mark of their country, and never guessed.

One mark, a point or a comma, is the decimal mark. Marks for thousands are not taken, because 1,234 means one
thing in London and another in Berlin: what can be read in two ways is refused with a sentence that names both.
Spaces are no digits and are left out.
"""

from __future__ import annotations

import re
from decimal import Decimal

MOST_DIGITS = 28
_SPACES = dict.fromkeys(map(ord, " \t\u00a0\u2007\u2009\u202f"))
_MINUS = {ord("\u2212"): "-", ord("\u2013"): "-"}
_PLAIN = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:([.,'’])\d{3})(?:\1\d{3})*(?:[.,]\d*)?", re.ASCII)
_COMMA_THOUSAND = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
_POINT_THOUSAND = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{2}0", re.ASCII)


def read_number(typed: str, unit: str = "") -> Decimal | str:
    """Return the number that was typed, or the sentence that says why it is none. A unit behind it is left out."""
    text = typed.strip().removesuffix(unit).translate(_SPACES).translate(_MINUS)
    if not text:
        return "is missing"
    if _COMMA_THOUSAND.fullmatch(text) or _POINT_THOUSAND.fullmatch(text):
        return _two_ways(text)
    if not _PLAIN.fullmatch(text):
        return _refusal(text)
    number = Decimal(text.replace(",", "."))
    if len(number.as_tuple().digits) > MOST_DIGITS:
        return f"has more than {MOST_DIGITS} digits"
    return number


def _two_ways(text: str) -> str:
    whole, _, rest = text.partition("," if "," in text else ".")
    decimals = rest.rstrip("0") or "0"
    return f"“{text}” can be read as {whole}{rest} and as {whole}.{decimals}: write it one of these ways"


def _refusal(text: str) -> str:
    if _GROUPED.fullmatch(text):
        *whole, last = re.split(r"[.,'’]", text)
        same = len(set(re.findall(r"[.,'’]", text))) == 1
        plain = "".join([*whole, last]) if same else f"{''.join(whole)}.{last}".rstrip(".")
        return f"write thousands without marks: {plain}"
    if re.search(r"\d\s*[eE]\s*[+-]?\d", text):
        return "must be written with all its digits, without an exponent"
    return "must be a number"
