"""Seeds that are expected to fail until a defect is mended. Each goes from here with its defect."""

from __future__ import annotations

OPEN: dict[int, str] = {}
