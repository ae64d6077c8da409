"""Prometheus metrics, collected from what the publisher knows at the moment of the scrape."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from common.problems import Severity
from common.snapshot import Reason
from common.status import PublisherStatus, SourceState
from common.sync_state import SyncState
from publisher.fleet import Fleet
from publisher.report import StatusReport


class RoundMetrics:
    """What is counted as it happens."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._rounds = Counter(
            "routecast_rounds",
            "Rounds by what asked for them and how they ended",
            ["reason", "outcome"],
            registry=registry,
        )
        self._seconds = Histogram(
            "routecast_round_seconds",
            "How long a round took, from documents to the stored snapshot",
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5),
            registry=registry,
        )

    def ended(self, reason: Reason, outcome: str, took_s: float) -> None:
        """Count a round."""
        self._rounds.labels(reason.value, outcome).inc()
        self._seconds.observe(took_s)


class StateCollector(Collector):
    """What is read at each scrape."""

    def __init__(self, report: StatusReport, fleet: Fleet) -> None:
        self._report = report
        self._fleet = fleet

    def collect(self) -> Iterator[Metric]:
        """Yield the state of publisher, source and nodes."""
        status = self._report.status()
        yield from _publisher(status)
        yield from _sources(status)
        yield from _nodes(self._fleet)


def _publisher(status: PublisherStatus) -> Iterator[Metric]:
    yield GaugeMetricFamily("routecast_snapshot_epoch", "Epoch of the newest snapshot", value=status.epoch or 0)
    yield GaugeMetricFamily("routecast_snapshot_version", "Version of the newest snapshot", value=status.version or 0)
    yield GaugeMetricFamily(
        "routecast_ready", "1 when nothing keeps this publisher from publishing", value=int(status.waiting_for is None)
    )
    problems = GaugeMetricFamily("routecast_problems", "Problems in the source data", labels=["severity"])
    for severity in Severity:
        problems.add_metric([severity.value], sum(problem.severity is severity for problem in status.problems))
    yield problems


def _sources(status: PublisherStatus) -> Iterator[Metric]:
    sources = GaugeMetricFamily(
        "routecast_source_state", "1 for the state that a source document is in", labels=["document", "state"]
    )
    for name, document in sorted(status.sources.items()):
        for state in SourceState:
            sources.add_metric([name, state.value], int(document.state is state))
    yield sources


def _nodes(fleet: Fleet) -> Iterator[Metric]:
    states = GaugeMetricFamily("routecast_node_state", "1 for the state that a node is in", labels=["node", "state"])
    lags = GaugeMetricFamily(
        "routecast_node_lag_seconds", "How long the newest snapshot exists without the node running it", labels=["node"]
    )
    for seen in fleet.views:
        for state in SyncState:
            states.add_metric([seen.node, state.value], int(seen.state is state))
        lags.add_metric([seen.node], seen.lag_s)
    yield states
    yield lags
