"""The settings: forms made from the schema, the grid editor, versions, import and export.

A field needs no code here: what `domain/settings.py` says of it (title, help, unit, range, default) makes its row on
the tab of its section, see `tabs.py`. Anything else, such as a list of accounts, is a widget of its own that is put
below the forms with `SettingsPage.tab(key).add_panel(widget)`, or for all windows in `panels.py`, which is called
once with the page when it is built; a panel that changes things asks the engine itself and is not part of what is
saved here.
"""

from execution_engine.ui.pages.settings.page import SettingsPage
from execution_engine.ui.pages.settings.tab import Tab

__all__ = ["SettingsPage", "Tab"]
