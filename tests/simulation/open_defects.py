"""Seeds that are expected to fail until a defect is mended. Each goes from here with its defect."""

from __future__ import annotations

OPEN: dict[int, str] = {
    20350: "where the clock is set forward while the program is down and a request is still on its way, the fence is "
    "counted from a time of the old clock: an order is taken for lost a few seconds before the exchange takes it",
}
