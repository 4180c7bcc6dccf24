"""Write docs/faults.md anew: `python -m tests.faults`."""

from tests.faults.table import DOCUMENT, document

DOCUMENT.parent.mkdir(exist_ok=True)
DOCUMENT.write_text(document(), encoding="utf-8")
