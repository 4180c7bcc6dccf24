"""Small servers that speak the wire formats of Binance, Bybit, OKX and KuCoin, for tests and for trying by hand.

Unmodified ccxt classes are driven against them **under the real host names**: a resolver sends those names to
this machine, and a certificate authority made at run time vouches for them. So whatever ccxt makes of a host
or of an address (Binance's error classes hang on it) is what it makes of it in earnest. A host that is no
exchange's is refused by the resolver and noted in ``world.strangers``: no test ever leaves this machine.

Use
---
::

    async with LocalExchanges() as world:                    # or LocalExchanges("okx", "bybit"): only these
        world.okx.price("BTCUSDT", "64000")                  # spot; the perpetual is "BTCUSDT.P"
        account = world.okx.account(mode="demo", USDT="5000")  # modes: live, testnet, demo, as the exchange has
        okx = world.ccxt("okx", account)                     # a ccxt.pro object with keys, mode and routing set
        order = await okx.create_order("BTC/USDT", "limit", "buy", 0.001, 60000)
        world.okx.price("BTCUSDT", "59000")                  # ... and it fills, at 60,000
        assert account.orders[-1].status == "filled"

Routing, for code that builds ccxt objects itself
    ``world.connector()``   an aiohttp connector with resolver and trust in it; ``world.session()`` a session
                            (pass it as ``{"session": ...}`` to a ccxt class), closed together with the world
    ``world.resolver``      for a connector of one's own; ``world.ssl_context`` the trust that goes with it
    ``world.ca_file``       path of the authority's certificate (PEM)
    ``world.hosts``         every real host name → ``(address, port)``; the port is the same for all
    ``world.routes_file``   the same two as JSON:
                            ``{"ca_file": "…", "hosts": {"api.binance.com": ["127.0.0.1", 41234], …}}``

An exchange (``world.binance``, ``.bybit``, ``.okx``, ``.kucoin`` or ``world["okx"]``)
    ``price(symbol, last, bid=None, ask=None, fills=None)``
                            moves the market in every mode, fills what it reaches (`fills`: at most that much
                            of each order, base units), tells the streams. Without bid and ask both are `last`
    ``depth(symbol, quantity)``   an order that takes finds at most this much [base], ``None`` for endless
    ``account(mode="live", **wallet)``  a new account, see below; without a wallet it has 100,000 USDT
    ``change(symbol, tick="0.5", min_notional="10", ...)``  rules of a market change under the application
    ``halt(symbol)``, ``delist(symbol)``, ``add_markets(2500)``
    ``venue(mode)``         the trading of one mode: ``.orders``, ``.accounts``, ``.quotes``
    ``requests``            everything that arrived, oldest first: ``.call, .method, .host, .path, .params, .status``
    ``calls("create")``     those of one call
    ``latency_s``           answers come so late, after what the streams tell of the same change
    ``clock_skew_ms``       the exchange's clock minus this machine's
    ``limits``              ``limits["orders"].most = 5`` makes the true answer to too many requests come soon;
                            ``unlimited()`` lifts them all

An account
    ``keys``                ``api_key, secret, passphrase``; ``withdraw=True, trade=False, ips=("1.2.3.4",),
                            expires_at_ms=…, revoked=True, hedge=True, futures=False`` can be set on the account
    ``wallet(market)``      what is there by currency; ``orders``, ``trades``, ``positions``
    ``find("client id")``   an order, ``open_orders``; ``order.forget()``: look-ups and lists never show it again
    ``leverage``, ``margin_mode``  by symbol, as the application set them
    ``fees_in_bnb = True``  (Binance) as long as there is BNB
    ``liquidate(symbol)``, ``trade_by_hand(symbol, "buy", "0.01")``  through ``exchange.venue(mode)``

Faults
    ``okx.faults.add("create", Fault.TIMEOUT, accepted=True, times=1)``
                            calls: create, cancel, lookup, open_orders, closed_orders, trades, balance, positions,
                            markets, ticker, time, leverage, margin_mode, position_mode, key, listen, other;
                            ``"*"`` for all. `accepted`: it was carried out before the answer went wrong
    ``okx.faults.lag(reads=2)``  the next orders are missed by their first two look-ups and lists
    ``okx.faults.clear()``

    ======================  ====================================================================
    Fault.TIMEOUT           no answer (set ``exchange.timeout`` low)
    Fault.RESET             connection reset
    Fault.CUT               half a body, then closed
    Fault.HTML              an HTML page with status 200
    Fault.EMPTY             nothing, with status 200
    Fault.E500 … E504,E520,E524  such a status, with the page of a proxy
    Fault.STATUS_LINE       something that is not HTTP
    Fault.TOO_MANY          429 with Retry-After; TOO_MANY_BARE without; BANNED 418
    Fault.UNKNOWN_CODE      the exchange's own form of error with a code nobody has heard of
    Fault.MAINTENANCE       as the exchange says it
    Fault.REFUSED           any refusal the exchange is said to give: ``says=(status, body)``
    ======================  ====================================================================

Streams
    ``okx.streams.mute()``, ``unmute()``   sockets stay open and say nothing more (pings are not answered either)
    ``okx.streams.drop()``                 every socket is reset
    ``okx.streams.refuse = True``          new sockets are refused
    ``okx.streams.twice = True``           every private event is told twice
    ``okx.streams.hold()``, ``release(backwards=True)``   private events wait, and come in the other order
    ``okx.streams.hold(private=False)``    the same for what the market does: its prices come late
    ``okx.streams.topics``                 what is subscribed right now, all sockets together
    ``okx.streams.count``                  sockets that are open

    ``binance.expire_listen_keys()``       as they do after an hour without a keep-alive (perpetuals)

By hand: ``make exchange NAME=okx`` starts one, and prints routes, certificate and keys; lines typed in move
prices. The same in another process, for benchmarks: ``python -m tests.exchanges binance --port 0 --still``; the
file named in the line "Both as JSON" then holds ``accounts`` with their keys as well. The application itself is
started on it with ``python -m tests.exchanges.application ROUTES.json``, in a second terminal.

How it is laid out
------------------
``venue.py`` trades (accounts, rules, matching, fees, positions) and knows no exchange; ``server.py`` turns
requests into calls and has keys, limits and faults in front of them; ``streams.py`` holds sockets; ``world.py``
routes. ``binance.py``, ``bybit.py``, ``okx.py``, ``kucoin.py`` are the dialects: hosts, signatures, fields,
error codes. A fifth exchange is one more of these.
"""

from tests.exchanges.faults import Fault
from tests.exchanges.venue import Account, Order, Trade, Venue
from tests.exchanges.world import LocalExchanges

__all__ = ["Account", "Fault", "LocalExchanges", "Order", "Trade", "Venue"]
