"""A form per account: how it trades perpetuals."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from execution_engine.domain.instrument import Market
from execution_engine.domain.rows import Account, Mode
from execution_engine.domain.schema import Setting
from execution_engine.ui import schema
from execution_engine.ui.format import exchange_name
from execution_engine.ui.pages.settings.tab import Tab
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Panel

SPOT = frozenset({"default"})  # leverage and modes are for perpetuals


class AccountForms:
    """Keep one form per account on a tab, as accounts come and go."""

    def __init__(self, tab: Tab, accounts: Callable[[], Iterable[Account]]) -> None:
        """Take the tab, and which accounts there are."""
        self._tab, self._accounts = tab, accounts
        self._forms: dict[str, Panel] = {}

    def refresh(self) -> None:
        """Add forms for new accounts and take those away whose account is gone."""
        there = {account.name: account for account in self._accounts()}
        for name in [name for name in self._forms if name not in there]:
            self._tab.remove_panel(self._forms.pop(name))
        for name, account in there.items():
            if name not in self._forms:
                market = tr("spot") if account.market is Market.SPOT else tr("USDT perpetual")
                real = exchange_name(account.exchange)
                exchange = tr("every exchange's rules") if account.mode is Mode.PAPER else real
                subtitle = f"{exchange} · {market} · {tr(account.mode.value)}"
                at = len(self._forms)
                self._forms[name] = self._tab.add_form(
                    tr("Account {name}").format(name=name), subtitle, fields(account), at
                )


def fields(account: Account) -> tuple[Setting, ...]:
    """Return the settings that mean something for an account."""
    found = schema.of_account(account.name)
    return tuple(each for each in found if account.market is Market.SWAP or each.name in SPOT)
