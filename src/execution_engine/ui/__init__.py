"""The screen: Qt widgets over the rows that were released."""

import sys
from types import ModuleType

import PySide6.QtCore  # noqa: F401 (whatever is imported after this line would have its source read)


def _keep_sources_unread() -> None:
    """Have PySide6 not read the source of every module that is imported from now on.

    It looks for modules that want other spellings of Qt's names, `from __feature__ import snake_case`; nothing here
    does. Python keeps what was read: 370,000 lines, 40 MB.
    """
    looks: ModuleType | None = sys.modules.get("shibokensupport.feature")
    if hasattr(looks, "_mod_uses_pyside"):
        setattr(looks, "_mod_uses_pyside", lambda module: False)  # noqa: B010 (a module declares no such thing)


_keep_sources_unread()
