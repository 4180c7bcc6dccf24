"""Seeds that are expected to fail until a defect is mended. Each goes from here with its defect."""

from __future__ import annotations

OPEN: dict[int, str] = {
    412: "one blind look-up after the fence is enough to book an order as never placed that is there",
    437: "a lost exit that was replaced closes a newer group's position when it arrives after all",
}
