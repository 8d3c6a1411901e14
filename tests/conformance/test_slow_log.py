"""Slow logs: of the shards of an index, and of searches over clusters with what each cluster took."""

import pytest

from tests.conformance.conftest import Pair

HEADERS = {
    "X-Opaque-Id": "me",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    for cluster in (pair.local, pair.eu):
        await cluster.fill("i", {"1": {"n": 1}})
    return pair


async def search(pair: Pair, target: str) -> None:
    answer = await pair.local.request(
        "POST", f"/{target}/_search", {"query": {"match_all": {}}}, HEADERS
    )
    assert answer.status == 200


def lines(caplog: pytest.LogCaptureFixture, log: str) -> list[tuple[str, str]]:
    return [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if record.name == f"sealane.slowlog.{log}"
    ]


async def test_nothing_is_logged_without_thresholds(
    filled: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    await search(filled, "i,eu:i")
    assert lines(caplog, "query") == lines(caplog, "ccs") == []


async def test_shards_of_an_index_with_thresholds(
    filled: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    """The level is that of the highest threshold that was passed; shards of other indices are left out."""
    await filled.local.fill("other", {"1": {"n": 1}})
    thresholds = {"query": {"warn": "1h", "info": "0ms", "trace": "0ms"}}
    settings = {"index": {"search": {"slowlog": {"threshold": thresholds}}}}
    await filled.local.call("PUT", "/i/_settings", settings)
    await search(filled, "i,other")
    ((level, line),) = lines(caplog, "query")
    assert level == "INFO"
    assert line.startswith("[i][0], took[")
    assert "total_hits[1 hits]" in line
    assert line.endswith(
        'source[{"query":{"match_all":{}}}], id[me], trace.id[0af7651916cd43dd8448eb211c80319c]'
    )
    await filled.local.call("PUT", "/i/_settings", {"index.search.slowlog.threshold.query.*": None})
    await search(filled, "i,other")
    assert len(lines(caplog, "query")) == 1


@pytest.mark.parametrize("trips", ["true", "false"])
async def test_searches_over_clusters(
    filled: Pair, caplog: pytest.LogCaptureFixture, trips: str
) -> None:
    """With the state and the time of each cluster, in both modes; a local search is none."""
    keys = {"search.ccs.slowlog.threshold.warn": "0ms"}
    await filled.local.call("PUT", "/_cluster/settings", {"persistent": keys})
    filled.link.is_cut = True
    target = f"/i,eu:i/_search?ccs_minimize_roundtrips={trips}"
    await filled.local.call("POST", target, {"query": {"match_all": {}}})
    await search(filled, "i")
    ((level, line),) = lines(caplog, "ccs")
    assert level == "WARNING"
    assert line.startswith("[i,eu:i], took[")
    assert "clusters[(local):successful:" in line
    assert "eu:skipped]" in line
    assert line.endswith(f"ccs_minimize_roundtrips[{trips}]")


async def test_thresholds_are_judged_as_the_reference_does(pair: Pair) -> None:
    await pair.local.call("PUT", "/i")
    answer = await pair.local.request(
        "PUT", "/i/_settings", {"index.search.slowlog.threshold.query.warn": "x"}
    )
    assert answer.status == 400
    assert answer.body["error"]["reason"] == (
        "failed to parse setting [index.search.slowlog.threshold.query.warn] with value [x] as a time value: "
        "unit is missing or unrecognized"
    )
