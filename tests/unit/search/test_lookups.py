"""Terms taken from documents before any cluster is asked."""

import json
from typing import Any

import pytest

from sealane.errors import ActionRequestValidation, ApiError, IllegalArgument, IndexNotFound
from sealane.model.task import Context, Task, TaskId
from sealane.query import parse_search_body
from sealane.search.client_search import ClientSearch
from sealane.search.lookups import with_lookups

CTX = Context(task=Task(TaskId("n", 1), "test", None, 0, ""))
DOCUMENT = {"a": [{"b": ["x", None, 1]}, {"b": {"c": 2}}], "a.b": "dotted", "n": 5}


class Documents:
    """One document, `i/1`; counts how often it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None]] = []

    async def __call__(
        self, index: str, doc_id: str, routing: str | None, ctx: Context
    ) -> bytes | None:
        self.asked.append((index, doc_id, routing))
        return json.dumps(DOCUMENT).encode() if doc_id == "1" else None


async def resolved(query: Any, *expressions: str, documents: Documents | None = None) -> Any:
    body = parse_search_body(json.dumps({"query": query}).encode())
    assert body.lookups
    request = ClientSearch(expressions=expressions, body=body)
    found = await with_lookups(request, documents or Documents(), CTX)
    assert not found.body.lookups
    return json.loads(found.body.raw)["query"]


def lookup(**members: str) -> dict[str, Any]:
    return {"terms": {"f": {"index": "i", "id": "1", "path": "n"} | members, "boost": 2}}


@pytest.mark.parametrize(
    ("path", "values"), [("n", [5]), ("a.b", ["x", 1, "dotted"]), ("a", []), ("no.such", [])]
)
async def test_the_values_at_a_path(path: str, values: list[Any]) -> None:
    assert await resolved(lookup(path=path)) == {"terms": {"f": values, "boost": 2}}


async def test_a_missing_document_has_no_terms() -> None:
    assert await resolved(lookup(id="2")) == {"terms": {"f": [], "boost": 2}}


async def test_a_document_is_looked_up_once() -> None:
    documents = Documents()
    await resolved({"bool": {"must": [lookup(), lookup(path="a.b")]}}, documents=documents)
    assert documents.asked == [("i", "1", None)]


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"index": "eu:i"}, IllegalArgument),
        ({"index": "i*"}, IndexNotFound),
        ({"id": ""}, ActionRequestValidation),
    ],
)
async def test_names_that_cannot_be_looked_up(
    members: dict[str, str], error: type[ApiError]
) -> None:
    with pytest.raises(error):
        await resolved(lookup(**members))


async def test_a_liked_document_comes_along_and_is_left_out() -> None:
    query = {"more_like_this": {"like": {"_index": "i", "_id": "1"}, "fields": ["a"]}}
    assert await resolved(query) == {
        "bool": {
            "must": [{"more_like_this": {"like": [{"doc": DOCUMENT}], "fields": ["a"]}}],
            "must_not": [{"ids": {"values": ["1"]}}],
        }
    }


async def test_a_liked_document_without_an_index_is_of_the_one_that_is_searched() -> None:
    query = {"more_like_this": {"like": [{"_id": "1"}, "text"], "include": True}}
    one = await resolved(query, "i")
    assert one["more_like_this"]["like"] == [{"doc": DOCUMENT}, "text"]
    assert await resolved(query, "i", "eu:i") == query
