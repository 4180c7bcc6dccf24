"""What happened, for the reader of a failure and for the comparison of two runs."""

from __future__ import annotations

import hashlib

from tests.simulation.loop import Timeline


class Story:
    """Notes who did what and when. Its hash is the same for the same history."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._hash = hashlib.sha256()
        self.lines: list[str] = []

    def tell(self, who: str, what: str) -> None:
        line = f"{self._timeline.now:10.3f}  {who:<11} {what}"
        self.lines.append(line)
        self._hash.update(line.encode())

    @property
    def hash(self) -> str:
        return self._hash.hexdigest()
