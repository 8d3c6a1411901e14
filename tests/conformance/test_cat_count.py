"""`_cat/count`, which is a search."""

from tests.conformance.conftest import Pair


async def test_documents_are_counted_not_nested_objects(pair: Pair) -> None:
    mapping = {"properties": {"items": {"type": "nested"}}}
    await pair.local.call("PUT", "/a", {"mappings": mapping})
    await pair.local.fill("a", {"1": {"items": [{"x": 1}, {"x": 2}]}, "2": {}})
    await pair.local.fill("b", {"1": {}})
    await pair.eu.fill("b", {"1": {}, "2": {}})
    for names, count in (("/a", 2), ("/b", 1), ("", 3), ("/a,eu:b", 4), ("/eu:*", 2)):
        answer = await pair.local.request("GET", f"/_cat/count{names}?h=count")
        assert (answer.status, int(answer.body)) == (200, count)


async def test_the_table_says_when(pair: Pair) -> None:
    answer = await pair.local.request("GET", "/_cat/count?v")
    head, row = answer.body.splitlines()
    assert head.split() == ["epoch", "timestamp", "count"]
    assert row.split() == ["1795348800", "12:00:00", "0"]


async def test_an_index_that_is_not_there_is_an_error(pair: Pair) -> None:
    answer = await pair.local.request("GET", "/_cat/count/nothing")
    assert answer.status == 404
    assert answer.body["error"]["type"] == "index_not_found_exception"
