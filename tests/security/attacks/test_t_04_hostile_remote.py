"""T-4, X-113: a remote cluster that lies. What it says can spoil its own part of an answer, and nobody else's."""

import asyncio
import struct
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from sealane.errors import ApiError
from sealane.model.task import Context
from sealane.reduce import ClusterAnswer
from sealane.reduce.partial import (
    BucketsPartial,
    CountBucket,
    Hit,
    InnerHits,
    MetricPartial,
    Partial,
    ShardCounts,
    ShardFailure,
    ShardProfile,
    SuggestEntry,
    SuggestOption,
    SuggestPartial,
    TermBucket,
    TermsPartial,
    TopHitsPartial,
    TotalHits,
)
from sealane.remote.transport.messages import SEARCH, encode_answer
from sealane.remote.transport.messages_phases import (
    FETCH,
    FREE,
    QUERY,
    SHARDS,
    FetchAnswer,
    FetchOutcome,
    FreeAnswer,
    IndexShards,
    QueryAnswer,
    ShardOutcome,
    ShardsAnswer,
)
from tests.integration.cluster.nodes import Answer
from tests.security.attacks.liar import Liar, lying

ERROR = {
    "type": "x",
    "status": 500,
    "reason": "r",
    "metadata": {},
    "caused_by": None,
    "root_causes": None,
    "suppressed": [],
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def liar(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Liar]:
    async with lying(tmp_path_factory.mktemp("liar")) as found:
        yield found


def hit(**more: Any) -> Hit:
    return msgspec.structs.replace(Hit("liar:theirs", "1", 1.0, b'{"word":"theirs"}'), **more)


def partial(*hits: Hit, **more: Any) -> Partial:
    found = Partial(
        hits=list(hits), total=TotalHits(len(hits)), max_score=1.0, shards=ShardCounts(1, 1)
    )
    return msgspec.structs.replace(found, **more)


def inner(**more: Any) -> InnerHits:
    return InnerHits([hit(**more)], TotalHits(1), 1.0)


def completion(**more: Any) -> dict[str, SuggestPartial]:
    option = SuggestOption("mine", 1.0, hit=hit(**more))
    return {"s": SuggestPartial("completion", [SuggestEntry("mine", 0, 4, [option])])}


def is_spared(answer: Answer) -> None:
    """The search has the victim's own hits, and says of the liar that it was skipped."""
    assert answer.status == 200, answer.text
    hits = answer.body["hits"]["hits"]
    assert {each["_index"] for each in hits} == {"own"}
    assert len(hits) == 3
    clusters = answer.body["_clusters"]
    assert clusters["details"]["(local)"]["status"] == "successful"
    assert clusters["details"]["liar"]["status"] in ("skipped", "failed"), answer.text
    assert not answer.body.get("suggest")


FORGED = {
    "of the asking cluster": partial(hit(index="own")),
    "of another remote": partial(hit(index="other:theirs")),
    "with an alias that begins alike": partial(hit(index="liars:theirs")),
    "no JSON": partial(hit(source=b"{")),
    "nothing": partial(hit(source=b"")),
    "more members of the hit": partial(hit(source=b'{},"_index":"own"')),
    "another hit": partial(hit(source=b'{}},{"_index":"own","_id":"9","_source":{}')),
    "bytes that are no text": partial(hit(source=b'{"a":"\xff"}')),
    "endless depth": partial(hit(source=b'{"a":' * 100_000)),
    "inner hits": partial(hit(inner={"i": inner(index="own")})),
    "sources of inner hits": partial(hit(inner={"i": inner(source=b"x")})),
    "a failed shard": partial(failures=[ShardFailure(0, "own", ERROR)]),
    "an error that is none": partial(failures=[ShardFailure(0, None, {"type": "x"})]),
    "an error that went well": partial(failures=[ShardFailure(0, None, {**ERROR, "status": 200})]),
    "causes that are none": partial(
        failures=[ShardFailure(0, None, {**ERROR, "metadata": {"failed_shards": [1]}})]
    ),
    "a profile": partial(profile=[ShardProfile("n", "own", 0, {})]),
    "a suggestion": partial(suggest=completion(index="own")),
    "the source of a suggestion": partial(suggest=completion(source=b"{}]")),
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("lie", FORGED.values(), ids=FORGED.keys())
async def test_names_and_sources_that_are_not_its_own(liar: Liar, lie: Partial) -> None:
    """T-4, X-113: an answer with hits of other clusters, or sources that would become members of the whole answer."""
    liar.tell(SEARCH, encode_answer(ClusterAnswer(lie, 1)))
    is_spared(await liar.search())


BUCKETS = {"terms": {"terms": {"field": "word.keyword"}}}
TOP = {"terms": {**BUCKETS["terms"], "aggs": {"top": {"top_hits": {}}}}}
UNASKED: dict[str, tuple[Any, Partial]] = {
    "a number for buckets": (
        {"aggs": BUCKETS},
        partial(aggs={"terms": MetricPartial(1, 1.0, 1.0, 1.0)}),
    ),
    "buckets for a number": (
        {"aggs": {"most": {"max": {"field": "n"}}}},
        partial(aggs={"most": TermsPartial([TermBucket("x", 1)])}),
    ),
    "no such buckets": (
        {"aggs": {"f": {"filters": {"filters": {"a": {"match_all": {}}}}}}},
        partial(aggs={"f": BucketsPartial([CountBucket(1)] * 7)}),
    ),
    "text among numbers": (
        {"sort": ["n"]},
        partial(hit(sort=["zz"]), sort_types=["long"]),
    ),
    "no sort values": ({"sort": ["n", "_doc"]}, partial(hit(sort=[1]), sort_types=["long"])),
    "hits of buckets": (
        {"aggs": TOP},
        partial(
            aggs={
                "terms": TermsPartial(
                    [TermBucket("x", 1, {"top": TopHitsPartial(inner(index="own"))})],
                    key_type="keyword",
                )
            }
        ),
    ),
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("body", "lie"), UNASKED.values(), ids=UNASKED.keys())
async def test_answers_to_what_was_not_asked(liar: Liar, body: Any, lie: Partial) -> None:
    """T-4, X-113: of the right form, and not to be merged with what others say."""
    liar.tell(SEARCH, encode_answer(ClusterAnswer(lie, 1)))
    is_spared(await liar.search(body))


GOOD = encode_answer(ClusterAnswer(partial(hit()), 1))
BYTES = {
    "nothing": b"",
    "less than a number": b"\0\0",
    "no msgpack": b"\0\0\0\1\xc1",
    "cut off": GOOD[:-3],
    "a list that is said to be long": b"\0\0\0\1\xdd\xff\xff\xff\xff",
    "endless depth": b"\0\0\0\1" + b"\x91" * 100_000,
    "HTTP": b"HTTP/1.1 200 OK\r\n\r\n{}",
    "JSON": b'{"hits":{"hits":[]}}',
    "a negative time": struct.pack(">i", -1) + b"\x90",
    "too much": b"\0" * (3 << 20),
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("lie", BYTES.values(), ids=BYTES.keys())
async def test_bytes_that_are_no_answer(liar: Liar, lie: bytes) -> None:
    """T-4, X-113: wrong lengths, bad msgpack, and more than `max_answer_size`."""
    liar.tell(SEARCH, lie)
    is_spared(await liar.search())


@pytest.mark.asyncio(loop_scope="module")
async def test_a_good_answer_is_believed(liar: Liar) -> None:
    """That the others are not is not for want of a connection."""
    liar.tell(SEARCH, GOOD)
    answer = await liar.search()
    found = [each["_index"] for each in answer.body["hits"]["hits"]]
    assert sorted(found) == ["liar:theirs", "own", "own", "own"]
    assert answer.body["_clusters"]["details"]["liar"]["status"] == "successful"


@pytest.mark.asyncio(loop_scope="module")
async def test_an_error_says_nothing_to_the_client_s_connection(liar: Liar) -> None:
    """T-4: neither its status as a success nor its members as headers of the answer."""
    error = ApiError("x", metadata={"header": {"Set-Cookie": "a=b", "X-Evil": "1\r\nX-More: 2"}})
    error.status = 401
    liar.tell(SEARCH, error)
    answer = await liar.search()
    is_spared(answer)
    assert not {"set-cookie", "x-evil", "x-more", "www-authenticate"} & answer.headers.keys()
    alone = await liar.search(names="liar:*")
    assert not {"set-cookie", "x-evil", "x-more"} & alone.headers.keys()


SHARD = IndexShards("theirs", "uuid", (0,))
BARE = Hit("", "1", 1.0, doc=1)
FOUND = ShardOutcome(partial(BARE), context="c")
STEPS: dict[str, tuple[Any, Any, Any]] = {
    "more outcomes than shards": (SHARD, [FOUND, FOUND], None),
    "no outcome": (SHARD, [], None),
    "an outcome with an error that is none": (SHARD, [ShardOutcome(error={})], None),
    "nothing fetched": (SHARD, [FOUND], []),
    "more fetched than wanted": (SHARD, [FOUND], [FetchOutcome([hit(), hit()])]),
    "a source that is none": (SHARD, [FOUND], [FetchOutcome([hit(source=b"{},1")])]),
    "a fetched error that is none": (SHARD, [FOUND], [FetchOutcome(error={"type": 1})]),
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("shards", "found", "fetched"), STEPS.values(), ids=STEPS.keys())
async def test_a_search_step_by_step(liar: Liar, shards: Any, found: Any, fetched: Any) -> None:
    """T-4, X-113: the same with many round trips."""
    liar.tell(SHARDS.action, SHARDS.encode(ShardsAnswer("n", [shards])))
    liar.tell(QUERY.action, QUERY.encode(QueryAnswer("n", found)))
    liar.tell(FETCH.action, FETCH.encode(FetchAnswer(fetched or [])))
    liar.tell(FREE.action, FREE.encode(FreeAnswer(0)))
    answer = await liar.search(more="ccs_minimize_roundtrips=false")
    assert answer.status == 200, answer.text
    assert {each["_index"] for each in answer.body["hits"]["hits"]} == {"own"}
    assert answer.body["_clusters"]["details"]["liar"]["failures"]


@pytest.mark.asyncio(loop_scope="module")
async def test_an_answer_that_never_comes(liar: Liar) -> None:
    """T-4: the search ends when it was to end; what the liar still does is cancelled there."""

    async def sleep(payload: bytes, ctx: Context) -> bytes:
        await asyncio.Event().wait()
        return b""

    liar.tell(SEARCH, sleep)
    await _end_searches_after(liar, "300ms")
    try:
        is_spared(await liar.search())
    finally:
        await _end_searches_after(liar, None)


async def _end_searches_after(liar: Liar, time: str | None) -> None:
    settings = {"persistent": {"cluster.remote.liar.search_timeout": time}}
    await liar.victim.call("PUT", "/_cluster/settings", settings)
