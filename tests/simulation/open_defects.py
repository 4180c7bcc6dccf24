"""Seeds that are expected to fail until a defect is mended. Each goes from here with its defect."""

from __future__ import annotations

OPEN: dict[int, str] = {
    340: "a close that waits to leave keeps its quantity although a late fill has sold a part of it meanwhile",
}
