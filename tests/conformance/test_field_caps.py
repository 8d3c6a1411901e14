"""`_field_caps` over two clusters. Expected values are what a real pair of 8.19.0 answers."""

import asyncio
from typing import Any

import pytest

from tests.conformance.conftest import Pair

_PLAIN = {"metadata_field": False, "searchable": True, "aggregatable": True}


def _cap(kind: str, **members: Any) -> dict[str, Any]:
    return {"type": kind, **_PLAIN, **members}


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    one = {
        "mappings": {
            "properties": {
                "a": {"type": "keyword"},
                "b": {"type": "long", "doc_values": False},
                "c": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
                "o": {"properties": {"y": {"type": "date"}}},
                "m": {"type": "boolean", "meta": {"unit": "q"}},
            }
        }
    }
    two = {
        "mappings": {
            "properties": {
                "a": {"type": "long"},
                "b": {"type": "long"},
                "e": {"type": "keyword"},
                "m": {"type": "boolean", "meta": {"unit": "r"}},
            }
        }
    }
    for cluster in (pair.local, pair.eu):
        await cluster.call("PUT", "/one", one)
        await cluster.call("PUT", "/two", two)
        await cluster.call("PUT", "/bare")
        await cluster.fill("one", {"1": {"a": "x", "b": 1, "c": "hello", "o": {"y": "2021-01-01"}}})
    return pair


async def test_types_in_conflict_list_their_indices(filled: Pair) -> None:
    """S-34: `_field_caps` merges with prefixed index names and conflict lists."""
    answer = await filled.local.call("GET", "/one,eu:two/_field_caps?fields=a,b,m,nope")
    assert answer == {
        "indices": ["eu:two", "one"],
        "fields": {
            "a": {
                "keyword": _cap("keyword", indices=["one"]),
                "long": _cap("long", indices=["eu:two"]),
            },
            "b": {"long": _cap("long", aggregatable=False, non_aggregatable_indices=["one"])},
            "m": {"boolean": _cap("boolean", meta={"unit": ["q", "r"]})},
        },
    }


async def test_unmapped_is_a_type_of_its_own_on_request(filled: Pair) -> None:
    answer = await filled.local.call(
        "GET", "/one,eu:two/_field_caps?fields=e,nope&include_unmapped=true"
    )
    assert answer["fields"] == {
        "e": {
            "keyword": _cap("keyword", indices=["eu:two"]),
            "unmapped": {
                "type": "unmapped",
                "metadata_field": False,
                "searchable": False,
                "aggregatable": False,
                "indices": ["one"],
            },
        }
    }


async def test_a_dead_remote_is_a_failure_beside_what_others_answer(filled: Pair) -> None:
    """S-35: `_field_caps` with a dead remote is a 200 with a failures entry when another cluster answered."""
    filled.link.is_cut = True
    answer = await filled.local.call("GET", "/one,eu:two,eu:t*/_field_caps?fields=a")
    assert answer["indices"] == ["one"]
    assert answer["failed_indices"] == 2
    (failure,) = answer["failures"]
    assert failure["indices"] == ["eu:two", "eu:t*"]
    assert failure["failure"]["error"]["type"] == "connect_transport_exception"


async def test_where_nobody_answers_the_first_failure_is_the_answer(filled: Pair) -> None:
    filled.link.is_cut = True
    answer = await filled.local.request("GET", "/eu:two/_field_caps?fields=a")
    assert answer.status == 502
    filled.link.is_cut = False
    answer = await filled.local.request("GET", "/eu:missing/_field_caps?fields=a")
    assert (answer.status, answer.body["error"]["reason"]) == (404, "no such index [missing]")


async def test_a_missing_index_of_a_remote_fails_that_remote(filled: Pair) -> None:
    answer = await filled.local.call("GET", "/one,eu:missing/_field_caps?fields=a")
    assert answer["failures"][0]["indices"] == ["eu:missing"]
    assert answer["failures"][0]["failure"]["error"]["resource.id"] == "missing"


async def test_a_slow_remote_fails_at_the_timeout(filled: Pair) -> None:
    """The parameter `timeout` is ours: P5."""
    filled.link.hold()
    answer = await filled.local.call("GET", "/one,eu:two/_field_caps?fields=a&timeout=1ms")
    assert answer["indices"] == ["one"]
    error = answer["failures"][0]["failure"]["error"]
    assert error["type"] == "receive_timeout_transport_exception"
    filled.link.release()


async def test_a_pattern_that_names_no_cluster_means_nothing(filled: Pair) -> None:
    """S-6: local indices that nobody named are not read."""
    answer = await filled.local.call("GET", "/no*:one/_field_caps?fields=*")
    assert answer == {"indices": [], "fields": {}}


async def test_an_index_without_a_mapping_has_no_fields_at_all(filled: Pair) -> None:
    answer = await filled.local.call("GET", "/bare/_field_caps?fields=*")
    assert answer == {"indices": ["bare"], "fields": {}}


async def test_the_filter_leaves_out_indices_that_cannot_match(filled: Pair) -> None:
    body = {"index_filter": {"range": {"o.y": {"gte": "2020-06-01"}}}}
    answer = await filled.local.call("POST", "/*,eu:*/_field_caps?fields=a", body)
    assert answer["indices"] == ["eu:one", "one"]


async def test_fields_without_values_are_left_out_on_request(filled: Pair) -> None:
    answer = await filled.local.call(
        "GET", "/eu:one,eu:two/_field_caps?fields=*&include_empty_fields=false&filters=-metadata"
    )
    assert set(answer["fields"]) == {"a", "b", "c", "c.raw", "o", "o.y"}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("fields=*&types=date", {"o", "o.y"}),
        ("fields=*&types=object", set()),
        ("fields=*&filters=-metadata,-multifield,-parent", {"a", "b", "c", "m", "o.y"}),
        ("fields=o", set()),
        ("fields=c*", {"c", "c.raw"}),
        ("fields=*&types=keyword", {"_tier", "a", "c.raw"}),
    ],
)
async def test_filters_and_types(filled: Pair, query: str, names: set[str]) -> None:
    answer = await filled.local.call("GET", f"/one/_field_caps?{query}")
    assert set(answer["fields"]) == names


@pytest.mark.parametrize(
    ("target", "body", "reason"),
    [
        ("/_field_caps", None, "Validation Failed: 1: no fields specified;"),
        ("/_field_caps?fields=", None, "specified fields can't be null or empty"),
        (
            "/_field_caps?fields=a",
            {"fields": ["b"]},
            "can't specify a request body and [fields] request parameter, either specify a request "
            "body or the [fields] request parameter",
        ),
        ("/_field_caps", {"foo": 1}, "[1:2] [field_caps_request] unknown field [foo]"),
        (
            "/_field_caps",
            {"fields": {}},
            "[1:11] [field_caps_request] fields doesn't support values of type: START_OBJECT",
        ),
        ("/one,eu:one/_field_caps?fields=a&filters=foo", None, "Unknown field caps filter [foo]"),
    ],
)
async def test_errors(filled: Pair, target: str, body: Any, reason: str) -> None:
    answer = await filled.local.request("POST", target, body)
    assert (answer.status, answer.body["error"]["reason"]) == (400, reason)


async def test_a_request_is_cancelled_with_its_client(filled: Pair) -> None:
    filled.link.hold()
    asking = asyncio.ensure_future(filled.local.request("GET", "/eu:one/_field_caps?fields=a"))
    await filled.link.wait_delivered()
    asking.cancel()
    answer = await asking
    assert answer.status == 503
    filled.link.release()
