"""`_msearch`: how its lines become searches, and their answers one answer."""

from typing import Any

import orjson
import pytest

from sealane.errors import ApiError, IndexNotFound
from sealane.model.search import IndicesOptions, SearchRequest
from sealane.rest import msearch
from tests.unit.rest.search_calls import Remotes, Scripted, call


def lines(*members: Any) -> bytes:
    return b"".join(orjson.dumps(each) + b"\n" for each in members)


async def ask(body: bytes, local: Scripted, index: str = "", **params: str) -> Any:
    return await call(msearch.routes, "/_msearch", body, local=local, index=index, **params)


async def asked(header: dict[str, Any], index: str = "", **params: str) -> SearchRequest:
    """What one search with this header asks the local cluster."""
    local = Scripted({"i": 1, "j": 1, "": 1})
    await ask(lines(header, {}), local, index, **params)
    (request,) = local.asked
    return request


async def refusal(body: bytes, **params: str) -> dict[str, Any]:
    with pytest.raises(ApiError) as error:
        await ask(body, Scripted({"i": 1}), **params)
    cause = error.value.to_cause()
    return {"status": error.value.status, "type": cause["type"], "reason": cause["reason"]}


async def test_answers_are_in_the_order_of_the_searches() -> None:
    local = Scripted({"i": 1, "j": 2})
    body = lines({"index": "j"}, {"size": 0}, {"index": "i"}, {"size": 0}, {"index": "j"}, {})
    answer = await ask(body, local)
    assert [each["hits"]["total"]["value"] for each in answer["responses"]] == [2, 1, 2]
    assert [each["status"] for each in answer["responses"]] == [200, 200, 200]
    assert list(answer) == ["took", "responses"]


async def test_a_search_that_fails_does_so_alone() -> None:
    """S-29: also where the remote it names is unknown."""
    local = Scripted({"i": 1, "gone": IndexNotFound("gone")})
    body = lines({"index": "gone"}, {}, {"index": "i"}, {}, {"index": "nope:i"}, {})
    first, second, third = (await ask(body, local))["responses"]
    assert (first["status"], first["error"]["type"]) == (404, "index_not_found_exception")
    assert second["status"] == 200
    assert (third["status"], third["error"]["type"]) == (404, "no_such_remote_cluster_exception")


async def test_a_search_may_name_remotes() -> None:
    """S-29."""
    local, eu = Scripted({"i": 1}), Scripted({"i": 5})
    body = lines({"index": ["i", "eu:i"]}, {"size": 0})
    answer = await call(msearch.routes, "/_msearch", body, local=local, remotes=Remotes({"eu": eu}))
    assert answer["responses"][0]["hits"]["total"]["value"] == 6
    assert answer["responses"][0]["_clusters"]["successful"] == 2


@pytest.mark.parametrize("header", [b"", b"{}", b"   "])
async def test_a_search_without_indices_takes_those_of_the_path(header: bytes) -> None:
    local = Scripted({"i": 1})
    await ask(header + b"\n{}\n", local, index="i,j")
    assert local.asked[0].indices == ("i", "j")


async def test_a_search_with_indices_does_not_take_those_of_the_path() -> None:
    assert (await asked({"index": "j"}, index="i")).indices == ("j",)


@pytest.mark.parametrize("name", ["index", "indices"])
@pytest.mark.parametrize("value", ["i,j", ["i", "j"]])
async def test_indices_are_a_list_or_a_text(name: str, value: Any) -> None:
    assert (await asked({name: value})).indices == ("i", "j")


async def test_what_a_header_may_say() -> None:
    request = await asked(
        {
            "index": "i",
            "preference": "_local",
            "routing": "a,b",
            "request_cache": "true",
            "allow_partial_search_results": False,
            "ignore_unavailable": "true",
            "allow_no_indices": False,
            "expand_wildcards": ["open", "hidden"],
            "search_type": "query_then_fetch",
        }
    )
    assert request.preference == "_local"
    assert request.routing == ("a", "b")
    assert request.request_cache is True
    assert not request.allow_partial_results
    assert request.options == IndicesOptions(
        ignore_unavailable=True, allow_no_indices=False, expand_hidden=True
    )


async def test_a_header_overrides_the_parameters_of_the_url() -> None:
    """S-30."""
    assert (await asked({"index": "i"}, ignore_unavailable="true")).options.ignore_unavailable
    header = {"index": "i", "ignore_unavailable": False}
    assert not (await asked(header, ignore_unavailable="true")).options.ignore_unavailable


async def test_totals_as_integers_and_typed_keys_are_for_all_searches() -> None:
    answer = await ask(lines({"index": "i"}, {}), Scripted({"i": 7}), rest_total_hits_as_int="true")
    assert answer["responses"][0]["hits"]["total"] == 7


async def test_an_odd_line_at_the_end_is_no_search() -> None:
    local = Scripted({"i": 1})
    answer = await ask(lines({"index": "i"}, {}) + b"\n", local)
    assert len(answer["responses"]) == 1


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (b"", "parse_exception", "request body or source parameter is required"),
        (
            b'{"index":"i"}\n{}',
            "illegal_argument_exception",
            "The msearch request must be terminated by a newline [\n]",
        ),
        (
            b'{"index":"i"}\n',
            "action_request_validation_exception",
            "Validation Failed: 1: no requests added;",
        ),
        (
            b'{"index":"i","foo":1}\n{}\n',
            "illegal_argument_exception",
            "key [foo] is not supported in the metadata section",
        ),
        (
            b'{"index":"i"}\n{"query":{"nope":{}}}\n{"index":"i"}\n{}\n',
            "parsing_exception",
            "unknown query [nope]",
        ),
    ],
)
async def test_what_cannot_be_read_fails_the_whole_request(
    body: bytes, kind: str, reason: str
) -> None:
    assert await refusal(body) == {"status": 400, "type": kind, "reason": reason}


async def test_no_search_at_a_time_is_refused() -> None:
    refused = await refusal(lines({"index": "i"}, {}), max_concurrent_searches="0")
    assert refused["reason"] == "maxConcurrentSearchRequests must be positive"
