"""One message to each kind of service, through the library as it is, against servers on this machine."""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from execution_engine.adapters.notify.services import Result, fault_of, send
from execution_engine.domain.facts import Level
from execution_engine.domain.notify import Message
from tests.adapters.notify.services import MailService, WebService, under_real_names

TOKEN = "123456789:AAcnrBotToken-7e1_2b"
HOOK = "417429632418316298/cnrHookJHMHI8qBe7bk2ZwO5U711o3dV_js"
TOLD = Message(
    title="Execution Engine: error",
    text="BTCUSDT 15m: <b>order</b> refused & kept.\nSecond line.",
    level=Level.ERROR,
    code="order_rejected",
    at=datetime(2026, 11, 20, tzinfo=UTC),
)


@pytest.fixture
def web() -> Iterator[WebService]:
    service = WebService()
    yield service
    service.close()


@pytest.fixture
def mail() -> Iterator[MailService]:
    service = MailService()
    yield service
    service.close()


def test_telegram_and_discord_take_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with under_real_names(tmp_path, monkeypatch) as service:
        assert send(f"tgram://{TOKEN}/987654321", TOLD).result is Result.SENT
        assert send(f"discord://{HOOK}", TOLD).result is Result.SENT
        (telegram, bot, said, _), (discord, hook, posted, _) = service.heard
        assert (telegram, bot) == ("api.telegram.org", f"/bot{TOKEN}/sendMessage")
        assert str(said["chat_id"]) == "987654321"
        assert "BTCUSDT 15m:" in said["text"]
        assert "<b>order" not in said["text"]  # what happened is text, and no markup of the service
        assert (discord, hook) == ("discord.com", f"/api/webhooks/{HOOK}")
        assert "refused & kept" in str(posted)
        service.status = 401
        refused = send(f"tgram://{TOKEN}/987654321", TOLD)
        assert refused.result is Result.REFUSED
        service.status = 503
        assert send(f"discord://{HOOK}", TOLD).result is Result.LATER


def test_mail_arrives_with_title_and_text(mail: MailService) -> None:
    address = (
        f"mailto://me:cnrMailPass@127.0.0.1:{mail.port}?mode=insecure&from=me@example.com&to=you@example.com"
    )
    assert send(address, TOLD).result is Result.SENT
    [(to, letter)] = mail.mails
    assert to == ["<you@example.com>"]
    assert letter["Subject"] == TOLD.title
    assert b"cnrMailPass" in mail.logins[0]
    assert "order refused" not in letter.as_string()  # the text is as it was: with its <b>
    mail.refuse = 451
    assert send(address, TOLD).result is Result.LATER


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, Result.SENT),
        (429, Result.LATER),
        (500, Result.LATER),
        (404, Result.REFUSED),
        (403, Result.REFUSED),
    ],
)
def test_a_webhook_of_ones_own_takes_json(web: WebService, status: int, result: Result) -> None:
    web.status = status
    outcome = send(f"json://127.0.0.1:{web.port}/hook/cnrPath81", TOLD)
    assert outcome.result is result
    assert (web.bodies[0]["title"], web.bodies[0]["message"], web.bodies[0]["type"]) == (
        TOLD.title,
        TOLD.text,
        "failure",
    )


def test_nothing_imports_the_library_before_something_is_told() -> None:
    """It takes as long as half of the program's start."""
    for file in (Path(__file__).parents[3] / "src").rglob("*.py"):
        for line in ast.parse(file.read_text(encoding="utf-8")).body:
            names = [name.name for name in line.names] if isinstance(line, ast.Import) else []
            names += [line.module or ""] if isinstance(line, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & {"apprise", "prometheus_client"}, file


def test_nobody_there_is_tried_later() -> None:
    service = WebService()
    service.close()
    assert send(f"json://127.0.0.1:{service.port}/", TOLD).result is Result.LATER


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https//wrong", "no address"),
        ("tgram://x", "no address"),
        ("nothing://a/b", "no address"),
        ("dbus://", "this machine only"),
        ("discord://417429632418316298/abcdefabcdef", ""),
    ],
)
def test_an_address_is_checked_without_sending(address: str, words: str) -> None:
    fault = fault_of(address)
    assert words in fault
    assert bool(fault) is bool(words)
    if words == "no address":
        assert send(address, TOLD).result is Result.REFUSED
