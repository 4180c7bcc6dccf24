"""Running with a window: Qt's loop, and the doors between the screen and what is behind it."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from execution_engine import __version__
from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.paths import DataFolder
from execution_engine.adapters.security.folder_lock import FolderLock
from execution_engine.adapters.storage.backup import restore
from execution_engine.adapters.storage.log_reading import count_log, export_log, read_log
from execution_engine.adapters.storage.trade_reading import export_trades, read_performance
from execution_engine.commands import numbered_versions
from execution_engine.core import Core
from execution_engine.domain.composer_rehearsal import rehearse
from execution_engine.domain.errors import EngineError
from execution_engine.domain.origin import Origin, acting
from execution_engine.domain.rows import AccountStatus
from execution_engine.domain.settings import Language
from execution_engine.domain.standstill import standstill
from execution_engine.domain.way_in import WayIn
from execution_engine.main import Application, on_signals, resources, serve
from execution_engine.ui import tongue
from execution_engine.ui.collecting import Collecting
from execution_engine.ui.desktop_notices import DesktopNotices
from execution_engine.ui.doors import Doors, Light
from execution_engine.ui.loop import Loop
from execution_engine.ui.tongue import later, tr

if TYPE_CHECKING:
    from execution_engine.ui.app import Window
    from execution_engine.ui.frame.fault import StartFault

LOOK_S = 3.0  # that the composer waits for the price of a market


def run_window(application: Application) -> None:
    """Run with a window until the user quits or a signal asks to stop.

    The listener is up before the window: what TradingView sends is stored while pages are still imported.
    """
    qt = QApplication([])
    loop = Loop(qt)
    asyncio.set_event_loop(loop)
    collecting = Collecting()
    collecting.start()
    windows = give_window(application, qt)
    with loop:
        serving = loop.create_task(serve(application))
        serving.add_done_callback(lambda _: loop.stop())
        try:
            while not serving.done():
                loop.run_forever()
                application.end()  # a session that ends may have Qt quit first; all is written all the same
            loop.run_until_complete(serving)
        finally:
            for window in windows:
                window.close()
            collecting.stop()


def give_window(application: Application, qt: QApplication) -> list[Window]:
    """Have a window shown as soon as there is an engine; it is in what is returned from then on."""
    windows: list[Window] = []

    def show(core: Core) -> None:
        if not windows:
            windows.append(_window(qt, core.book.settings.ui.language))
            application.updating.on_offer.append(windows[0].offer)
            desktop = DesktopNotices(windows[0].tray, is_locked=lambda: windows[0].is_locked)
            application.notifying.desktop.append(desktop.show)
        (window,) = windows
        first = "window" not in application.moments
        window.attach(doors(application))
        if first and application.passage.sentence:
            window.say(
                tr("Your data is as it was before the update"),
                tongue.translated(application.passage.sentence),
            )
        application.moments.setdefault("window", time.monotonic())
        core.feed.on_released(lambda change: window.released(change.rows, change.facts))
        core.feed.on_price(window.price)
        core.feed.on_balances(window.balances)

    application.on_core.append(show)
    return windows


def show_fault(told: str, folder: Path, backup: Path | None = None) -> None:
    """Show what kept the program from starting until the user has read it, or a signal asks to stop.

    told: sentences, the first of which says what is wrong. folder: where the data lies. backup: what can be restored.
    """
    qt = QApplication.instance() or QApplication([])
    loop = Loop(qt)
    asyncio.set_event_loop(loop)
    with loop:
        loop.run_until_complete(_until_read(told, folder, backup))


async def _until_read(told: str, folder: Path, backup: Path | None) -> None:
    _speak(Language.SYSTEM)  # the settings may be what cannot be read
    from execution_engine.ui import app as ui  # as in `_window`: 0.2 s
    from execution_engine.ui.frame.fault import StartFault  # rarely needed

    ui.create(resources())
    read = asyncio.Event()
    on_signals(read.set)
    window = StartFault(
        tongue.translated(told), folder, __version__, backup.name if backup is not None else ""
    )
    window.closed.connect(read.set)
    if backup is not None:
        tasks: set[asyncio.Task[None]] = set()
        window.restore_wanted.connect(
            lambda: tasks.add(asyncio.ensure_future(_restored(window, folder, backup)))
        )
    window.show()
    await read.wait()
    window.hide()


async def _restored(window: StartFault, folder: Path, backup: Path) -> None:
    """Put a backup in place of the database that cannot be used, and say what came of it."""
    data = DataFolder(folder)

    def work() -> None:
        with FolderLock(data.lock), acting(Origin.WINDOW):
            restore(backup, data.database, SystemClock().now())

    try:
        await asyncio.to_thread(work)
    except EngineError as error:
        window.say(tongue.translated(str(error)), again=True)
        return
    window.say(
        tr(
            "{backup} was restored. Start Execution Engine again: it reads every exchange before anything trades."
        ).format(backup=backup.name),
        again=False,
    )


def _window(qt: QApplication, language: Language) -> Window:
    _speak(language)
    from execution_engine.ui import app as ui  # every page and what it draws with: 0.2 s

    ui.create(resources())
    return ui.Window(qt)


def _speak(language: Language) -> None:
    """Choose the language before anything is imported that has words in it."""
    tongue.speak(tongue.wished(language), resources() / "translations")


def doors(application: Application) -> Doors:
    """Join the window to what is behind it."""
    return Doors(
        version=__version__,
        data_folder=application.folder.root,
        started_at=application.started_at,
        catalogue=application.catalogue,
        now=application.clock.now,
        settings=lambda: application.core.book.settings,
        settings_fault=lambda: application.core.book.settings_fault,
        rows=lambda: application.core.book.rows(),
        prices=lambda: tuple(application.core.book.prices.values()),
        balances=lambda: dict(application.core.book.balances),
        realized=lambda world: application.core.book.realized(world),
        status=application.status,
        busy=lambda: application.core.busy,
        next_evaluation=lambda: application.core.running.risk.next_at,
        lights=lambda: _lights(application),
        webhook_urls=lambda: _urls(application),
        feed_name=lambda: application.core.prices.name,
        ask=lambda wish: application.core.desk.ask(wish),
        send_test_alert=application.send_test_alert,
        rehearse=lambda received: rehearse(application.core.book, received, application.clock.now()),
        look_at=lambda market: _look_at(application, market),
        body_secret=application.unlocking.body_secret,
        set_price=application.set_price,
        read_equity=lambda world: application.read(lambda reader: reader.equity(world)),
        read_statistics=lambda world, since: application.read(lambda reader: reader.statistics(world, since)),
        read_alerts=lambda limit: application.read(lambda reader: reader.alerts(limit)),
        read_closed=lambda limit: application.read(lambda reader: reader.closed_groups(limit)),
        read_fills=lambda group_id: application.read(lambda reader: reader.fills(group_id)),
        read_refused=lambda limit: application.read(lambda reader: reader.refused(limit)),
        read_promotions=lambda limit: application.read(lambda reader: reader.promotions(limit)),
        read_risk_actions=lambda limit: application.read(lambda reader: reader.risk_actions(limit)),
        read_performance=lambda question: application.read(
            lambda reader: read_performance(
                reader.path,
                question,
                application.core.book.settings.capital.total_usd,
                application.clock.now().date(),
            )
        ),
        export_trades=lambda question, target: application.read(
            lambda reader: export_trades(reader.path, question, target)
        ),
        read_log=lambda question: application.read(lambda reader: read_log(reader.path, question)),
        count_log=lambda question: application.read(lambda reader: count_log(reader.path, question)),
        export_log=lambda question, target: application.read(
            lambda reader: export_log(reader.path, question, target)
        ),
        read_versions=lambda: application.read(numbered_versions),
        check_updates=application.updating.check,
        tokens=lambda: tuple(application.core.book.tokens.values()),
        webhooks=application.webhooks,
        way_in=lambda: application.way_in.shown,
        check_way_in=application.way_in.check,
        quit=application.end,
        accounts=application.accounts,
        vault=application.unlocking,
        data=application.keeping,
        targets=application.notifying.shown,
        change_targets=application.notifying,
        latencies=lambda: application.observing.observation.latencies(application.clock.now()),
        write_diagnostics=application.diagnostics,
        standstill=lambda: standstill(application.core.book, application.clock.now()),
    )


async def _look_at(application: Application, market: tuple[str, str]) -> None:
    """Have the price of a market known that nothing uses yet, if that does not take long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_S):
            await application.core.running.watch.look_at(market)


def _urls(application: Application) -> list[tuple[str, str]]:
    """Return each webhook with its URL: the public one where there is one, because TradingView needs that."""
    place = application.way_in.url
    return [
        (name, f"{place}/webhook/{token}" if place else url)
        for name, url, token in application.webhook_urls()
    ]


def _lights(application: Application) -> list[Light]:
    """Return the lights of the status bar: webhook, tunnel, exchange."""
    book = application.core.book
    host, port = application.address or ("", 0)
    listening = Light(name=later("Webhook"), state=_listening(application), text=f"{host}:{port}")
    accounts = [account for account in book.accounts.values() if account.enabled]
    ready = all(account.status is AccountStatus.READY for account in accounts)
    names = ", ".join(sorted({account.exchange for account in accounts}))
    feed = application.core.prices.name
    exchange = Light(
        name=later("Exchange"),
        state="ok" if ready else "warn",
        text=tr("{names} · {feed} prices").format(names=names, feed=feed),
    )
    return [listening, _tunnel(application.way_in.shown), exchange]


def _listening(application: Application) -> str:
    silent = application.address is None or application.way_in.local.state == "error"
    return "error" if silent else "ok"


def _tunnel(shown: WayIn) -> Light:
    """Say which way alerts come while they do, and what is wrong while they do not."""
    state, sentence = shown.light
    way = shown.tunnel.program or tr("public address")
    text = {"ok": way, "off": tr("no public address")}.get(state, tongue.translated(sentence))
    return Light(name=later("Tunnel"), state=state, text=text)
