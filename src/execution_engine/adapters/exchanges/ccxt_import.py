"""Imports ccxt without its hundred exchanges: only those that are asked for.

ccxt's packages import every exchange they know, three times over: 70 MB and most of a second. Here each of its
packages stands as an empty one whose exchanges come when they are named; what is imported is ccxt's own, unchanged.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from types import ModuleType
from typing import Any

_ONE_AT_A_TIME = threading.Lock()
PACKAGES = ("ccxt", "ccxt.async_support", "ccxt.pro")


class _Lazy(ModuleType):
    """A package whose exchanges are its attributes, as in ccxt's own; each is imported when it is asked for."""

    def __setattr__(self, name: str, value: Any) -> None:
        # Python puts the module of an exchange here once it is imported; ccxt has the class under that name.
        own = getattr(value, name, None) if isinstance(value, ModuleType) else None
        super().__setattr__(name, own if isinstance(own, type) else value)

    def __getattr__(self, name: str) -> Any:
        full = f"{self.__name__}.{name}"
        if name.startswith("_") or importlib.util.find_spec(full) is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        importlib.import_module(full)
        return self.__dict__[name]


def exchange_class(name: str) -> Any:
    """Return ccxt's class of an exchange with its streams. Blocking for a tenth of a second; raises AttributeError."""
    with _ONE_AT_A_TIME:  # several accounts begin at once, each on a thread
        if "ccxt" not in sys.modules:
            _prepare()
    import ccxt.pro  # prepared above, or imported whole by somebody else

    return getattr(ccxt.pro, name)


def _prepare() -> None:
    """Put the empty packages where ccxt's are looked for, with what its parts ask of them."""
    root = _empty("ccxt")
    errors = importlib.import_module("ccxt.base.errors")
    base = importlib.import_module("ccxt.base.exchange")
    for name, value in vars(errors).items():
        if isinstance(value, type):
            setattr(root, name, value)
    root.Exchange = base.Exchange
    root.__dict__["__version__"] = base.__version__
    for package in PACKAGES[1:]:
        setattr(root, package.rpartition(".")[2], _empty(package))
    asynchronous = importlib.import_module("ccxt.async_support.base.exchange")
    for package in PACKAGES[1:]:
        vars(sys.modules[package])["Exchange"] = asynchronous.Exchange


def _empty(package: str) -> Any:
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(package)
    made = importlib.util.module_from_spec(spec)
    made.__class__ = _Lazy
    sys.modules[package] = made
    return made
