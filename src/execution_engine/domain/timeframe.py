"""Timeframes in one canonical form: `30s`, `15m`, `90m`, `1h`, `4h`, `1d`, `1w`, `1M`.

TradingView writes minutes as a bare number and other units with a capital letter (`15`, `240`, `1D`, `W`).
"""

from __future__ import annotations

import re

_FORM = re.compile(r"([0-9]{0,5})(S|s|m|h|H|D|d|W|w|M)?", re.ASCII)
_MINUTES = {"": 1, "m": 1, "h": 60, "H": 60}
_DAY = 1440


def canonical(text: str) -> str | None:
    """Return the canonical form, or None for what is no timeframe."""
    match = _FORM.fullmatch(text)
    if not text or match is None:
        return None
    digits, unit = match[1], match[2] or ""
    count = int(digits) if digits else 1
    if count < 1 or not (digits or unit in "DdWwMSs"):
        return None
    if unit in _MINUTES:
        return _minutes(count * _MINUTES[unit])
    if unit in "Ss":
        return _minutes(count // 60) if count % 60 == 0 else f"{count}s" if count < 86400 else None
    return f"{count}{unit if unit == 'M' else unit.lower()}" if count <= 366 else None


def _minutes(minutes: int) -> str | None:
    if minutes > _DAY:
        return None
    if minutes == _DAY:
        return "1d"
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"
