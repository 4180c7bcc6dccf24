"""Leave in an installed ccxt only the exchanges that the application trades on.

ccxt's three packages import a hundred exchanges each, of which four are used: the rest would be two thirds of the
program and half of the time that the first order waits. To be run on an environment made for building, never on
the one that is worked in.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection
from pathlib import Path

KEPT = ("binance", "bybit", "kucoin", "okx")
PACKAGES = ("", "async_support", "pro")


def trimmed(source: str, kept: Collection[str]) -> str:
    """Return a package's source without the imports and names of exchanges that are not kept."""
    listed = re.search(r"^exchanges = \[\n(.*?)^\]", source, re.MULTILINE | re.DOTALL)
    if listed is None:
        raise SystemExit("ccxt lists no exchanges any more: look at its __init__.py")
    names = set(re.findall(r"'(\w+)'", listed[1]))
    if missing := set(kept) - names:
        raise SystemExit(f"ccxt has no {', '.join(sorted(missing))} any more")
    gone = "|".join(sorted(names - set(kept)))
    if not gone:
        return source
    source = re.sub(rf"^from ccxt[\w.]*\.({gone}) import .*\n", "", source, flags=re.MULTILINE)
    return re.sub(rf"^ +'({gone})',\n", "", source, flags=re.MULTILINE)


def trim(package: Path, kept: Collection[str] = KEPT) -> None:
    """Rewrite the packages of an installed ccxt. Done twice it changes nothing more."""
    for name in PACKAGES:
        file = package / name / "__init__.py"
        file.write_text(trimmed(file.read_text(encoding="utf-8"), kept), encoding="utf-8")


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
