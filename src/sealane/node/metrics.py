"""The figures of a node for a monitoring system: what each of its parts has counted."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sealane.model.metrics import Family, Sample, histogram, single
from sealane.model.usage import SearchUsage
from sealane.node.base import Base
from sealane.remote import RemoteCluster, RemoteClusters
from sealane.remote.breaker import BreakerState
from sealane.search.async_search import AsyncSearches

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMetrics:
    """`open_contexts` counts the readers that are kept open for searches; a node without data has none."""

    base: Base
    remotes: RemoteClusters
    usage: SearchUsage
    async_searches: AsyncSearches
    open_contexts: Callable[[], int] = int

    def collect(self) -> Iterator[Family]:
        yield from self._process()
        yield from self._node()
        yield from self.base.tls.families()
        yield from _searches(self.usage)
        yield from _async_searches(self.async_searches)
        aliases = sorted(self.remotes.statistics())
        yield from _remotes({alias: self.remotes.cluster(alias) for alias in aliases})

    def _process(self) -> Iterator[Family]:
        try:
            with open("/proc/self/statm", encoding="ascii") as statm:
                resident = int(statm.read().split()[1]) * _PAGE
            opened = len(os.listdir("/proc/self/fd"))
        except OSError:
            pass  # a system without /proc
        else:
            name, help = "process_resident_memory_bytes", "Memory in use by the process."
            yield single(name, "gauge", help, resident)
            name, help = "process_open_fds", "Files and sockets that the process has open."
            yield single(name, "gauge", help, opened)
        times = os.times()
        yield single(
            "process_cpu_seconds_total",
            "counter",
            "Processor time used by the process.",
            times.user + times.system,
        )

    def _node(self) -> Iterator[Family]:
        base = self.base
        yield single("sealane_tasks", "gauge", "Requests that run on this node.", len(base.tasks))
        yield single(
            "sealane_open_contexts",
            "gauge",
            "Readers kept open for scrolls, points in time and searches in two round trips.",
            self.open_contexts(),
        )
        http = base.http_section()
        yield single(
            "sealane_http_connections", "gauge", "Connections of clients.", http["current_open"]
        )
        transport = base.transport.statistics()
        yield Family(
            "sealane_transport_channels",
            "gauge",
            "Sockets to and from other nodes.",
            (
                Sample(transport.channels_in, {"direction": "in"}),
                Sample(transport.channels_out, {"direction": "out"}),
            ),
        )
        yield Family(
            "sealane_transport_bytes_total",
            "counter",
            "Bytes that crossed between this node and others.",
            (
                Sample(transport.rx_bytes, {"direction": "in"}),
                Sample(transport.tx_bytes, {"direction": "out"}),
            ),
        )


def _searches(usage: SearchUsage) -> Iterator[Family]:
    yield Family(
        "sealane_ccs_searches_total",
        "counter",
        "Searches that named a remote cluster, by how they ended.",
        (
            Sample(usage.success, {"outcome": "success"}),
            Sample(usage.total - usage.success, {"outcome": "failure"}),
        ),
    )
    yield single(
        "sealane_ccs_searches_skipped_total",
        "counter",
        "Searches that went on without a cluster.",
        usage.skipped,
    )
    yield Family(
        "sealane_ccs_failures_total",
        "counter",
        "Searches over clusters that failed, by reason.",
        [Sample(count, {"reason": reason}) for reason, count in usage.failure_reasons.items()],
    )


def _async_searches(searches: AsyncSearches) -> Iterator[Family]:
    counts = searches.statistics()
    yield Family(
        "sealane_async_searches",
        "gauge",
        "Async searches of this node.",
        [Sample(counts[state], {"state": state}) for state in ("running", "kept")],
    )
    yield single(
        "sealane_async_search_bytes",
        "gauge",
        "What the answers kept for async searches have.",
        counts["kept_in_bytes"],
    )
    yield single(
        "sealane_async_searches_submitted_total",
        "counter",
        "Async searches begun.",
        counts["submitted"],
    )


def _remotes(clusters: dict[str, RemoteCluster]) -> Iterator[Family]:
    def gauge(name: str, help: str, value: Callable[[RemoteCluster], float]) -> Family:
        return Family(f"sealane_remote_{name}", "gauge", help, samples(value))

    def counter(name: str, help: str, value: Callable[[RemoteCluster], float]) -> Family:
        return Family(f"sealane_remote_{name}_total", "counter", help, samples(value))

    def samples(value: Callable[[RemoteCluster], float]) -> list[Sample]:
        return [Sample(value(each), {"remote": alias}) for alias, each in clusters.items()]

    yield gauge("connected", "Whether there is a connection.", lambda each: len(each.nodes) > 0)
    yield gauge("connections", "Gateways or sockets connected.", lambda each: len(each.nodes))
    yield gauge("requests_in_flight", "Requests under way.", lambda each: each.requests_in_flight)
    yield counter("requests", "Requests that have ended.", lambda each: each.traffic.requests)
    yield Family(
        "sealane_remote_failures_total",
        "counter",
        "Requests that ended with an error, by its type.",
        [
            Sample(count, {"remote": alias, "type": kind})
            for alias, each in clusters.items()
            for kind, count in each.traffic.failures.items()
        ],
    )
    sent, received = "Bytes of requests sent.", "Bytes of answers received."
    yield counter("sent_bytes", sent, lambda each: each.traffic.sent_bytes)
    yield counter("received_bytes", received, lambda each: each.traffic.received_bytes)
    yield Family(
        "sealane_remote_request_duration_seconds",
        "histogram",
        "How long requests took, whatever they ended with.",
        [
            sample
            for alias, each in clusters.items()
            for sample in histogram(each.traffic.latencies, {"remote": alias})
        ],
    )
    yield Family(
        "sealane_remote_breaker_state",
        "gauge",
        "1 for the state that the breaker of the remote is in.",
        [
            Sample(each.breaker.state is state, {"remote": alias, "state": str(state)})
            for alias, each in clusters.items()
            for state in BreakerState
        ],
    )
    yield counter("breaker_opened", "Times it opened.", lambda each: each.breaker.opened)
    yield counter("breaker_refused", "Requests refused.", lambda each: each.breaker.refused)
