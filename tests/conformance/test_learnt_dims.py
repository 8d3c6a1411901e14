"""A vector's field that was mapped without `dims`: the first vector tells them, as a real server has it."""

from typing import Any

from tests.conformance.conftest import Pair

Json = dict[str, Any]


async def shown(pair: Pair) -> Json:
    answer = await pair.local.call("GET", "/i/_mapping")
    properties: Json = answer["i"]["mappings"]["properties"]
    return {name: field.get("dims") for name, field in properties.items()}


async def made(pair: Pair) -> None:
    bits = {"type": "dense_vector", "element_type": "bit"}
    inner = {"type": "object", "properties": {"w": {"type": "dense_vector"}}}
    fields = {"v": {"type": "dense_vector"}, "b": bits, "o": inner}
    await pair.local.call("PUT", "/i", {"mappings": {"dynamic": "strict", "properties": fields}})


async def test_the_first_vector_tells_the_dimensions(pair: Pair) -> None:
    await made(pair)
    first = await pair.local.request("PUT", "/i/_doc/1?refresh=true", {"v": [1, 2, 3]})
    await pair.local.request("PUT", "/i/_doc/3?refresh=true", {"b": [1, 2], "o": {"w": [1, 2]}})
    assert first.status == 201
    assert await shown(pair) == {"v": 3, "b": 16, "o": None}
    other = await pair.local.request("PUT", "/i/_doc/2", {"v": [1, 2]})
    assert other.body["error"]["caused_by"]["reason"] == (
        "The [dense_vector] field [v] in doc [document with id '2'] has a different number of "
        "dimensions [2] than defined in the mapping [3]"
    )
    near = {"knn": {"field": "v", "query_vector": [1, 2, 3], "k": 1, "num_candidates": 1}}
    answer = await pair.local.call("POST", "/i/_search", near)
    assert [hit["_id"] for hit in answer["hits"]["hits"]] == ["1"]


async def test_a_vector_of_no_or_too_many_dimensions_tells_none(pair: Pair) -> None:
    await made(pair)
    for length in (0, 4097):
        answer = await pair.local.request("PUT", "/i/_doc/1", {"v": [1.0] * length})
        reason = f"The number of dimensions should be in the range [1, 4096] but was [{length}]"
        assert answer.status == 400
        assert answer.body["error"]["root_cause"] == [
            {"type": "mapper_parsing_exception", "reason": reason}
        ]
        assert answer.body["error"]["reason"] == f"Failed to parse mapping: {reason}"
    assert (await shown(pair))["v"] is None


async def test_dimensions_may_be_told_late_but_not_changed(pair: Pair) -> None:
    await made(pair)
    late = {"properties": {"v": {"type": "dense_vector", "dims": 5}}}
    assert (await pair.local.request("PUT", "/i/_mapping", late)).status == 200
    for dims, text in ((6, "6"), (None, "null")):
        field = {"type": "dense_vector"} if dims is None else {"type": "dense_vector", "dims": dims}
        answer = await pair.local.request("PUT", "/i/_mapping", {"properties": {"v": field}})
        assert answer.body["error"]["reason"] == (
            "Mapper for [v] conflicts with existing mapper:\n\t"
            f"Cannot update parameter [dims] from [5] to [{text}]"
        )
