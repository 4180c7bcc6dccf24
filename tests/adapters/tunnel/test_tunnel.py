"""A tunnel's program is found, started, watched, started again, and ended; nothing of it stays behind."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from execution_engine.adapters.tunnel import process
from execution_engine.adapters.tunnel.complaints import COMPLAINTS, meaning
from execution_engine.adapters.tunnel.finding import find, how_to_install
from execution_engine.adapters.tunnel.orphan import Left, Record, born
from execution_engine.adapters.tunnel.programs import PROGRAMS, Cloudflared, Ngrok, Tailscale, Wish
from execution_engine.domain.way_in import TunnelState, Word
from tests.adapters.tunnel.stand_ins import CLOUDFLARED, LIMIT_S, QUICK, WAIT, WISH, Stage
from tests.waiting import until

pytestmark = pytest.mark.skipif(not Path("/bin/sh").exists(), reason="the stand-ins are shell scripts")


@asynccontextmanager
async def staged(folder: Path, **changes: float) -> AsyncIterator[Stage]:
    stage = Stage(folder, replace(QUICK, **changes))
    try:
        yield stage
    finally:
        await stage.tunnel.stop()


def started(*command: str) -> subprocess.Popen[bytes]:
    """Start a program that nobody looks after."""
    return subprocess.Popen(command, start_new_session=True)


async def test_a_quick_tunnel_is_started_read_and_ended(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.install("cloudflared", CLOUDFLARED + WAIT)
        await stage.tunnel.want("auto", WISH)
        state = await stage.until(Word.UP)
        assert (state.program, state.url) == ("cloudflared", "https://calm-example-0.trycloudflare.com")
        assert stage.said("cloudflared") == ["tunnel --no-autoupdate --url http://127.0.0.1:8787"]
        pid = Record(stage.record).read().pid
        assert born(pid)
        await stage.tunnel.stop()
        assert not born(pid)
    assert stage.words() == [Word.STARTING, Word.UP, Word.OFF, Word.OFF]
    assert Record(stage.record).read() == Left("cloudflared", url=state.url)


async def test_it_runs_on_the_loop_of_the_window_as_well(qloop: object, tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.install("cloudflared", CLOUDFLARED + WAIT)
        await stage.tunnel.want("cloudflared", WISH)
        await stage.until(Word.UP)


async def test_asking_for_the_same_again_changes_nothing_and_for_another_starts_anew(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.install("cloudflared", CLOUDFLARED + WAIT)
        for _ in range(2):
            await stage.tunnel.want("auto", WISH)
            await stage.until(Word.UP)
        assert len(stage.said("cloudflared")) == 1
        await stage.tunnel.want("auto", replace(WISH, port=9999))
        await until(lambda: stage.tunnel.state.starts == 2 and stage.tunnel.state.word is Word.UP, LIMIT_S)
        assert stage.said("cloudflared")[1].endswith("http://127.0.0.1:9999")
        await stage.tunnel.again()
        await until(lambda: len(stage.said("cloudflared")) == 3, LIMIT_S)


@pytest.mark.fault(17)
async def test_a_tunnel_that_dies_is_started_again_and_its_new_address_is_told(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.install("cloudflared", CLOUDFLARED + 'echo "ERR lost its way" >&2; exit 3')
        await stage.tunnel.want("auto", WISH)
        await until(lambda: len(stage.moves) >= 2, LIMIT_S)
    first, second = (f"https://calm-example-{number}.trycloudflare.com" for number in range(2))
    assert stage.moves[0] == (first, second)
    assert stage.words()[:4] == [Word.STARTING, Word.UP, Word.DOWN, Word.STARTING]
    assert "status 3: ERR lost its way." in stage.states[2].sentence
    assert stage.states[2].url == ""


async def test_pauses_between_starts_grow_up_to_the_last_unless_it_ran_for_long(tmp_path: Path) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    stage = Stage(tmp_path, replace(QUICK, first=1, last=4), sleep)
    stage.install("cloudflared", "exit 1")
    await stage.tunnel.want("auto", WISH)
    await until(lambda: len(slept) >= 5, LIMIT_S)
    await stage.tunnel.stop()
    assert slept[:5] == [1, 2, 4, 4, 4]
    steady = Stage(tmp_path, replace(QUICK, first=1, last=4, steady=0), sleep)
    slept.clear()
    await steady.tunnel.want("auto", WISH)
    await until(lambda: len(slept) >= 3, LIMIT_S)
    await steady.tunnel.stop()
    assert slept[:3] == [1, 1, 1]


async def test_what_is_missing_is_told_and_used_as_soon_as_it_is_installed(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.tunnel.want("auto", WISH)
        state = await stage.until(Word.MISSING)
        assert state.sentence == "None of cloudflared, ngrok, tailscale is installed."
        assert [hint.partition(":")[0] for hint in state.hints] == list(PROGRAMS)
        stage.install("cloudflared", CLOUDFLARED + WAIT)
        assert (await stage.until(Word.UP)).hints == ()
        await stage.tunnel.want("ngrok", WISH)
        assert (await stage.until(Word.MISSING)).sentence == "ngrok is not installed."


async def test_a_program_that_tells_no_address_is_ended_and_tried_again(tmp_path: Path) -> None:
    async with staged(tmp_path, address=0.05) as stage:
        stage.install("cloudflared", WAIT)
        await stage.tunnel.want("auto", WISH)
        state = await stage.until(Word.DOWN)
    assert "told no address within" in state.sentence


async def test_a_failure_of_its_own_is_not_the_end_of_a_tunnel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with staged(tmp_path) as stage:
        stage.install("cloudflared", CLOUDFLARED + WAIT)
        with monkeypatch.context() as homeless:
            homeless.setattr(stage.tunnel, "_find", _no_home)
            await stage.tunnel.want("auto", WISH)
            await stage.until(Word.DOWN)
            assert "no home" in stage.tunnel.state.sentence
        await stage.until(Word.UP)


async def test_a_tunnel_that_is_stopped_is_not_begun_anew_although_its_end_could_not_be_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with staged(tmp_path) as stage:
        stage.install("cloudflared", CLOUDFLARED + WAIT)
        await stage.tunnel.want("auto", WISH)
        await stage.until(Word.UP)
        record = stage.tunnel._record
        write, full = record.write, [OSError("no room")]

        def once(left: Left) -> None:
            if full:
                raise full.pop()
            write(left)

        monkeypatch.setattr(record, "write", once)
        async with asyncio.timeout(10):
            await stage.tunnel.stop()
        assert not full
        assert stage.words() == [Word.STARTING, Word.UP, Word.OFF]


def _no_home(program: str) -> str:
    raise RuntimeError("there is no home")


async def test_a_program_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (tmp_path / "cloudflared").write_text("no program")
        await stage.tunnel.want("auto", WISH)
        assert "cannot be started" in (await stage.until(Word.DOWN)).sentence


async def test_a_program_that_does_not_want_to_end_is_made_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "END_S", 0.05)
    async with staged(tmp_path) as stage:
        stage.install("cloudflared", "trap '' TERM\n" + CLOUDFLARED + "while :; do sleep 0.05; done")
        await stage.tunnel.want("auto", WISH)
        await stage.until(Word.UP)
        pid = Record(stage.record).read().pid
        await stage.tunnel.stop()
        assert not born(pid)


async def test_what_a_killed_application_left_behind_is_ended_first(tmp_path: Path) -> None:
    left = started("/bin/sh", "-c", "sleep 600 & wait")
    Record(tmp_path / "tunnel.json").write(
        Left("cloudflared", left.pid, born(left.pid), "https://old.example")
    )
    async with staged(tmp_path) as stage:
        stage.install("cloudflared", CLOUDFLARED + WAIT)
        await stage.tunnel.want("auto", WISH)
        await stage.until(Word.UP)
        assert await asyncio.to_thread(left.wait) != 0
        assert stage.moves == [("https://old.example", "https://calm-example-0.trycloudflare.com")]


async def test_what_was_left_behind_is_ended_although_no_tunnel_is_wanted_now(tmp_path: Path) -> None:
    left = started("sleep", "600")
    Record(tmp_path / "tunnel.json").write(Left("ngrok", left.pid, born(left.pid), ""))
    await Stage(tmp_path).tunnel.stop()
    assert await asyncio.to_thread(left.wait) != 0


async def test_another_program_with_the_number_of_ours_is_left_alone(tmp_path: Path) -> None:
    other = started("sleep", "600")
    try:
        Record(tmp_path / "tunnel.json").write(Left("cloudflared", other.pid, "another moment", ""))
        await Stage(tmp_path).tunnel.stop()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"program": "x"}', '{"program": 1, "pid": "x"}', "\0"])
def test_a_record_that_makes_no_sense_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tunnel.json"
    path.write_text(text)
    assert Record(path).read() == Left()


# -- each program


async def test_ngrok_tells_its_address_at_the_api_that_its_log_names(tmp_path: Path) -> None:
    told = {
        "tunnels": [
            {"public_url": "https://other.ngrok.app", "config": {"addr": "http://localhost:1"}},
            {"public_url": "https://mine.ngrok.app", "config": {"addr": "http://127.0.0.1:8787"}},
        ]
    }

    async def tunnels(_: web.Request) -> web.Response:
        return web.json_response(told)

    application = web.Application()
    application.router.add_get("/api/tunnels", tunnels)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    place = "{}:{}".format(*runner.addresses[0])
    line = json.dumps({"lvl": "info", "msg": "starting web service", "addr": place})
    async with staged(tmp_path) as stage:
        stage.install("ngrok", f'echo "$@" >> "$0.said"\necho \'{line}\'\n{WAIT}')
        await stage.tunnel.want("ngrok", replace(WISH, hostname="mine.ngrok.app"))
        assert (await stage.until(Word.UP)).url == "https://mine.ngrok.app"
        assert stage.said("ngrok") == [
            "http 127.0.0.1:8787 --log=stdout --log-format=json --inspect=false --url=https://mine.ngrok.app"
        ]
    await runner.cleanup()


FUNNEL = {
    "TCP": {"443": {"HTTPS": True}},
    "Web": {"box.tail1234.ts.net:443": {"Handlers": {"/": {"Proxy": "http://127.0.0.1:8787"}}}},
    "AllowFunnel": {"box.tail1234.ts.net:443": True},
}


async def test_tailscale_is_asked_for_its_funnel(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        status = json.dumps({"Foreground": {"session": FUNNEL}})
        stage.install(
            "tailscale",
            f'if [ "$2" = status ]; then echo \'{status}\'; exit; fi\necho "$@" >> "$0.said"\n{WAIT}',
        )
        await stage.tunnel.want("tailscale", WISH)
        assert (await stage.until(Word.UP)).url == "https://box.tail1234.ts.net"
        assert stage.said("tailscale") == ["funnel --yes http://127.0.0.1:8787"]


@pytest.mark.parametrize(
    ("status", "url"),
    [
        (FUNNEL, "https://box.tail1234.ts.net"),
        ({"Foreground": {"a": {}, "b": FUNNEL}}, "https://box.tail1234.ts.net"),
        ({**FUNNEL, "AllowFunnel": {"box.tail1234.ts.net:443": False}}, None),  # for the tailnet alone
        ({**FUNNEL, "AllowFunnel": None}, None),
        (
            {
                **FUNNEL,
                "Web": {"box.tail1234.ts.net:443": {"Handlers": {"/": {"Proxy": "http://127.0.0.1:1"}}}},
            },
            None,
        ),
        ({}, None),
        ([], None),
    ],
)
async def test_only_a_funnel_that_is_open_and_leads_here_counts(status: object, url: str | None) -> None:
    async def ask(_: object) -> str:
        return json.dumps(status)

    async def fetch(_: str) -> str:
        return ""

    assert await Tailscale(WISH).asked(ask, fetch) == url


async def test_a_tunnel_of_ones_own_has_the_address_of_the_settings_once_it_is_connected() -> None:
    mine = Cloudflared(Wish("127.0.0.1", 8787, hostname="alerts.example.com", name="mine"))
    assert mine.command() == ["tunnel", "--no-autoupdate", "run", "--url", "http://127.0.0.1:8787", "mine"]
    assert mine.heard("INF Starting tunnel tunnelID=1") is None
    assert mine.heard("INF Registered tunnel connection connIndex=0") == "https://alerts.example.com"


def test_the_interface_of_cloudflare_itself_is_not_the_address() -> None:
    assert Cloudflared(WISH).heard('POST "https://api.trycloudflare.com/tunnel": timeout') is None


@pytest.mark.parametrize(
    "line", ["", "{", "[]", '{"msg": "starting web service", "addr": "evil.example:80"}']
)
def test_ngrok_is_asked_on_this_machine_only(line: str) -> None:
    ngrok = Ngrok(WISH)
    ngrok.heard(line)
    assert ngrok.api == "127.0.0.1:4040"


@pytest.mark.parametrize(
    ("program", "line", "words"),
    [
        ("cloudflared", "ERR error=\"status_code 429 Too Many Requests\"", "no new quick tunnel"),
        ("cloudflared", "failed to request quick Tunnel: dial tcp: lookup", "online?"),
        ("cloudflared", "tunnel credentials file not found", "cloudflared tunnel login"),
        ("ngrok", "ERROR: ERR_NGROK_4018", "ngrok config add-authtoken"),
        ("ngrok", '{"err":"ERR_NGROK_108"}', "runs elsewhere already"),
        ("tailscale", "Logged out.", "tailscale up"),
        ("tailscale", "Funnel is not enabled on your tailnet.", "at its web page"),
        ("tailscale", "Access denied: serve config denied", "--operator"),
        ("tailscale", "failed to connect to local tailscaled", "start it"),
    ],
)  # fmt: skip
def test_what_a_program_complains_of_is_told_in_a_sentence(program: str, line: str, words: str) -> None:
    said = meaning(program, ["starting", line, "exiting"])
    assert said is not None
    assert words in said


def test_the_web_page_of_a_complaint_is_named_and_the_newest_complaint_counts() -> None:
    lines = [
        "Funnel is not enabled on your tailnet.",
        "To enable, visit:",
        "https://login.tailscale.com/f/funnel?node=n1",
    ]
    assert meaning("tailscale", lines) == (
        "Funnel is not switched on for this machine; do so at https://login.tailscale.com/f/funnel?node=n1."
    )  # fmt: skip
    assert meaning("ngrok", ["ERR_NGROK_108", "ERR_NGROK_4018"]) == COMPLAINTS["ngrok"][0][1]
    assert meaning("ngrok", ["all is well"]) is None


def test_programs_are_looked_for_on_the_path_and_where_installers_put_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find("ngrok", "nowhere") is None
    stage = Stage(tmp_path)
    assert find("ngrok", "nowhere") is None
    path = stage.install("ngrok", WAIT)
    assert find("ngrok", "nowhere") == str(path)
    local = tmp_path / ".local" / "bin"
    local.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    path.rename(local / "ngrok")
    assert find("ngrok", "linux") == str(local / "ngrok")


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_it_is_said_how_to_install_each_program_on_each_system(program: str, system: str) -> None:
    said = how_to_install(program, system)
    assert said.startswith(program)
    assert "." in said


async def test_a_line_without_end_and_a_screen_that_fails_end_no_tunnel(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        shown: list[Word] = []

        def fails(state: TunnelState) -> None:
            shown.append(state.word)
            raise RuntimeError("its window is gone")

        stage.tunnel.changed = fails
        stage.install("cloudflared", "head -c 200000 /dev/zero | tr '\\0' x; echo" + CLOUDFLARED + WAIT)
        await stage.tunnel.want("auto", WISH)
        await stage.until(Word.UP)
        assert shown == [Word.STARTING, Word.UP]
