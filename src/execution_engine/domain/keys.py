"""Keys of an account, and what an exchange says about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Keys:
    """What proves to an exchange who asks. `passphrase` is empty where the exchange has none."""

    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What was found out about an account's keys. None stands for what the exchange does not tell.

    reached: the exchange answered; without that, nothing else is known.
    can_withdraw: withdrawing or transferring. mode_fits: the account's own mode is the one its settings ask for.
    ip_bound: the key works from named addresses only. expires_at: when the exchange ends the key.
    problems: sentences; with any of them the account cannot be enabled.
    """

    at: datetime
    reached: bool = True
    can_read: bool = False
    can_trade: bool = False
    can_withdraw: bool | None = None
    mode_fits: bool = False
    ip_bound: bool | None = None
    expires_at: datetime | None = None
    problems: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """Return why the keys cannot be used, a sentence each; empty if they can."""
        if not self.reached:
            return self.problems or ("The exchange could not be asked about these keys.",)
        found = (
            (not self.can_read, "These keys cannot read the account's balance."),
            (not self.can_trade, "These keys may not trade: give them that right on the exchange."),
            (
                self.can_withdraw is True,
                "These keys may withdraw or transfer: make keys that may only read and trade.",
            ),
            (
                not self.mode_fits,
                "The account's mode on the exchange is not the one that its settings ask for.",
            ),
        )
        return (*self.problems, *(text for wrong, text in found if wrong))

    @property
    def is_unverified(self) -> bool:
        """Return whether the exchange does not tell if these keys can take money out."""
        return self.reached and self.can_withdraw is None


def nothing_to_check(now: datetime) -> CheckResult:
    """Return the result for an account without keys: on paper everything is allowed and nothing can be taken."""
    return CheckResult(
        at=now,
        can_read=True,
        can_trade=True,
        can_withdraw=False,
        mode_fits=True,
        ip_bound=None,
        expires_at=None,
    )


def unreachable(now: datetime, reason: str) -> CheckResult:
    """Return the result of a check that found nobody to ask; `reason` is a sentence."""
    return CheckResult(at=now, reached=False, problems=(reason,))
