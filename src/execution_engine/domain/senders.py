"""Whose addresses are known by name in an allowlist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

# TradingView's support page 43000529348, November 2026. IPv4 only.
PRESETS: dict[str, tuple[str, ...]] = {
    "tradingview": ("52.89.214.238", "34.212.75.30", "54.218.53.128", "52.32.178.7"),
}


def spelled_out(entries: Iterable[str]) -> Iterator[str]:
    """Yield the addresses and networks of an allowlist, with its names replaced."""
    for entry in entries:
        yield from PRESETS.get(entry, (entry,))
