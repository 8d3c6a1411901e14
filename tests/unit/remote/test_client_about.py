"""What a remote cluster is asked about itself: the messages, and when nobody waits for it."""

import asyncio

import msgspec
import pytest

from sealane.errors import ConnectTransport, IllegalArgument, IndexNotFound, Rejected
from sealane.model.clusters import (
    ClusterMatch,
    ClusterStats,
    ProductVersion,
    RemoteTraits,
    ResolveClusterRequest,
)
from sealane.model.search import IndicesOptions
from sealane.model.task import Context
from sealane.remote.transport.messages_clusters import (
    CLUSTER_STATS,
    RESOLVE_CLUSTER,
    ResolveClusterMessage,
    decode_cluster_match,
    decode_cluster_stats,
    decode_cluster_stats_request,
    decode_resolve_cluster,
    encode_cluster_match,
    encode_cluster_stats,
    encode_resolve_cluster,
)
from sealane.testing.simulation import in_virtual_time
from tests.unit.remote.fakes import FakeDialer, FakeNode, context
from tests.unit.remote.registries import A, remotes, sniff

REQUEST = ResolveClusterRequest(
    expressions=("logs-*", "-old"),
    options=IndicesOptions(
        ignore_unavailable=True,
        allow_no_indices=False,
        expand_open=False,
        expand_closed=True,
        expand_hidden=True,
    ),
)
MATCH = ClusterMatch(matches=True, version=ProductVersion("8.19.0", "default", "7.17.0", "7.0.0"))
STATS = ClusterStats(
    cluster_uuid="u",
    status="green",
    versions=("8.19.0",),
    nodes=1,
    shards=2,
    indices=3,
    indices_bytes=4,
    memory_bytes=5,
)


@pytest.mark.parametrize("request_", [REQUEST, ResolveClusterRequest(expressions=None)])
def test_a_request_crosses_unchanged(request_: ResolveClusterRequest) -> None:
    assert decode_resolve_cluster(encode_resolve_cluster(request_)) == request_


def test_the_message_is_told_by_place() -> None:
    assert msgspec.msgpack.decode(encode_resolve_cluster(REQUEST)) == [
        ["logs-*", "-old"],
        [True, False, False, True, True],
    ]


def test_fields_may_be_appended() -> None:
    """What a later version says beyond ours is passed over."""
    fields = [*msgspec.msgpack.decode(encode_resolve_cluster(REQUEST)), "later"]
    assert decode_resolve_cluster(msgspec.msgpack.encode(fields)) == REQUEST
    assert msgspec.msgpack.decode(encode_resolve_cluster(REQUEST), type=ResolveClusterMessage)
    answer = [*msgspec.msgpack.decode(encode_cluster_match(MATCH)), "later"]
    assert decode_cluster_match(msgspec.msgpack.encode(answer)) == MATCH


def test_answers_cross_unchanged() -> None:
    assert decode_cluster_match(encode_cluster_match(MATCH)) == MATCH
    assert decode_cluster_stats(encode_cluster_stats(STATS)) == STATS


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\x90", msgspec.msgpack.encode([["a"], [1]])])
def test_bytes_that_are_no_message(payload: bytes) -> None:
    for decode in (decode_resolve_cluster, decode_cluster_match, decode_cluster_stats):
        with pytest.raises(IllegalArgument, match="malformed message for action"):
            decode(payload)
    if payload:
        with pytest.raises(IllegalArgument, match="malformed message for action"):
            decode_cluster_stats_request(payload)


def answering(action: str, payload: bytes, ctx: Context) -> bytes:
    assert ctx.local_alias == "eu"
    if action == RESOLVE_CLUSTER:
        assert decode_resolve_cluster(payload) == REQUEST
        return encode_cluster_match(MATCH)
    assert (action, payload) == (CLUSTER_STATS, b"")
    return encode_cluster_stats(STATS)


@in_virtual_time
async def test_a_connected_remote_answers_under_its_alias() -> None:
    async with remotes(FakeDialer(FakeNode(A, answer=answering)), sniff()) as made:
        assert await made.client("eu").resolve_cluster(REQUEST, context()) == MATCH
        assert await made.client("eu").cluster_stats(context()) == STATS


@in_virtual_time
async def test_the_remotes_error_arrives() -> None:
    def refusing(action: str, payload: bytes, ctx: Context) -> bytes:
        raise IndexNotFound("logs")

    async with remotes(FakeDialer(FakeNode(A, answer=refusing)), sniff()) as made:
        with pytest.raises(IndexNotFound):
            await made.client("eu").resolve_cluster(REQUEST, context())


@in_virtual_time
async def test_a_remote_that_is_away_is_not_waited_for_and_tried_again() -> None:
    """C-83: also with skip_unavailable false, where a search would wait."""
    node = FakeNode(A, answer=answering)
    node.go_down()
    async with remotes(FakeDialer(node), sniff(skip_unavailable="false")) as made:
        await made.wait_first_rounds()
        rounds = made.statistics()["eu"].rounds
        began = asyncio.get_running_loop().time()
        for call in (
            lambda: made.client("eu").resolve_cluster(REQUEST, context()),
            lambda: made.client("eu").cluster_stats(context()),
        ):
            with pytest.raises(ConnectTransport):
                await call()
        assert asyncio.get_running_loop().time() == began
        node.error = None
        await asyncio.sleep(2)
        assert made.statistics()["eu"].rounds > rounds
        assert await made.client("eu").resolve_cluster(REQUEST, context()) == MATCH


@in_virtual_time
async def test_the_first_round_is_waited_for() -> None:
    """A remote that has just been registered is not reported as away."""
    async with remotes(FakeDialer(FakeNode(A, answer=answering)), sniff()) as made:
        assert made.describe()["eu"]["connected"] is False
        assert await made.client("eu").resolve_cluster(REQUEST, context()) == MATCH


@pytest.mark.parametrize(
    ("family", "product", "version"),
    [("elasticsearch", "Elasticsearch", "8.19.0"), ("opensearch", "OpenSearch", "2.19.4")],
)
def test_a_remote_of_another_product_tells_its_version(
    family: str, product: str, version: str
) -> None:
    @in_virtual_time
    async def check() -> None:
        async with remotes(FakeDialer(FakeNode(A, family=family)), sniff()) as made:
            match = await made.client("eu").resolve_cluster(REQUEST, context())
            assert (match.matches, match.version) == (None, ProductVersion(version))
            assert match.unasked == (
                f"resolving indices of remote cluster [eu] of product [{product}] over the transport "
                "protocol is not supported yet by this version"
            )
            nobody_named = ResolveClusterRequest(expressions=None)
            there = await made.client("eu").resolve_cluster(nobody_named, context())
            assert (there.version, there.unasked) == (ProductVersion(version), None)
            with pytest.raises(IllegalArgument, match=f"statistics of .* of product .{product}."):
                await made.client("eu").cluster_stats(context())

    check()


@in_virtual_time
async def test_questions_count_as_requests_under_way() -> None:
    async with remotes(FakeDialer(FakeNode(A)), sniff(max_in_flight_requests="1")) as made:
        asking = asyncio.ensure_future(made.client("eu").resolve_cluster(REQUEST, context()))
        await asyncio.sleep(1)
        with pytest.raises(Rejected):
            await made.client("eu").cluster_stats(context())
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert made.cluster("eu").requests_in_flight == 0


@in_virtual_time
async def test_traits_are_those_of_the_settings() -> None:
    settings = sniff(skip_unavailable="false", transport__compress="true")
    async with remotes(FakeDialer(FakeNode(A)), settings) as made:
        assert made.traits("eu") == RemoteTraits(
            mode="sniff", skip_unavailable=False, compress="true"
        )
