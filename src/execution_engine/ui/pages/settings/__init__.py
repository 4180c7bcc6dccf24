"""The settings: forms made from the schema, the grid editor, versions, import and export.

A field needs no code here: what `domain/settings.py` says of it (title, help, unit, range, default) makes its row on
the tab of its section, see `tabs.py`. Anything else, such as a list of accounts, is a widget of its own that is put
below the forms with `SettingsPage.tab(key).add_panel(widget)`: add the tab's key and what makes your panel from the bridge to `PANELS`, or
to `ON_TOP` for one above the forms, in `panels.py`. A panel that changes things asks the engine itself and is not part
of what is saved here; what is no row (keys, a process) it asks for with the input `MayChange` first, for read only.
"""

from execution_engine.ui.pages.settings.page import SettingsPage
from execution_engine.ui.pages.settings.tab import Tab

__all__ = ["SettingsPage", "Tab"]
