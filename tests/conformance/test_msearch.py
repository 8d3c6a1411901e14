"""`_msearch` over two clusters: each search by itself. Expected values are what a real pair of 8.19.0 answers."""

from typing import Any

import orjson
import pytest

from tests.conformance.conftest import Pair


def lines(*values: Any) -> bytes:
    return b"".join(
        (each if isinstance(each, bytes) else orjson.dumps(each)) + b"\n" for each in values
    )


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    for cluster in (pair.local, pair.eu):
        await cluster.fill("i", {"1": {"n": 1}, "2": {"n": 2}})
    return pair


async def test_one_that_fails_leaves_the_others_alone(filled: Pair) -> None:
    """S-29: header indices may name remotes."""
    body = lines(
        {"index": "i,eu:i"}, {"size": 0},
        {"index": "eu:i,nobody:i"}, {"size": 0},
        {"index": ["missing"]}, {"size": 0},
    )  # fmt: skip
    answer = await filled.local.call("POST", "/_msearch", body)
    first, second, third = answer["responses"]
    assert (first["status"], first["hits"]["total"]["value"]) == (200, 4)
    assert second["error"]["type"] == "no_such_remote_cluster_exception"
    assert (third["status"], third["error"]["reason"]) == (404, "no such index [missing]")


@pytest.mark.parametrize(
    ("url", "header", "one_trip"),
    [
        (None, None, True),
        (None, False, False),
        (None, True, True),
        ("true", False, True),
        ("false", True, False),
        ("false", None, False),
    ],
)
async def test_round_trips_by_url_and_by_header(
    filled: Pair, url: str | None, header: bool | None, one_trip: bool
) -> None:
    """S-30: 8.19.0 asks the header only where the URL says nothing."""
    said: dict[str, Any] = {"index": "i,eu:i"}
    if header is not None:
        said["ccs_minimize_roundtrips"] = header
    query = "" if url is None else f"?ccs_minimize_roundtrips={url}"
    body = lines(said, {"size": 0})
    answer = await filled.local.call("POST", f"/_msearch{query}", body)
    phases = answer["responses"][0].get("num_reduce_phases", 1)
    assert (phases == 3) is one_trip


@pytest.mark.parametrize(
    ("target", "body", "kind", "reason"),
    [
        (
            "/_msearch",
            lines({"index": "i", "foo": 1}, {}),
            "illegal_argument_exception",
            "key [foo] is not supported in the metadata section",
        ),
        (
            "/_msearch",
            lines({"index": None}, {}),
            "parse_exception",
            "Expected a list of strings but got null",
        ),
        (
            "/_msearch",
            lines({"index": "i", "request_cache": "yes"}, {}),
            "illegal_argument_exception",
            "Could not convert [request_cache] to boolean",
        ),
        (
            "/_msearch",
            lines({"index": "i", "search_type": "foo"}, {}),
            "illegal_argument_exception",
            "No search type for [foo]",
        ),
        (
            "/_msearch?search_type=foo",
            lines({"index": "i"}, {}),
            "illegal_argument_exception",
            "No search type for [foo]",
        ),
        (
            "/_msearch?max_concurrent_searches=0",
            lines({"index": "i"}, {}),
            "illegal_argument_exception",
            "maxConcurrentSearchRequests must be positive",
        ),
        (
            "/_msearch?pre_filter_shard_size=0",
            lines({"index": "i"}, {}),
            "illegal_argument_exception",
            "preFilterShardSize must be >= 1",
        ),
        (
            "/_msearch?scroll=1m",
            lines({"index": "i"}, {}),
            "illegal_argument_exception",
            "request [/_msearch] contains unrecognized parameter: [scroll]",
        ),
        (
            "/_msearch",
            lines({"index": "i"}, b""),
            "parsing_exception",
            "Expected [START_OBJECT] but found [null]",
        ),
        (
            "/_msearch",
            lines([], {}),
            "x_content_parse_exception",
            "[1:2] Unexpected token after end of object",
        ),
    ],
)
async def test_a_line_that_cannot_be_read_fails_the_request(
    filled: Pair, target: str, body: bytes, kind: str, reason: str
) -> None:
    answer = await filled.local.request("POST", target, body)
    error = answer.body["error"]
    assert (answer.status, error["type"], error["reason"]) == (400, kind, reason)
