"""Seeds that are expected to fail until a defect is mended. Each goes from here with its defect."""

from __future__ import annotations

OPEN: dict[int, str] = {
    7749: "a signal that the balance is too small for waits beside a free slot for as long as each reading of the "
    "balance is overtaken by the end of another order, instead of being refused",
}
