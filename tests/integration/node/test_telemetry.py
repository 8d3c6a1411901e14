"""What a node tells of its searches over clusters: counts, figures, and a remote that is left alone."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sealane.testing.process import NodeProcess, register


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeProcess, NodeProcess]]:
    folder: Path = tmp_path_factory.mktemp("telemetry")
    with (
        NodeProcess("local", folder / "local") as local,
        NodeProcess("eu", folder / "eu") as eu,
    ):
        register(local, eu)
        for node in (local, eu):
            node.call("PUT", "/i/_doc/1?refresh=true", {"n": 1})
        local.call("GET", "/eu:i/_search")
        yield local, eu


Pair = tuple[NodeProcess, NodeProcess]


def figures(node: NodeProcess) -> dict[str, float]:
    text = node.call("GET", "/metrics")
    assert isinstance(text, str)
    pairs = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def usage(node: NodeProcess) -> dict[str, Any]:
    found = node.call("GET", "/_cluster/stats")["ccs"]["_search"]
    assert isinstance(found, dict)
    return found


def test_figures_of_a_remote(pair: Pair) -> None:
    local, _ = pair
    before = figures(local)
    for _ in range(3):
        local.call("GET", "/i,eu:i/_search")
    assert local.request("GET", "/eu:missing/_search").status == 200
    after = figures(local)
    grown = {name: value - before.get(name, 0) for name, value in after.items()}
    assert grown['sealane_remote_requests_total{remote="eu"}'] == 4
    kind = "index_not_found_exception"
    assert grown[f'sealane_remote_failures_total{{remote="eu",type="{kind}"}}'] == 1
    assert grown['sealane_remote_request_duration_seconds_count{remote="eu"}'] == 4
    assert grown['sealane_remote_request_duration_seconds_bucket{remote="eu",le="+Inf"}'] == 4
    assert grown['sealane_remote_sent_bytes_total{remote="eu"}'] > 0
    assert grown['sealane_remote_received_bytes_total{remote="eu"}'] > 0
    assert after['sealane_remote_connected{remote="eu"}'] == 1
    assert after['sealane_remote_breaker_state{remote="eu",state="closed"}'] == 1
    assert after['sealane_remote_requests_in_flight{remote="eu"}'] == 0
    assert grown['sealane_ccs_searches_total{outcome="success"}'] == 4
    assert grown["sealane_ccs_searches_skipped_total"] == 1
    assert after["sealane_tasks"] == 1
    assert after["process_resident_memory_bytes"] > 1 << 20


def test_features_and_clients(pair: Pair) -> None:
    """S-128: of searches that name a remote only (S-129)."""
    local, _ = pair
    before = usage(local)
    local.call("GET", "/i/_search")
    assert usage(local)["total"] == before["total"]
    local.request("GET", "/i,eu:*/_search", headers={"X-elastic-product-origin": "kibana"})
    local.call("POST", "/i,eu:i/_async_search?ccs_minimize_roundtrips=true")
    local.call("POST", "/i,eu:i/_async_search")
    id = local.call("POST", "/i,eu:i/_pit?keep_alive=1m")["id"]
    local.call("POST", "/_search", {"pit": {"id": id}})
    local.call("DELETE", "/_pit", {"id": id})
    after = usage(local)
    assert after["total"] - before["total"] == 4

    def grown(of: str) -> dict[str, int]:
        counts = {name: count - before[of].get(name, 0) for name, count in after[of].items()}
        return {name: count for name, count in counts.items() if count}

    assert grown("features") == {"mrt_on": 2, "wildcards": 1, "async": 2, "pit": 1}
    assert grown("clients") == {"kibana": 1}
    assert after["clusters"]["eu"]["total"] - before["clusters"]["eu"]["total"] == 4


def test_a_remote_that_does_not_answer_is_left_alone(pair: Pair) -> None:
    """It is given up after `search_timeout`, then not asked; the reason names it, and it is asked again later."""
    local, eu = pair
    keys = {"search_timeout": "300ms", "breaker.failures": 2, "breaker.pause": "500ms"}
    flat = {f"cluster.remote.eu.{key}": value for key, value in keys.items()}
    local.call("PUT", "/_cluster/settings", {"persistent": flat})
    eu.send_signal(signal.SIGSTOP)
    try:
        reasons = [_skipped_by(local) for _ in range(3)]
        assert reasons[0]["type"] == reasons[1]["type"] == "receive_timeout_transport_exception"
        assert reasons[2]["type"] == "connect_transport_exception"
        assert reasons[2]["reason"].startswith(
            "remote cluster [eu] is not asked: it has failed [2] times in a row"
        )
        assert reasons[2]["caused_by"]["type"] == "receive_timeout_transport_exception"
        breaker = local.call("GET", "/_remote/info?verbose=true")["eu"]["breaker"]
        assert breaker["failures_in_a_row"] == 2
        assert breaker["refused"] >= 1
        local.call(
            "PUT",
            "/_cluster/settings",
            {"persistent": {"cluster.remote.eu.skip_unavailable": False}},
        )
        refused = local.request("GET", "/i,eu:i/_search")
        assert refused.status in (500, 502)
        assert refused.body["error"]["cluster"] == "eu"
    finally:
        eu.send_signal(signal.SIGCONT)
    deadline = time.monotonic() + 20
    while local.request("GET", "/i,eu:i/_search").status != 200:
        assert time.monotonic() < deadline, "it is not asked again"
        time.sleep(0.05)
    breaker = local.call("GET", "/_remote/info?verbose=true")["eu"]["breaker"]
    assert (breaker["state"], breaker["failures_in_a_row"]) == ("closed", 0)


def _skipped_by(local: NodeProcess) -> dict[str, Any]:
    answer = local.call("GET", "/i,eu:i/_search")
    detail = answer["_clusters"]["details"]["eu"]
    assert detail["status"] == "skipped"
    reason = detail["failures"][0]["reason"]
    assert isinstance(reason, dict)
    return reason
