"""Read only: the user can change nothing, the engine goes on.

It is asked at the one door, so that no screen and no command can forget it. What the engine does by itself (alerts,
fills, targets, timers, checks of keys) is not concerned.
"""

from __future__ import annotations

from execution_engine.domain import document as documents
from execution_engine.domain import inputs as i
from execution_engine.domain.changes import between
from execution_engine.domain.errors import Refusal, SettingsError
from execution_engine.domain.settings import Settings

SWITCH = "security.read_only"
SENTENCE = "Read only: nothing can be changed by hand. Switch it off in Settings, Security, first."

BY_HAND: frozenset[type] = frozenset(
    {
        i.ExitGroup,
        i.CancelLegs,
        i.SetTakeProfitMode,
        i.SetRisk,
        i.RunRisk,
        i.DecideFinding,
        i.CloseAll,
        i.Pause,
        i.Resume,
        i.Promote,
        i.RemoveQueued,
        i.Replay,
        i.AddAccount,
        i.EnableAccount,
        i.DisableAccount,
        i.RemoveAccount,
        i.DefaultAccount,
        i.AddToken,
        i.RotateToken,
        i.RevokeToken,
        i.RenameToken,
        i.AllowAccounts,
        i.SaveSettings,
        i.MayChange,
    }
)


def refusal(settings: Settings, given: i.Input) -> Refusal | None:
    """Return why something that was asked for by hand is not done; None where it may be."""
    if not settings.security.read_only or type(given) not in BY_HAND:
        return None
    if isinstance(given, i.SaveSettings) and _only_ends_it(settings, given.document):
        return None
    return Refusal("READ_ONLY", SENTENCE)


def _only_ends_it(settings: Settings, document: str) -> bool:
    try:
        wanted = documents.parse(document)
    except SettingsError:
        return False
    return [change.path for change in between(settings, wanted)] == [SWITCH]
