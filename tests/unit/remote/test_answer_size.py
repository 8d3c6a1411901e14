"""How large an answer a remote may give."""

import pytest

from sealane.errors import CircuitBreaking
from sealane.model.dsl import SearchBody
from sealane.model.search import SearchRequest
from sealane.model.task import Context
from sealane.reduce.partial import ClusterAnswer, Partial, ShardCounts, TermBucket, TermsPartial
from sealane.remote.transport.messages import encode_answer
from sealane.testing.simulation import in_virtual_time
from tests.unit.remote.fakes import FakeDialer, cluster_of, context
from tests.unit.remote.registries import A, remotes, sniff

REQUEST = SearchRequest(
    indices=("logs",), body=SearchBody(raw=b"{}"), from_=0, size=0, final_reduce=False
)
ANSWER = ClusterAnswer(
    Partial(
        hits=[],
        total=None,
        max_score=None,
        shards=ShardCounts(1, 1),
        aggs={"t": TermsPartial([TermBucket(f"key-{n}", n) for n in range(500)])},
    ),
    1,
)


@in_virtual_time
async def test_an_answer_over_the_limit_fails_that_cluster() -> None:
    """The error names the cluster and the setting; the remote stays connected."""
    payload = encode_answer(ANSWER)

    def answer(action: str, body: bytes, ctx: Context) -> bytes:
        return payload

    nodes = cluster_of(A)
    nodes[0].answer = answer
    limit = len(payload) - 1
    async with remotes(FakeDialer(*nodes), sniff(max_answer_size=f"{limit}b")) as made:
        with pytest.raises(CircuitBreaking) as caught:
            await made.client("eu").search(REQUEST, context())
        assert caught.value.reason == (
            f"the answer of remote cluster [eu] has [{len(payload)}] bytes, more than the "
            f"[{limit}] that [cluster.remote.eu.max_answer_size] allows"
        )
        assert caught.value.metadata == {"bytes_wanted": len(payload), "bytes_limit": limit}
        assert made.describe()["eu"]["connected"] is True


@in_virtual_time
async def test_an_answer_of_just_the_limit_is_taken() -> None:
    payload = encode_answer(ANSWER)
    nodes = cluster_of(A)
    nodes[0].answer = lambda *_: payload
    async with remotes(FakeDialer(*nodes), sniff(max_answer_size=f"{len(payload)}b")) as made:
        assert await made.client("eu").search(REQUEST, context()) == ANSWER
