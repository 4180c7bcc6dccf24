"""Write docs/exchange-traps.md anew: `python -m tests.traps`."""

from tests.traps.table import DOCUMENT, document

DOCUMENT.write_text(document(), encoding="utf-8")
