"""Errors as Elasticsearch and OpenSearch write them."""

import pytest

from sealane.errors import (
    ActionNotFound,
    ApiError,
    CircuitBreaking,
    ConnectTransport,
    IllegalArgument,
    IllegalState,
    Internal,
    NodeDisconnected,
    NoSuchRemoteCluster,
    ParsingError,
    RemoteTransport,
    SearchPhaseExecution,
    SecurityError,
    TaskCancelled,
    TooManyBuckets,
    VersionConflict,
)
from sealane.wire import RemoteProtocolError, StreamInput, StreamOutput
from sealane.wire.exceptions import error_body, read_error_body, read_exception
from sealane.wire.versions import ELASTICSEARCH_WIRE, OPENSEARCH_WIRE

ERRORS = [
    IllegalArgument("no", caused_by=IllegalState("why")),
    RemoteTransport("[n][1.2.3.4:9300][a]", caused_by=ActionNotFound("a")),
    ConnectTransport("[n][a:1] connect_exception"),
    NodeDisconnected("[n][a:1][x] disconnected"),
    NoSuchRemoteCluster("b"),
    ParsingError("bad", line=3, col=14),
    SecurityError("denied"),
    TaskCancelled("by user"),
    TooManyBuckets(10),
    CircuitBreaking(
        "full", metadata={"bytes_wanted": 9, "bytes_limit": 5, "durability": "TRANSIENT"}
    ),
    VersionConflict("conflict", metadata={"index": "i"}),
    Internal("plain", suppressed=[IllegalState("also")]),
]


@pytest.mark.parametrize("version", [ELASTICSEARCH_WIRE, OPENSEARCH_WIRE])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.es_type)
def test_an_error_survives_the_way(error: ApiError, version: int) -> None:
    read = read_error_body(error_body(error, version), version)
    assert read.to_body() == error.to_body()
    assert read.status == error.status
    assert type(read) is type(error)


def test_an_unknown_action_is_class_101_inside_class_103() -> None:
    """C-99: unknown action: class 103 wrapping class 101."""
    body = error_body(RemoteTransport("r", caused_by=ActionNotFound("x")), ELASTICSEARCH_WIRE)
    source = StreamInput(body)
    assert (source.boolean(), source.vint(), source.vint()) == (True, 0, 103)
    assert source.optional(source.string) == "r"
    assert (source.boolean(), source.vint(), source.vint()) == (True, 0, 101)


def test_search_failures_keep_their_shards() -> None:
    out = StreamOutput().boolean(True).vint(0).vint(100)
    out.optional("all shards failed", out.string).boolean(False).vint(0).vint(0).vint(0).vint(0)
    out.optional("query", out.string).vint(1)
    out.boolean(True).boolean(True).text("node1").string("logs").string("uuid").vint(2)
    out.optional("eu", out.string).string("why").string("BAD_REQUEST")
    out.raw(error_body(IllegalArgument("bad field"), ELASTICSEARCH_WIRE))
    error = read_error_body(out.getvalue(), ELASTICSEARCH_WIRE)
    assert isinstance(error, SearchPhaseExecution)
    assert error.metadata["phase"] == "query"
    (failure,) = error.metadata["failed_shards"]
    assert (failure["index"], failure["shard"], failure["node"]) == ("eu:logs", 2, "node1")
    assert failure["reason"]["reason"] == "bad field"


def test_an_unknown_class_is_reported_by_its_number() -> None:
    out = StreamOutput().boolean(True).vint(0).vint(999)
    out.optional("strange", out.string).boolean(False).vint(0).vint(0).vint(0).vint(0)
    with pytest.raises(RemoteProtocolError, match=r"unknown exception id \[999\]: strange"):
        read_error_body(out.getvalue(), ELASTICSEARCH_WIRE)


def test_endless_nesting_is_refused() -> None:
    body = b"\x01\x06\x00" * 10_000
    with pytest.raises(RemoteProtocolError, match="nested deeper"):
        read_exception(StreamInput(body), ELASTICSEARCH_WIRE)


def test_endless_nesting_by_way_of_shard_failures_is_refused() -> None:
    level = (
        StreamOutput()
        .boolean(True)
        .vint(0)
        .vint(100)
        .boolean(False)
        .boolean(False)
        .vint(0)
        .vint(0)
        .vint(0)
        .vint(0)
        .boolean(False)
        .vint(1)
        .boolean(False)
        .string("")
        .string("")
        .getvalue()
    )
    with pytest.raises(RemoteProtocolError, match="nested too deeply"):
        read_error_body(level * 5000, ELASTICSEARCH_WIRE)
