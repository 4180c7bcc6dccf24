"""Telling people who are not in front of the window: what happened, by the rules of the settings.

Facts come in when the change that caused them is committed. From there nothing waits for anybody: messages are
put into queues, and whatever is slow or fails stays with the courier of its target.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from loguru import logger

from execution_engine.adapters.notify import memory, services
from execution_engine.adapters.notify.courier import LIMIT_S, Courier
from execution_engine.adapters.notify.services import Outcome, Result
from execution_engine.adapters.notify.thread import in_thread
from execution_engine.adapters.security import pasted
from execution_engine.adapters.security.address import parts_of
from execution_engine.adapters.security.redact import Redaction, printable
from execution_engine.core import Core
from execution_engine.domain import document as documents
from execution_engine.domain import notify
from execution_engine.domain.audit import Act
from execution_engine.domain.errors import EngineError, Refusal
from execution_engine.domain.facts import Fact
from execution_engine.domain.inputs import Answer, Input, MayChange, SaveSettings, SecurityAct
from execution_engine.domain.money import ZERO
from execution_engine.domain.notify import Day, Message, Sieve, TargetShown, WorldDay
from execution_engine.domain.settings import Notifications, NotifyTarget, Settings
from execution_engine.domain.statistics import Statistics
from execution_engine.engine.feed import Released
from execution_engine.engine.state import running_status, unrealized_of, worlds_in_use
from execution_engine.unlocking import Unlocking

LOOK_EVERY_S = 10.0  # for the end of quiet hours and the time of the summary
READY_AFTER_S = 20.0  # the window stands by then, and the exchanges were asked
NO_ADDRESS = "its address is not known: the vault is locked, or does not hold it"


class NotifyRefused(EngineError):
    """Something about a target was refused; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What telling asks of the rest of the application.

    settings: those in force. ask: the desk's door. now: the time in UTC. day: what a summary says.
    """

    settings: Callable[[], Settings]
    ask: Callable[[Input], Awaitable[Answer | Refusal]]
    now: Callable[[], datetime]
    day: Callable[[], Awaitable[Day]]


@dataclass(slots=True)
class Notifying:
    """Tells the desktop and every target.

    desktop: shows a notice of the desktop; the window puts it here. send, fault_of: blocking, see `services`.
    """

    house: House
    unlocking: Unlocking
    redaction: Redaction
    record: Path
    desktop: list[Callable[[Message], None]] = field(default_factory=list)
    send: Callable[[str, Message], Outcome] = services.send
    fault_of: Callable[[str], str] = services.fault_of
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    _couriers: dict[str, Courier] = field(default_factory=dict)
    _sieves: dict[str, Sieve] = field(default_factory=dict)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _early: list[Fact] | None = field(default_factory=list)
    _told_on: date | None = None
    _kept: memory.Kept = field(default_factory=memory.Kept)
    _saving: threading.Lock = field(default_factory=threading.Lock)
    _dirty: asyncio.Event = field(default_factory=asyncio.Event)

    # -- its life

    async def start(self) -> None:
        """Take up what an earlier run left, and begin."""
        kept = await asyncio.to_thread(memory.load, self.record)
        self._kept = kept or memory.Kept()
        self._told_on = kept.told_on if kept is not None else self._local().date()
        self.follow()
        for name, messages in (kept.waiting if kept is not None else {}).items():
            if (courier := self._couriers.get(name)) is not None:
                for message in messages:
                    courier.take(message)
        early, self._early = self._early or [], None
        self._tell_all(tuple(early))
        self._spawn("", self._keep_looking())
        self._spawn(" memory", self._keep_memory())
        self._spawn(" library", self._make_ready())

    async def _make_ready(self) -> None:
        """Have the library imported at a calm moment, and not when the first thing goes wrong."""
        await asyncio.sleep(READY_AFTER_S)
        if self._couriers:
            with suppress(TimeoutError):
                await in_thread(partial(self.fault_of, "json://localhost"), "notifications", LIMIT_S)

    async def stop(self) -> None:
        """Tell nothing more; critical messages that were not taken are kept for the next start."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if tasks:
            await asyncio.to_thread(self._save)

    def follow(self) -> None:
        """Have a courier for each target of the settings that is to be told, and none else."""
        wanted = {name for name, target in self._settings.targets.items() if target.enabled}
        for name in [name for name in self._couriers if name not in wanted]:
            del self._couriers[name]
            if (task := self._tasks.pop(name, None)) is not None:
                task.cancel()
        for name in sorted(wanted - self._couriers.keys()):
            courier = Courier(
                name=name,
                send=partial(self._send, name),
                now=self.house.now,
                safe=self._safe,
                changed=self._dirty.set,
                pause=self.pause,
            )
            self._couriers[name] = courier
            self._spawn(name, courier.keep())
        self._dirty.set()

    def _spawn(self, name: str, work: Any) -> None:
        self._tasks[name] = asyncio.get_running_loop().create_task(work, name=f"notifications {name}".strip())

    @property
    def _settings(self) -> Notifications:
        return self.house.settings().notifications

    def _local(self) -> datetime:
        return self.house.now().astimezone()

    def _safe(self, text: str) -> str:
        return self.redaction(text)

    def _send(self, name: str, message: Message) -> Outcome:
        address = self.unlocking.vault.targets.get(name)
        return self.send(address, message) if address else Outcome(Result.LATER, NO_ADDRESS)

    # -- what happened

    def released(self, change: Released) -> None:
        """Hear what was committed; it is told once the orders of this change are on their way."""
        if change.facts:
            asyncio.get_running_loop().call_soon(self._tell_all, change.facts)

    def _tell_all(self, facts: tuple[Fact, ...]) -> None:
        for fact in facts:
            self.tell(fact)

    def tell(self, fact: Fact) -> None:
        """Tell a fact to whoever's rule wants it; before the start it waits for that."""
        if self._early is not None:
            self._early.append(fact)
            return
        settings, message = self._settings, None
        for name in ("", *self._couriers) if settings.desktop else self._couriers:
            target = settings.targets.get(name)
            if notify.rule_of(settings, target).wants(fact):
                message = message or self._message(fact)
                self._pass(name, message)

    def _message(self, fact: Fact) -> Message:
        made = notify.message_of(fact, self.house.now())
        return self._without_secrets(made)

    def _without_secrets(self, made: Message) -> Message:
        lines = self._safe(made.text).split("\n")
        return Message(
            title=printable(self._safe(made.title)),
            text="\n".join(map(printable, lines)),
            level=made.level,
            code=made.code,
            at=made.at,
        )

    def _pass(self, name: str, message: Message) -> None:
        """Let a message through to a target; the desktop's name is empty."""
        sieve = self._sieves.setdefault(name, Sieve())
        if sieve.passes(message, self._settings, self._local()):
            self._hand_over(name, message)

    def _hand_over(self, name: str, message: Message) -> None:
        if name:
            if (courier := self._couriers.get(name)) is not None:
                courier.take(message)
            return
        for show in self.desktop:
            try:
                show(message)
            except Exception:  # a desktop without notices is no reason to stop telling
                logger.exception("A notice of the desktop failed")

    # -- from time to time

    async def _keep_looking(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:
                logger.exception("The daily summary could not be told")
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Tell what was left out, and the summary, if it is time."""
        local, settings = self._local(), self._settings
        for name, sieve in self._sieves.items():
            if (message := sieve.left_out(settings, local)) is not None:
                self._hand_over(name, message)
        if notify.summary_is_due(settings, self._told_on, local):
            self._told_on = local.date()
            self._dirty.set()
            await self._tell_summary()

    async def _tell_summary(self) -> None:
        day = await self.house.day()
        message = self._without_secrets(notify.summary(day, self._local()))
        settings = self._settings
        if settings.desktop:
            self._hand_over("", message)
        for name, target in settings.targets.items():
            if target.summary:
                self._hand_over(name, message)

    async def _keep_memory(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            await asyncio.to_thread(self._save)

    def _save(self) -> None:
        """Write down what must not be lost, if it is other than what was written last. Blocking."""
        with self._saving:  # the last save may begin while the one before it is still at work
            waiting = {
                name: tuple(each for each in tuple(courier.waiting) if each.is_critical)
                for name, courier in tuple(self._couriers.items())
            }
            kept = memory.Kept({name: found for name, found in waiting.items() if found}, self._told_on)
            if kept == self._kept:
                return
            try:
                memory.save(self.record, kept)
                self._kept = kept
            except OSError as error:
                logger.warning("Notifications that wait could not be written down: {}", error.strerror)

    def vault_opened(self) -> None:
        """Try at once what waited for its address."""
        for courier in self._couriers.values():
            courier.hurry()

    # -- what is asked of it

    def shown(self) -> tuple[TargetShown, ...]:
        """Return each target as it is to be shown; no secret is in it."""
        addresses = self.unlocking.vault.targets
        return tuple(
            self._shown(name, target, addresses.get(name, ""))
            for name, target in sorted(self._settings.targets.items())
        )

    def _shown(self, name: str, target: NotifyTarget, address: str) -> TargetShown:
        kind = address.partition("://")[0]
        courier = self._couriers.get(name)
        if courier is None:
            return TargetShown(name=name, kind=kind, enabled=target.enabled)
        return TargetShown(
            name=name,
            kind=kind,
            enabled=target.enabled,
            waiting=len(courier.waiting),
            sent=courier.sent,
            lost=courier.lost,
            trouble=courier.trouble,
            last_at=courier.last_at,
        )

    async def add(self, name: str, address: str) -> str:
        """Keep an address in the vault and tell it from now on; return a sentence. Raises EngineError."""
        kept = pasted.secret(address)
        self.redaction.learn(*parts_of(kept))
        await self._may_change()
        if fault := await in_thread(partial(self.fault_of, kept), "address", LIMIT_S):
            raise NotifyRefused(fault)
        settings = self.house.settings()
        targets = dict(settings.notifications.targets)
        wanted = targets | {name: targets.get(name, NotifyTarget())}
        document = _with_targets(settings, wanted)
        await self.unlocking.ready()
        await asyncio.to_thread(self.unlocking.vault.put_target, name, kept)
        await self._asked(
            SecurityAct(act=Act.TARGET_ENTERED, detail=f"The address of target {name} was set.")
        )
        if name not in targets:
            await self._asked(SaveSettings(document=document, note=f"target {name} added"))
        if (courier := self._couriers.get(name)) is not None:
            courier.hurry()  # it may have waited for this address
        return f"{name} is told from now on. Send it a test."

    async def remove(self, name: str) -> str:
        """Forget a target and its address; return a sentence. Raises EngineError."""
        settings = self.house.settings()
        targets = dict(settings.notifications.targets)
        if name not in targets and name not in self.unlocking.vault.targets:
            raise NotifyRefused(_unknown(name, targets))
        await self._may_change()
        if self.unlocking.vault.exists:
            await self.unlocking.open()
            if await asyncio.to_thread(self.unlocking.vault.remove_target, name):
                detail = f"The address of target {name} was removed."
                await self._asked(SecurityAct(act=Act.TARGET_REMOVED, detail=detail))
        if targets.pop(name, None) is not None:
            document = _with_targets(settings, targets)
            await self._asked(SaveSettings(document=document, note=f"target {name} removed"))
        return f"{name} is told nothing any more."

    async def test(self, name: str) -> str:
        """Send a test to a target now, whatever its rules; return a sentence. Raises EngineError."""
        if name not in self._settings.targets:
            raise NotifyRefused(_unknown(name, self._settings.targets))
        message = Message(
            title="Execution Engine: test",
            text="This is a test. What happens while you are away is told here.",
            code="test",
            at=self.house.now(),
        )
        try:
            outcome = await in_thread(partial(self._send, name, message), f"test {name}", LIMIT_S)
        except TimeoutError:
            raise NotifyRefused(f"{name} did not answer within {LIMIT_S:.0f} s.") from None
        if outcome.result is not Result.SENT:
            raise NotifyRefused(f"{name} did not take the test: {printable(self._safe(outcome.reason))}")
        return f"{name} took the test message."

    async def _may_change(self) -> None:
        await self._asked(MayChange())

    async def _asked(self, wish: Input) -> None:
        reply = await self.house.ask(wish)
        if isinstance(reply, Refusal):
            raise NotifyRefused(reply.message)


def _with_targets(settings: Settings, targets: Mapping[str, NotifyTarget]) -> str:
    """Return the document with other targets. Raises SettingsError for a name that cannot be one."""
    plain = settings.model_dump(mode="json")
    plain["notifications"]["targets"] = {
        name: target.model_dump(mode="json") for name, target in targets.items()
    }
    return documents.dump(documents.check(plain))


def _unknown(name: str, targets: Mapping[str, object]) -> str:
    known = ", ".join(targets) or "none"
    return f"There is no target “{name}”; there are: {known}."


def day_of(core: Core, statistics: Mapping[str, Statistics], now: datetime) -> Day:
    """Return what the summary says. statistics: of the last 24 hours, by world."""
    book = core.book
    worlds = {}
    for world in worlds_in_use(book):
        groups = [group for group in book.groups.values() if group.world is world and group.holds_slot]
        results = [unrealized_of(book, group) for group in groups]
        known = [result for result in results if result is not None]
        day = statistics[world.value]
        worlds[world.value] = WorldDay(
            realized=day.realized,
            unrealized=sum(known, ZERO) if len(known) == len(results) else None,
            trades=day.trades,
            wins=day.wins,
            open_groups=len(groups),
        )
    _, reasons = running_status(book, now)
    problems = [*reasons]
    open_findings = (each for each in book.findings.values() if each.settled_at is None and each.choices)
    problems += [each.found for each in open_findings]
    return Day(worlds=worlds, queued=len(book.queue), problems=problems)
