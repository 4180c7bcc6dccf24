"""The settings: forms made from the schema, the grid editor, versions, import and export.

A field needs no code here: what `domain/settings.py` says of it (title, help, unit, range, default) makes its row on
the tab of its section, see `tabs.py`. Anything else, such as a list of webhooks, is a widget of its own. Add
the key of its tab and what makes it from the bridge to `PANELS` in `panels.py`, or to `ON_TOP` for one above the forms;
a single one is put on with `SettingsPage.tab(key).add_panel(widget)`. A panel that changes things asks the engine
itself and is not part of what is saved here; before what is no row (keys, a process) it asks with `MayChange`, for
read only.
"""

from execution_engine.ui.pages.settings.page import SettingsPage
from execution_engine.ui.pages.settings.tab import Tab

__all__ = ["SettingsPage", "Tab"]
