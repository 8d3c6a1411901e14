"""`_resolve/index` and `_terms_enum` over two clusters."""

from typing import Any

import pytest

from tests.conformance.conftest import Pair


@pytest.fixture
async def named(pair: Pair) -> Pair:
    for cluster in (pair.local, pair.eu):
        await cluster.call("PUT", "/a1", {"aliases": {"al": {}}})
        await cluster.call("PUT", "/a2", {"aliases": {"al": {}}})
        await cluster.call("PUT", "/a3", {"settings": {"index.hidden": True}})
        await cluster.call("POST", "/a2/_close")
    return pair


async def test_names_of_remotes_carry_their_alias(named: Pair) -> None:
    """S-36: `_resolve/index` prefixes names, and only those of the entries."""
    answer = await named.local.call("GET", "/_resolve/index/eu:a*,a1?expand_wildcards=all")
    assert answer == {
        "indices": [
            {"name": "a1", "aliases": ["al"], "attributes": ["open"]},
            {"name": "eu:a1", "aliases": ["al"], "attributes": ["open"]},
            {"name": "eu:a2", "aliases": ["al"], "attributes": ["closed"]},
            {"name": "eu:a3", "attributes": ["hidden", "open"]},
        ],
        "aliases": [{"name": "eu:al", "indices": ["a1", "a2"]}],
        "data_streams": [],
    }


async def test_what_a_remote_fails_with_is_not_told(named: Pair) -> None:
    """S-36: a dead remote is ignored, as is a name it does not know."""
    nothing: dict[str, Any] = {"indices": [], "aliases": [], "data_streams": []}
    assert await named.local.call("GET", "/_resolve/index/eu:missing") == nothing
    named.link.is_cut = True
    assert await named.local.call("GET", "/_resolve/index/*:*") == nothing


@pytest.mark.parametrize(
    ("expression", "status"),
    [("missing", 404), ("xx:a", 404), (":a", 400), ("a1::foo", 400), ("eu:*,-eu:*", 400)],
)
async def test_names_that_are_wrong(named: Pair, expression: str, status: int) -> None:
    answer = await named.local.request("GET", f"/_resolve/index/{expression}")
    assert answer.status == status


@pytest.fixture
async def tagged(pair: Pair) -> Pair:
    mapping = {
        "settings": {"number_of_shards": 2},
        "mappings": {"properties": {"tag": {"type": "keyword"}, "ip": {"type": "ip"}}},
    }
    for cluster, tags in (
        (pair.local, ("apple", "Apricot", "bean")),
        (pair.eu, ("apple", "avocado")),
    ):
        await cluster.call("PUT", "/t", mapping)
        await cluster.fill(
            "t", {str(n): {"tag": tag, "ip": f"10.0.0.{n}"} for n, tag in enumerate(tags)}
        )
    return pair


async def _terms(pair: Pair, target: str, **body: Any) -> Any:
    return await pair.local.call("POST", f"/{target}/_terms_enum", {"field": "tag", **body})


async def test_terms_of_clusters_are_merged_sorted_and_told_once(tagged: Pair) -> None:
    """S-37: `_terms_enum` merges, sorts, dedupes."""
    answer = await _terms(tagged, "t,eu:t", string="a")
    assert answer == {
        "_shards": {"total": 4, "successful": 4, "failed": 0},
        "terms": ["apple", "avocado"],
        "complete": True,
    }
    assert (await _terms(tagged, "t,eu:t", string="A", case_insensitive=True))["terms"] == [
        "Apricot",
        "apple",
        "avocado",
    ]
    assert (await _terms(tagged, "t,eu:t", search_after="apple", size=1))["terms"] == ["avocado"]
    assert (await _terms(tagged, "t,eu:t", field="ip", string="10."))["terms"] == [
        "10.0.0.0",
        "10.0.0.1",
        "10.0.0.2",
    ]


async def test_terms_of_other_fields(pair: Pair) -> None:
    """An alias is the field it stands for, a constant is in every index; fields without terms have none."""
    fields = {
        "c": {"type": "constant_keyword", "value": "const"},
        "k": {"type": "keyword"},
        "al": {"type": "alias", "path": "k"},
        "ip": {"type": "ip"},
        "n": {"type": "long"},
    }
    await pair.local.call("PUT", "/o", {"mappings": {"properties": fields}})
    documents = {str(n): {"k": "x", "n": n, "ip": f"10.0.0.{n}"} for n in (2, 9, 10, 11)}
    await pair.local.fill("o", documents)

    async def terms(field: str, **body: Any) -> list[str]:
        found: list[str] = (await _terms(pair, "o", field=field, **body))["terms"]
        return found

    assert await terms("c", string="co") == ["const"]
    assert await terms("c", string="x") == []
    assert await terms("al") == ["x"]
    assert await terms("_index") == ["o"]
    assert await terms("n") == await terms("nope") == []
    assert await terms("ip", size=3) == ["10.0.0.10", "10.0.0.11", "10.0.0.2"]
    assert await terms("ip", search_after="10.0.0.11") == ["10.0.0.2", "10.0.0.9"]


async def test_a_remote_that_fails_makes_the_answer_incomplete(tagged: Pair) -> None:
    """S-37: `complete: false` on a remote's failure."""
    tagged.link.is_cut = True
    answer = await _terms(tagged, "t,eu:t")
    assert answer["complete"] is False
    assert answer["terms"] == ["Apricot", "apple", "bean"]
    assert answer["_shards"]["failed"] == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"field": None}, "[1:10] [terms_enum] field doesn't support values of type: VALUE_NULL"),
        ({}, "Validation Failed: 1: field cannot be null;"),
        ({"field": "tag", "timeout": "2m"}, "Validation Failed: 1: Timeout cannot be > 1 minute;"),
    ],
)
async def test_errors(tagged: Pair, body: Any, reason: str) -> None:
    answer = await tagged.local.request("POST", "/t/_terms_enum", body)
    assert (answer.status, answer.body["error"]["reason"]) == (400, reason)
