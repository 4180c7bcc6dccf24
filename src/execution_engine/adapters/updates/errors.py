"""What keeps a release document from being had or believed.

EngineError
└── UpdateError
    ├── Unreachable     try again later
    └── Unsigned        don't trust it; somebody may be in the way
"""

from __future__ import annotations

from execution_engine.domain.errors import EngineError


class UpdateError(EngineError):
    """New versions cannot be asked about. The text is a sentence for the user."""


class Unreachable(UpdateError):
    """The document could not be had, or is nothing that such a document can be."""


class Unsigned(UpdateError):
    """The document is not signed by a key that this program knows."""
