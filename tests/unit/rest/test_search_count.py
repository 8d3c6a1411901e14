"""`_count`: a search of size 0 that counts exactly."""

from typing import Any

import pytest

from sealane.errors import ApiError, ConnectTransport
from sealane.model.dsl import TRACK_ALL, Term
from sealane.rest import search
from tests.unit.rest.search_calls import Remotes, Scripted, call


async def count(
    body: bytes, local: Scripted, remotes: Remotes | None = None, index: str = "i", **params: str
) -> Any:
    return await call(
        search.routes, "/_count", body, local=local, index=index, remotes=remotes, **params
    )


async def test_a_count_asks_for_no_hits_and_an_exact_total() -> None:
    local = Scripted({"i": 12_345})
    answer = await count(b'{"query":{"term":{"k":"a"}}}', local)
    assert answer == {
        "count": 12_345,
        "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
    }
    (request,) = local.asked
    assert (request.size, request.body.track_total_hits) == (0, TRACK_ALL)
    assert request.body.query == Term(field="k", value="a")


async def test_a_count_without_a_body_counts_everything() -> None:
    assert (await count(b"", Scripted({"i": 3})))["count"] == 3


async def test_parameters_of_a_count() -> None:
    local = Scripted({"i": 3})
    await count(b"", local, min_score="1.5", terminate_after="2", preference="_local", routing="a")
    (request,) = local.asked
    assert request.body.min_score == 1.5
    assert request.body.terminate_after == 2
    assert (request.preference, request.routing) == ("_local", ("a",))


async def test_an_early_end_is_shown() -> None:
    local = Scripted({"i": 3})
    local.terminated_early = True
    assert list(await count(b"", local)) == ["count", "terminated_early", "_shards"]


async def test_remote_counts_are_added_and_a_skipped_cluster_is_shown() -> None:
    """S-32, S-33."""
    remotes = Remotes(
        {"eu": Scripted({"i": 5}), "us": Scripted({"i": ConnectTransport("[us] gone")})},
        skippable=["eu", "us"],
    )
    answer = await count(b"", Scripted({"i": 2}), remotes, index="i,*:i")
    assert answer["count"] == 7
    assert answer["_shards"]["total"] == 2
    clusters = answer["_clusters"]
    assert (clusters["total"], clusters["successful"], clusters["skipped"]) == (3, 2, 1)
    assert clusters["details"]["us"]["status"] == "skipped"


@pytest.mark.parametrize(
    ("body", "reason", "col"),
    [
        (b'{"size":1}', "request does not support [size]", 2),
        (b'{"query":{"match_all":{}},"aggs":{}}', "request does not support [aggs]", 27),
        (b"[]", "Expected [START_OBJECT] but found [START_ARRAY]", 1),
    ],
)
async def test_only_a_query_may_be_counted(body: bytes, reason: str, col: int) -> None:
    with pytest.raises(ApiError) as error:
        await count(body, Scripted({"i": 1}))
    assert error.value.to_cause() == {
        "type": "parsing_exception",
        "reason": reason,
        "line": 1,
        "col": col,
    }
