"""Write docs/settings.md anew: `python -m tests.reference`."""

from tests.reference.settings import DOCUMENT, document

DOCUMENT.parent.mkdir(exist_ok=True)
DOCUMENT.write_text(document(), encoding="utf-8")
