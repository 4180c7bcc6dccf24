"""Of ccxt only those exchanges are imported that are asked for."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import json, sys
from execution_engine.adapters.exchanges.ccxt_client import ccxt_class
okx = ccxt_class("okx")
before = sorted(name for name in sys.modules if name.startswith("ccxt.") and name.split(".")[-1] == "kraken")
import ccxt, ccxt.pro, ccxt.async_support
try:
    ccxt_class("no_such_exchange")
    unknown = "made"
except AttributeError:
    unknown = "refused"
print(json.dumps({
    "class": okx.__mro__[0].__name__,
    "kraken": before,
    "modules": len([name for name in sys.modules if name.startswith("ccxt")]),
    "same": ccxt.pro.okx is okx and issubclass(okx, ccxt.async_support.okx),
    "errors": issubclass(ccxt.RequestTimeout, ccxt.NetworkError),
    "sync": ccxt.binance().id,
    "version": ccxt.__version__,
    "unknown": unknown,
}))
"""


def test_an_exchange_brings_no_other_with_it_and_is_still_ccxts_own() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["kraken"] == []
    assert said["modules"] < 60
    assert (said["class"], said["same"], said["errors"], said["sync"]) == ("okx", True, True, "binance")
    assert said["unknown"] == "refused"
    assert said["version"]
