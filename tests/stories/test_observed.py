"""What the program tells about itself and to whom: its log, its figures, its health, and who is not at the window."""

import http.client
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from execution_engine.adapters.control import call
from tests.adapters.notify.services import WebService
from tests.stories.installation import Installation, until

BTC = "BINANCE:BTCUSDT"


@pytest.fixture
def web() -> Iterator[WebService]:
    service = WebService()
    yield service
    service.close()


def test_what_happens_is_told_counted_measured_and_written_down(
    install: Callable[..., Installation], tmp_path: Path, web: WebService
) -> None:
    password = tmp_path / "password"
    password.write_text("a long enough master password")
    engine = install(
        environment={"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"},
        options=["--password-file", str(password)],
        notifications__also=["group_*", "paused"],
    ).start()
    target = f"json://127.0.0.1:{web.port}/hook/cnrPath5509ab"
    added = engine.cli("notify", "add", "phone", "--stdin", "--password-file", str(password), stdin=target)
    assert added.stdout == "phone is told from now on. Send it a test.\n", added.stderr
    assert call(engine.folder.control, "notify test", {"name": "phone"}, 20) == "phone took the test message."

    engine.price(BTC, 100)
    assert engine.alert(BTC, price=100).status == 202
    engine.live(BTC)
    engine.command("pause")
    until(lambda: any("aused" in body["message"] for body in web.bodies), "the target is told")
    titles = [body["title"] for body in web.bodies]
    assert titles[0] == "Execution Engine: test"
    assert "Execution Engine (paper)" in titles

    def queues() -> object:
        return engine.request("GET", "/health").body["queues"]

    until(lambda: queues() == {"signals": 0, "store": 0, "notifications": 0}, "nothing waits")
    health = engine.request("GET", "/health")
    assert health.status == 200
    assert health.body["status"] == "paused"
    assert health.body["streams"] == {"oldest_price_s": None}  # prices set by hand do not age
    assert health.body["database"]["failed"] == ""

    read = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(metrics(engine))
        for sample in family.samples
    }
    assert read["execution_engine_alerts_total", "opened"] == 1
    assert (
        read["execution_engine_orders_total", "entry", "open"]
        + read.get(("execution_engine_orders_total", "entry", "filled"), 0)
        >= 4
    )
    assert read["execution_engine_latency_seconds_count", "alert_to_answer"] == 1
    assert read["execution_engine_latency_seconds_count", "alert_to_order"] >= 1
    assert read["execution_engine_status", "paused"] == 1
    assert read["execution_engine_healthy",] == 1

    def logged() -> list[str]:
        return [row["code"] for row in engine.rows("SELECT code FROM system_log ORDER BY id")]

    until(lambda: "paused" in logged(), "the log is in the database")
    assert "group_opening" in logged()
    [shown] = engine.command("notify")
    assert (shown["name"], shown["kind"], shown["lost"]) == ("phone", "json", 0)
    engine.kill()
    before = len(logged())
    engine.start(ready=False)
    until(lambda: len(logged()) > before, "the log goes on with other ids")


def metrics(engine: Installation) -> str:
    connection = http.client.HTTPConnection(*engine.address, timeout=20)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == 200
    return text
