"""Seeds that are expected to fail until a defect is mended. Each goes from here with its defect."""

from __future__ import annotations

OPEN: dict[int, str] = {
    2704: "a late fill left two opposite groups of one market, which have closed one another at the exchange in "
    "one-way mode: both go on asking for a close of 0.02 that there is nothing for",
}
