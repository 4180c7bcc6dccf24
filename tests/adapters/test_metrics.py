"""Figures as Prometheus reads them."""

from prometheus_client.parser import text_string_to_metric_families

from execution_engine.adapters.metrics import Family, rendered
from execution_engine.domain.observation import Histogram


def test_counters_gauges_and_histograms_are_read_back_as_they_were() -> None:
    spread = Histogram()
    for seconds in (0.004, 0.3, 100):
        spread.add(seconds)
    text = rendered(
        [
            Family(name="alerts", help="Alerts.", labels=("outcome",), values={('a\n"b',): 3}, counts=True),
            Family(name="memory_bytes", help="Memory.", values={(): 5.5}),
            Family(name="unknown", help="Nothing."),
            Family(name="latency_seconds", help="Time.", labels=("stage",), histograms={("x",): spread}),
        ]
    )
    read = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert read["execution_engine_alerts_total", ("outcome", 'a\n"b')] == 3
    assert read[("execution_engine_memory_bytes",)] == 5.5
    assert read["execution_engine_latency_seconds_bucket", ("le", "0.005"), ("stage", "x")] == 1
    assert read["execution_engine_latency_seconds_bucket", ("le", "0.5"), ("stage", "x")] == 2
    assert read["execution_engine_latency_seconds_bucket", ("le", "+Inf"), ("stage", "x")] == 3
    assert read["execution_engine_latency_seconds_count", ("stage", "x")] == 3
