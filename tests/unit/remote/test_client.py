"""One search of one remote: what is sent, what comes back, and what cannot be asked."""

import msgspec
import pytest

from sealane.errors import IllegalArgument, IndexNotFound
from sealane.model.dsl import SearchBody
from sealane.model.search import IndicesOptions, SearchRequest
from sealane.model.task import Context
from sealane.reduce.partial import (
    ClusterAnswer,
    Hit,
    MetricPartial,
    Partial,
    ShardCounts,
    TermBucket,
    TermsPartial,
    TotalHits,
)
from sealane.remote.transport.messages import (
    SEARCH,
    SearchMessage,
    decode_answer,
    decode_search,
    encode_answer,
    encode_search,
)
from sealane.testing.simulation import in_virtual_time
from sealane.wire.families.sealane import decode_nodes, encode_nodes
from tests.unit.remote.fakes import FakeDialer, FakeNode, cluster_of, context, node
from tests.unit.remote.registries import A, B, remotes, sniff

PARTIAL = Partial(
    hits=[Hit("eu:logs", "1", 1.5, b'{"a":1}', ["x", 3, None], shard=2, seq_no=7)],
    total=TotalHits(3, exact=False),
    max_score=1.5,
    shards=ShardCounts(2, 2),
    aggs={
        "by": TermsPartial([TermBucket("k", 2, {"m": MetricPartial(2, 3.0, 1.0, 2.0)})], other=1)
    },
)
REQUEST = SearchRequest(
    indices=("logs-*", "-logs-old"),
    body=SearchBody(raw=b'{"size":3}', size=3),
    from_=0,
    size=13,
    final_reduce=False,
    options=IndicesOptions(
        ignore_unavailable=True,
        allow_no_indices=False,
        expand_open=True,
        expand_closed=False,
        expand_hidden=True,
    ),
    preference="_local",
    routing=("r", "s"),
    allow_partial_results=False,
    request_cache=True,
    batched_reduce_size=7,
)


def test_search_message_keeps_every_field() -> None:
    message = msgspec.msgpack.decode(encode_search(REQUEST), type=SearchMessage)
    assert message == SearchMessage(
        indices=("logs-*", "-logs-old"),
        body=b'{"size":3}',
        from_=0,
        size=13,
        final_reduce=False,
        options=(True, False, True, False, True),
        preference="_local",
        routing=("r", "s"),
        allow_partial_results=False,
        request_cache=True,
        batched_reduce_size=7,
    )


def test_search_survives_the_way() -> None:
    """The body is parsed again on the other side; all else is equal."""
    back = decode_search(encode_search(REQUEST))
    assert back.body.raw == REQUEST.body.raw
    for name in SearchRequest.__slots__:
        if name != "body":
            assert getattr(back, name) == getattr(REQUEST, name), name


def test_partial_survives_the_way() -> None:
    assert decode_answer(encode_answer(ClusterAnswer(PARTIAL, 4))) == (PARTIAL, 4)


def test_nodes_survive_the_way() -> None:
    infos = [A, node("x", 1, roles=(), gw="true")]
    assert decode_nodes(encode_nodes(infos)) == infos


@pytest.mark.parametrize("decode", [decode_search, decode_answer])
@pytest.mark.parametrize("payload", [b"", b"\xc1", b"\x90", b"\x91\xa1x", b"\x81\xa1a\x01"])
def test_malformed_message(decode, payload: bytes) -> None:  # type: ignore[no-untyped-def]
    """Bytes from outside are a 400 that names the action, whatever they are."""
    with pytest.raises(IllegalArgument, match="malformed message for action"):
        decode(payload)


def test_negative_window_from_outside() -> None:
    payload = encode_search(
        SearchRequest(indices=(), body=SearchBody(raw=b"{}"), from_=-1, size=1, final_reduce=True)
    )
    with pytest.raises(IllegalArgument, match="must not be negative"):
        decode_search(payload)


@in_virtual_time
async def test_search_goes_to_gateways_in_turn() -> None:
    """One request each way; the context carries the alias under which we know the remote."""
    asked: list[tuple[str, str, bytes, Context]] = []

    def answering(name: str):  # type: ignore[no-untyped-def]
        def answer(action: str, payload: bytes, ctx: Context) -> bytes:
            asked.append((name, action, payload, ctx))
            return encode_answer(ClusterAnswer(PARTIAL, 4))

        return answer

    nodes = cluster_of(A, B)
    for each in nodes:
        each.answer = answering(each.info.name)
    async with remotes(FakeDialer(*nodes), sniff()) as made:
        ctx = context()
        for _ in range(2):
            assert await made.client("eu").search(REQUEST, ctx) == (PARTIAL, 4)
    assert sorted(name for name, *_ in asked) == ["a", "b"]
    for _, action, payload, there in asked:
        assert (action, payload) == (SEARCH, encode_search(REQUEST))
        assert there.local_alias == "eu"
        assert there.task is ctx.task


@in_virtual_time
async def test_error_of_the_remote_is_the_error() -> None:
    def answer(action: str, payload: bytes, ctx: Context) -> bytes:
        raise IndexNotFound("nope")

    nodes = cluster_of(A)
    nodes[0].answer = answer
    async with remotes(FakeDialer(*nodes), sniff()) as made:
        with pytest.raises(IndexNotFound, match=r"no such index \[nope\]"):
            await made.client("eu").search(REQUEST, context())


@pytest.mark.parametrize(
    ("family", "product"), [("elasticsearch", "Elasticsearch"), ("opensearch", "OpenSearch")]
)
def test_remote_of_another_product(family: str, product: str) -> None:
    """It connects, and a search of it says what is missing."""

    @in_virtual_time
    async def check() -> None:
        async with remotes(FakeDialer(FakeNode(A, family=family)), sniff()) as made:
            with pytest.raises(IllegalArgument) as caught:
                await made.client("eu").search(REQUEST, context())
            assert caught.value.reason == (
                f"searching remote cluster [eu] of product [{product}] over the transport "
                "protocol is not supported yet by this version"
            )
            assert made.describe()["eu"]["connected"] is True

    check()
