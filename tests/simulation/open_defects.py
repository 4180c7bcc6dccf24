"""Seeds that are expected to fail until a defect is mended. Each goes from here with its defect."""

from __future__ import annotations

OPEN: dict[int, str] = {
    7749: "a signal that the balance may be too small for waits beside a free slot for the next reading of it, for "
    "which the settings of this history allow a minute, instead of having it read at once",
}
