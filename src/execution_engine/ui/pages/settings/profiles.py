"""The grid profiles as they stand in the forms: named lists of legs, which is the default, what is bound to which."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Any

from PySide6.QtCore import QObject, Signal

from execution_engine.domain.money import HUNDRED, ZERO, text
from execution_engine.domain.rows import Layer
from execution_engine.domain.settings import DEFAULT_GRID
from execution_engine.ui.format import counted
from execution_engine.ui.pages.settings.sheet import Sheet
from execution_engine.ui.tongue import tr

PROFILES, BINDINGS, DEFAULT = "grid.profiles", "grid.bindings", "grid.default"
MOST_LEGS = 50
GAP, WEIGHT, TARGET = COLUMNS = ("gap_percent", "weight_percent", "tp_percent")
Leg = dict[str, str]
Profiles = dict[str, list[Leg]]


class ProfileBook(QObject):
    """Change profiles in a sheet; one of them is looked at.

    chosen: another profile is looked at, or its legs are others than those that stand in a table.
    """

    chosen = Signal()

    def __init__(self, sheet: Sheet, parent: QObject | None = None) -> None:
        """Look at the default profile first."""
        super().__init__(parent)
        self.sheet = sheet
        self.current: str = self.default
        sheet.refilled.connect(self._refilled)

    # -- reading

    @property
    def profiles(self) -> Profiles:
        """Return a copy of all profiles."""
        return deepcopy(self.sheet.value(PROFILES))

    @property
    def names(self) -> list[str]:
        """Return the names of the profiles, the default first."""
        return sorted(self.sheet.value(PROFILES), key=lambda name: (name != self.default, name))

    @property
    def default(self) -> str:
        """Return the name of the default profile."""
        return str(self.sheet.value(DEFAULT))

    @property
    def legs(self) -> list[Leg]:
        """Return the legs of the profile that is looked at."""
        return list(self.profiles.get(self.current, ()))

    def layers(self) -> tuple[Layer, ...]:
        """Return the legs that can be drawn: those whose numbers make sense."""
        found = []
        for leg in self.legs:
            try:
                gap, weight, target = (Decimal(leg[name]) for name in COLUMNS)
            except InvalidOperation:
                continue
            if weight > 0 and target > 0:
                found.append(Layer(gap_percent=gap, weight_percent=weight, tp_percent=target))
        return tuple(found)

    def weights(self) -> Decimal:
        """Return the sum of the weights [%]."""
        return sum((Decimal(leg[WEIGHT]) for leg in self.legs), ZERO)

    def users(self, name: str) -> list[str]:
        """Return what a profile is bound to, in words."""
        return [words_of(binding) for binding in self.sheet.value(BINDINGS) if binding.get("profile") == name]

    def subtitle(self, name: str) -> str:
        """Say how many legs a profile has, and who uses it."""
        used = list(self.users(name))
        if name == self.default:
            used.append(tr("all other symbols") if self.sheet.value(BINDINGS) else tr("all symbols"))
        legs = counted(len(self.profiles[name]), tr("leg"), tr("legs"))
        return f"{legs} · {', '.join(used) or tr('named by alerts only')}"

    def fault(self) -> str:
        """Return what is wrong with the profile that is looked at."""
        return self.sheet.fault(f"{PROFILES}.{self.current}")

    # -- choosing and naming

    def choose(self, name: str) -> None:
        """Look at another profile."""
        if name != self.current and name in self.sheet.value(PROFILES):
            self.current = name
            self.chosen.emit()

    def add(self) -> None:
        """Add a profile with the legs of the built-in one."""
        legs = [each.model_dump(mode="json") for each in DEFAULT_GRID]
        self._put_new(self._free_name("profile"), legs)

    def duplicate(self) -> None:
        """Add a copy of the profile that is looked at."""
        self._put_new(self._free_name(f"{self.current} copy"), self.legs)

    def rename(self, name: str) -> str:
        """Give the profile another name everywhere; return why it cannot have it."""
        name = name.strip()
        if name == self.current:
            return ""
        if not name:
            return tr("a profile needs a name")
        if len(name) > 64 or not all(each.isascii() and (each.isalnum() or each in " _-") for each in name):
            return tr("a name has up to 64 letters, digits, spaces, “-” and “_”")
        if any(name.casefold() == other.casefold() for other in self.profiles if other != self.current):
            return tr("there is a profile “{name}” already").format(name=name)
        before = self.current
        profiles = {name if each == before else each: legs for each, legs in self.profiles.items()}
        bindings = [
            binding | {"profile": name} if binding.get("profile") == before else binding
            for binding in self.sheet.value(BINDINGS)
        ]
        default = name if self.default == before else self.default
        self.sheet.mend(f"{PROFILES}.{before}")
        self.current = name
        self.sheet.put_all({PROFILES: profiles, BINDINGS: bindings, DEFAULT: default})
        return ""

    def make_default(self) -> None:
        """Use the profile where nothing else is bound."""
        self.sheet.put_all({DEFAULT: self.current})

    def why_kept(self) -> str:
        """Return why the profile cannot be deleted; nothing if it can."""
        if self.current == self.default:
            return tr("It is the default; make another one the default first.")
        used = self.users(self.current)
        return tr("It is bound to {used}; change that first.").format(used=used[0]) if used else ""

    def delete(self) -> None:
        """Delete the profile that is looked at."""
        profiles = self.profiles
        del profiles[self.current]
        self.sheet.mend(f"{PROFILES}.{self.current}")
        self.current = self.default
        self.sheet.put_all({PROFILES: profiles})

    def _put_new(self, name: str, legs: list[Leg]) -> None:
        self.current = name
        self.sheet.put_all({PROFILES: self.profiles | {name: legs}})

    def _free_name(self, wanted: str) -> str:
        taken = {name.casefold() for name in self.profiles}
        names = [wanted, *(f"{wanted} {number}" for number in range(2, len(taken) + 3))]
        return next(name for name in names if name.casefold() not in taken)

    # -- legs

    def set_cell(self, leg: int, column: str, value: Decimal | str) -> None:
        """Take a number of a leg, or note the sentence that says why there is none."""
        path = f"{PROFILES}.{self.current}.{leg}.{column}"
        if isinstance(value, str):
            self.sheet.spoil(path, value)
            return
        self.sheet.mend(path)
        legs = self.legs
        legs[leg][column] = text(value)
        self._put(legs, anew=False)

    def add_leg(self) -> int:
        """Add a leg behind the last one, as far from it as that is from the one before; return its place."""
        legs = self.legs
        gaps = [Decimal(leg[GAP]) for leg in legs]
        step = gaps[-1] - gaps[-2] if len(gaps) > 1 else Decimal(-1)
        missing = HUNDRED - self.weights()
        weight = missing if missing > 0 else Decimal(legs[-1][WEIGHT])
        legs.append(legs[-1] | {GAP: text(gaps[-1] + min(step, Decimal("-0.1"))), WEIGHT: text(weight)})
        self._put(legs)
        return len(legs) - 1

    def remove_leg(self, place: int) -> None:
        """Take a leg out."""
        legs = self.legs
        del legs[place]
        self._put(legs)

    def move_leg(self, place: int, by: int) -> int:
        """Exchange weight and target with the next leg up or down; gaps stay in their order."""
        legs, other = self.legs, place + by
        for column in (WEIGHT, TARGET):
            legs[place][column], legs[other][column] = legs[other][column], legs[place][column]
        self._put(legs)
        return other

    def even_weights(self) -> None:
        """Give every leg the same weight; the last one takes what does not divide."""
        legs = self.legs
        each = (HUNDRED / len(legs)).quantize(Decimal("0.01"), ROUND_DOWN)
        for leg in legs:
            leg[WEIGHT] = text(each.normalize())
        legs[-1][WEIGHT] = text((HUNDRED - each * (len(legs) - 1)).normalize())
        self._put(legs)

    def _put(self, legs: Sequence[Leg], *, anew: bool = True) -> None:
        if anew:
            self.sheet.mend(f"{PROFILES}.{self.current}")
        self.sheet.put(PROFILES, self.profiles | {self.current: list(legs)})
        if anew:
            self.chosen.emit()

    def _refilled(self) -> None:
        if self.current not in self.sheet.value(PROFILES):
            self.current = self.default if self.default in self.sheet.value(PROFILES) else self.names[0]
        self.chosen.emit()


def words_of(binding: dict[str, Any]) -> str:
    """Say what a binding is for: BTC* on 15m."""
    symbol, timeframe = binding.get("symbol", "*"), binding.get("timeframe", "*")
    return (
        symbol
        if timeframe == "*"
        else tr("{symbol} on {timeframe}").format(symbol=symbol, timeframe=timeframe)
    )
