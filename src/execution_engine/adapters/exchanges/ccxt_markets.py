"""The markets of one exchange: read from it without holding the window, cached on disk, taught to ccxt.

Everything there is becomes our rules; of ccxt's own, larger words only those of the markets in use are kept.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sqlite3
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import aiohttp
from loguru import logger

from execution_engine.adapters.exchanges import ccxt_market_file as files
from execution_engine.adapters.exchanges.catalogue import Venue
from execution_engine.adapters.exchanges.ccxt_client import Client, Clock, is_here
from execution_engine.adapters.exchanges.ccxt_market_process import DONE, ENDED, work
from execution_engine.domain.errors import Defect, EngineError
from execution_engine.domain.inputs import Input, Instruments
from execution_engine.domain.instrument import Market
from execution_engine.domain.rows import Mode

T = TypeVar("T")

FRESH = timedelta(minutes=60)
HALTED_AGAIN = timedelta(minutes=10)  # after a market ended, for a day: it may only have been halted
HALTED_FOR = timedelta(days=1)
AT_LEAST_APART_S = 60.0
RETRY_S = 30.0
LIMIT_S = 90.0  # for one reading, the start of the process included
A_TURN = 100  # rules that are made before others have their turn


class MarketsUnreadable(EngineError):
    """The exchange's markets could not be read; the text is a sentence."""


class Currencies(dict[str, Any]):
    """The currencies of the markets in use, and any other: fees are paid in BNB, idle accounts hold USDT."""

    def __missing__(self, code: str) -> dict[str, Any]:
        return {"id": code, "code": code, "precision": None}

    def __contains__(self, code: object) -> bool:
        return isinstance(code, str)


class Markets:
    """The markets of one exchange, kind and mode; those that ended are told as not traded any more.

    folder: where the file is; path: the file. session: the connections. post: takes `Instruments`, in slices.
    limit_s: how long one reading may take.
    """

    def __init__(
        self,
        venue: Venue,
        kind: Market,
        mode: Mode,
        folder: Path,
        session: Callable[[], aiohttp.ClientSession],
        clock: Clock,
        post: Callable[[Input], None],
    ) -> None:
        place = venue.place(kind, mode)
        if place is None:
            raise Defect(f"{venue.title} has no {mode} mode for {kind}")
        self._venue = venue
        self._kind = kind
        self._mode = mode
        self._place = place
        self.path = folder / f"{venue.name}-{kind}-{mode}.sqlite"
        self.limit_s = LIMIT_S
        self._session = session
        self._clock = clock
        self._post = post
        self._reading = asyncio.Lock()
        self._doubted = asyncio.Event()
        self._version = 0
        self._ended_at: datetime | None = None
        self._taught: WeakKeyDictionary[Client, tuple[int, set[str]]] = WeakKeyDictionary()

    async def keep(self, at_least_apart_s: float = AT_LEAST_APART_S) -> None:
        """Post the rules on disk, then read them anew when they are old or doubted. Never returns.

        at_least_apart_s: between two readings, however often an exchange refuses our sizes.
        """
        if await asyncio.to_thread(files.read_at, self.path) is not None:
            await self.tell()
        while True:
            wait = await self._until_old()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._doubted.wait()
            doubted = self._doubted.is_set()
            self._doubted.clear()
            try:
                await self.refresh()
            except EngineError as error:
                logger.warning("{}", error)
                await asyncio.sleep(RETRY_S)
                if doubted:
                    self.doubt()
            await asyncio.sleep(at_least_apart_s)

    async def _until_old(self) -> float:
        at = await asyncio.to_thread(files.read_at, self.path)
        now = self._clock.now()
        halted = self._ended_at is not None and now - self._ended_at < HALTED_FOR
        fresh = HALTED_AGAIN if halted else FRESH
        return 0.0 if at is None else max((min(at, now) + fresh - now).total_seconds(), 0.0)

    def doubt(self) -> None:
        """Read the rules again soon: the exchange refused what fits ours."""
        self._doubted.set()

    async def refresh(self) -> int:
        """Read all markets now, and post our rules of them; return how many. Raises MarketsUnreadable."""
        async with self._reading:
            count = await self._read()
        self._version += 1
        await self.tell()
        return count

    async def teach(self, client: Client, symbols: Collection[str]) -> None:
        """Have ccxt know these of our symbols. Raises MarketsUnreadable if there is nothing to know them from."""
        await self._teach(client, charts=[name for name in symbols if not self._knows(client, name)])

    async def teach_ids(self, client: Client, ids: Collection[str]) -> None:
        """Have ccxt know the markets that the exchange calls so; one that is not traded here stays unknown."""
        known = client.exchange.markets_by_id or {}
        await self._teach(client, natives=[id for id in dict.fromkeys(ids) if id not in known])

    def _knows(self, client: Client, symbol: str) -> bool:
        version, taught = self._taught.get(client, (0, set()))
        return version == self._version and symbol in taught

    async def _teach(
        self, client: Client, *, charts: Collection[str] = (), natives: Collection[str] = ()
    ) -> None:
        if not charts and not natives and client.exchange.markets is not None:
            return
        await self._be_there()
        version, taught = self._taught.get(client, (self._version, set()))
        if version != self._version:  # what was taught is of an older reading
            charts, taught = {*charts, *taught}, set()
        new = await self._from_file(partial(files.markets, self.path, charts=charts, natives=natives))
        known = client.exchange.markets or {}
        client.exchange.set_markets([*{**known, **{one["symbol"]: one for one in new}}.values()])
        currencies = Currencies(client.exchange.currencies)
        currencies.setdefault("USDT", currencies["USDT"])  # none at all would be taken for not loaded
        client.exchange.currencies = currencies
        self._taught[client] = (self._version, taught | set(charts))

    async def begin(self) -> None:
        """Post our rules of all markets, read anew only where there are none on disk. Raises MarketsUnreadable."""
        if not await self._be_there():
            await self.tell()

    async def _be_there(self) -> bool:
        """Have the markets on disk; return whether they were read for that, and told."""
        if await asyncio.to_thread(files.read_at, self.path) is not None:
            return False
        async with self._reading:  # several who need them at once share one reading
            if await asyncio.to_thread(files.read_at, self.path) is not None:
                return False
            await self._read()
        self._version += 1
        await self.tell()
        return True

    async def tell(self) -> None:
        """Post our rules of all markets, as they are on disk."""
        texts = await self._from_file(partial(files.rules, self.path))
        for start in range(0, len(texts), A_TURN):
            rules = tuple(files.instruments(texts[start : start + A_TURN]))
            self._post(Instruments(instruments=rules))
            await asyncio.sleep(0)

    async def _from_file(self, read: Callable[[], list[T]]) -> list[T]:
        """Read from the file; one that turns out to be damaged is had anew. Raises MarketsUnreadable."""
        try:
            return await asyncio.to_thread(read)
        except (sqlite3.Error, ValueError) as error:
            logger.warning("{} is damaged and read anew: {}", self.path.name, error)
        async with self._reading:
            await self._read()
        self._version += 1
        return await asyncio.to_thread(read)

    # The helper process: it parses, this one asks.

    async def _read(self) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        arguments = (
            theirs, self._venue.name, self._kind.value, self._mode.value, str(self.path),
            self._clock.now().isoformat(),
        )  # fmt: skip
        process = context.Process(target=work, args=arguments, daemon=True)
        starting = asyncio.ensure_future(asyncio.to_thread(process.start))
        try:
            async with asyncio.timeout(self.limit_s):
                await asyncio.shield(starting)
                theirs.close()
                said = await self._serve(ours)
        except (TimeoutError, OSError, EOFError) as error:
            raise self._unreadable(f"{type(error).__name__} {error}") from error
        finally:
            ours.close()
            await asyncio.wait({starting})  # what is only being started cannot be ended yet
            theirs.close()
            if process.pid is not None:
                process.kill()
                await asyncio.to_thread(process.join)
        if said.get("error") or not said[DONE]:
            raise self._unreadable(said.get("error") or "there are none")
        if said[ENDED]:
            self._ended_at = self._clock.now()
        return int(said[DONE])

    async def _serve(self, pipe: Connection) -> dict[str, Any]:
        """Ask what the process wants asked until it is done."""
        while True:
            said: dict[str, Any] = json.loads(await asyncio.to_thread(pipe.recv_bytes))
            if DONE in said:
                return said
            url = said["url"]
            if not is_here(self._place, url):
                raise Defect(f"{self._venue.title}: {url} is not of this environment")
            try:
                async with self._session().get(url, headers=said["headers"]) as response:
                    body = await response.read()
                    head = {
                        "status": response.status,
                        "reason": response.reason or "",
                        "headers": {"Content-Type": response.headers.get("Content-Type", "")},
                    }
            except aiohttp.ClientError as error:
                raise self._unreadable(str(error)) from error
            await asyncio.to_thread(_answer, pipe, json.dumps(head).encode(), body)

    def _unreadable(self, why: str) -> MarketsUnreadable:
        return MarketsUnreadable(f"The markets of {self._venue.title} could not be read ({why}).")


def _answer(pipe: Connection, head: bytes, body: bytes) -> None:
    pipe.send_bytes(head)
    pipe.send_bytes(body)
