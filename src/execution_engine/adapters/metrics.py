"""Figures in the text that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from execution_engine.domain.observation import BOUNDS_S, Histogram

if TYPE_CHECKING:
    from prometheus_client.core import Metric

PREFIX = "execution_engine_"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One figure: a counter or a gauge, with a value per combination of labels, or a histogram per combination."""

    name: str
    help: str
    labels: Sequence[str] = ()
    values: Mapping[tuple[str, ...], float] = field(default_factory=dict)
    histograms: Mapping[tuple[str, ...], Histogram] = field(default_factory=dict)
    counts: bool = False


def rendered(families: Iterable[Family]) -> str:
    """Write figures as text. Imports the library when it is first called."""
    from prometheus_client import generate_latest  # 0.1 s and more, and only for who asks

    class Figures:
        def collect(self) -> list[Metric]:
            return [_metric(family) for family in families]

    return generate_latest(Figures()).decode()


def _metric(family: Family) -> Metric:
    from prometheus_client.core import (  # only for who asks, as above
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
    )

    name = PREFIX + family.name
    if family.histograms:
        spread = HistogramMetricFamily(name, family.help, labels=family.labels)
        for labels, histogram in family.histograms.items():
            spread.add_metric(labels, _buckets(histogram), histogram.total_s)
        return spread
    kind = CounterMetricFamily if family.counts else GaugeMetricFamily
    figure = kind(name, family.help, labels=family.labels)
    for labels, value in family.values.items():
        figure.add_metric(labels, value)
    return figure


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    found, sum_so_far = [], 0
    for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), histogram.counts, strict=True):
        sum_so_far += count
        found.append((bound, float(sum_so_far)))
    return found
