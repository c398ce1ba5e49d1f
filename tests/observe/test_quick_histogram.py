"""The quick histogram counts as that of prometheus_client does."""

import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from mainsheet.server.observe.quick_histogram import QuickHistogram

BUCKETS = (0.001, 0.01, 0.1)
AMOUNTS = (0, 0.0005, 0.001, 0.0011, 0.01, 0.05, 0.1, 0.2, 1e9, -1)


def exposed(kind: type[Histogram]) -> bytes:
    registry = CollectorRegistry()
    labelled = kind("labelled", "With a label.", ["name"], buckets=BUCKETS, registry=registry)
    plain = kind("plain", "Without labels.", buckets=BUCKETS, registry=registry)
    for amount in AMOUNTS:
        labelled.labels("a").observe(amount)
        labelled.labels("b").observe(2 * amount)
        plain.observe(amount)
    return generate_latest(registry)


def test_it_counts_as_the_librarys_histogram() -> None:
    assert exposed(QuickHistogram) == exposed(Histogram)


def test_exemplars_are_refused() -> None:
    histogram = QuickHistogram("plain", "Without labels.", registry=CollectorRegistry())

    with pytest.raises(ValueError, match="exemplars"):
        histogram.observe(1, {"trace": "1"})
