"""Several sort keys on an engine that sorts by one: against sorting all documents in Python."""

import itertools
import math
import random
from typing import Any

import pytest

from sealane.engine.embedded.search import rank
from sealane.engine.embedded.view import ShardView
from sealane.errors import IllegalArgument
from tests.unit.engine.search.shards import ids, mapping_of, search, shard

_MAPPING = mapping_of({"three": "keyword", "n": "long", "price": "double", "long": "keyword"})


def _documents(count: int) -> list[dict[str, Any]]:
    picks = random.Random(42)
    docs: list[dict[str, Any]] = []
    for _ in range(count):
        doc: dict[str, Any] = {
            "three": picks.choice("abc"),
            "n": picks.randrange(20),
            "price": picks.randrange(40) / 4,
            "long": "x" * 60 + picks.choice("pqr"),
        }
        if picks.random() < 0.2:
            doc.pop(picks.choice(["n", "price", "three"]))
        docs.append(doc)
    return docs


DOCS = _documents(400)


@pytest.fixture(scope="module", params=[1, 6], ids=["one segment", "six segments"])
def view(request: pytest.FixtureRequest) -> ShardView:
    return shard(DOCS, _MAPPING, commits=request.param)


def _expected(keys: list[tuple[str, bool]]) -> list[str]:
    """Ids in order; documents without a value last."""
    order = list(range(len(DOCS)))
    for name, descending in reversed(keys):
        have = [at for at in order if name in DOCS[at]]
        lack = [at for at in order if name not in DOCS[at]]
        have.sort(key=lambda at: DOCS[at][name], reverse=descending)
        if descending:
            have = [
                at
                for _, group in itertools.groupby(have, key=lambda at: DOCS[at][name])
                for at in group
            ]
        order = have + lack
    return [str(at + 1) for at in order]


ORDERS = [
    [("three", False), ("n", True)],
    [("three", True), ("price", False), ("n", False)],
    [("n", False), ("three", False)],
    [("price", True), ("n", True), ("three", True)],
    [("long", False), ("n", False)],
]


@pytest.mark.parametrize("keys", ORDERS, ids=str)
@pytest.mark.parametrize("size", [1, 10, 133, 400])
def test_ranks_by_all_keys(view: ShardView, keys: list[tuple[str, bool]], size: int) -> None:
    sort = [{name: "desc" if descending else "asc"} for name, descending in keys]
    assert ids(search(view, {"sort": sort, "size": size})) == _expected(keys)[:size]


@pytest.mark.parametrize("keys", ORDERS, ids=str)
def test_search_after_walks_through_all_documents(
    view: ShardView, keys: list[tuple[str, bool]]
) -> None:
    """With a unique last key, pages follow each other without a gap or a repetition."""
    sort = [{name: "desc" if descending else "asc"} for name, descending in keys]
    body: dict[str, Any] = {"sort": [*sort, "_doc"], "size": 37}
    seen: list[str] = []
    while hits := search(view, body).hits:
        seen += [hit.id for hit in hits]
        assert hits[-1].sort is not None
        body["search_after"] = [
            str(value).replace("inf", "Infinity") if value in (math.inf, -math.inf) else value
            for value in hits[-1].sort
        ]
    assert seen == _expected(keys)


def test_a_first_key_of_three_values_over_many_documents_is_exact() -> None:
    docs = [{"three": "abc"[at * 7 % 3], "n": at * 7919 % 30_011} for at in range(30_000)]
    view = shard(docs, mapping_of({"three": "keyword", "n": "long"}))
    expected = sorted(range(len(docs)), key=lambda at: (docs[at]["three"], -int(docs[at]["n"])))
    hits = ids(search(view, {"sort": ["three", {"n": "desc"}], "size": 200}))
    assert hits == [str(at + 1) for at in expected[:200]]


def test_the_best_of_a_large_shard_are_found_under_a_query() -> None:
    """The second search goes by what the first one learned of the best values."""
    docs = [{"n": at * 7919 % 30_011, "small": at % 3} for at in range(30_000)]
    view = shard(docs, mapping_of({"n": "long", "small": "integer"}))
    body = {"sort": [{"n": "desc"}], "query": {"term": {"small": 1}}}
    wanted = sorted((d["n"] for d in docs if d["small"] == 1), reverse=True)
    for size in (10, 10, 300, 700):
        hits = search(view, {**body, "size": size}).hits
        assert [hit.sort for hit in hits] == [[n] for n in wanted[:size]]


def test_search_after_must_have_a_value_for_each_key(view: ShardView) -> None:
    with pytest.raises(IllegalArgument, match=r"search_after has 2 value\(s\) but sort has 1"):
        search(view, {"sort": ["n"], "search_after": [1, 2]})


def test_ties_are_in_document_order(view: ShardView) -> None:
    assert ids(search(view, {"size": 50})) == [str(at) for at in range(1, 51)]


@pytest.mark.parametrize("descending", [False, True], ids=["asc", "desc"])
@pytest.mark.parametrize("column", ["n", "price"])
def test_a_range_sorted_by_its_own_column(
    monkeypatch: pytest.MonkeyPatch, column: str, descending: bool
) -> None:
    """Answered out of the best documents that are known, where those reach; ties stay in document order."""
    monkeypatch.setattr(rank, "THRESHOLD_MIN_DOCS", 0)
    monkeypatch.setattr(rank, "BEST_KEPT", 12)
    values = [(at * 7) % 20 for at in range(60)]
    docs: list[dict[str, Any]] = [{column: each} for each in values]
    view = shard([*docs, {}, {}], commits=4)
    for low in range(-1, 21, 3):
        for high in range(low, 21, 4):
            bounds = {"gte": low, "lte": high}
            query = {"bool": {"filter": [{"range": {column: bounds}}]}}
            for size in (1, 5, 30):
                body = {
                    "query": query,
                    "size": size,
                    "sort": [{column: "desc" if descending else "asc"}],
                }
                expected = sorted(
                    (at for at in range(60) if low <= values[at] <= high),
                    key=lambda at: (-values[at] if descending else values[at], at),
                )
                partial = search(view, body)
                assert [int(hit.id) - 1 for hit in partial.hits] == expected[:size]
                assert [hit.sort for hit in partial.hits] == [
                    [values[at]] for at in expected[:size]
                ]
                assert partial.total is not None
                assert partial.total.value == len(expected)


@pytest.mark.parametrize("commits", [1, 5])
def test_equal_scores_come_in_document_order_on_any_page(commits: int) -> None:
    """Where matches are spread evenly only the first documents are looked at; where they are not, all."""
    docs = [{"n": at % 3, "small": int(at > 350)} for at in range(400)]
    view = shard(docs, commits=commits)
    for query, matching in (
        ({"term": {"n": 1}}, [at for at in range(400) if at % 3 == 1]),
        ({"range": {"small": {"gte": 1}}}, list(range(351, 400))),
        ({"match_all": {}}, list(range(400))),
    ):
        for size in (5, 40, 200):
            for _ in range(2):  # the second time the total is known
                hits = search(view, {"query": query, "size": size}).hits
                assert [int(hit.id) - 1 for hit in hits] == matching[:size]


@pytest.mark.parametrize(
    ("missing", "expected"), [("_first", ["1", "2", "3"]), ("_last", [])], ids=["first", "last"]
)
def test_after_a_missing_value_where_every_document_has_one(
    missing: str, expected: list[str]
) -> None:
    """The edge of a page may come from another shard, whose documents lack the field."""
    view = shard([{"three": each, "n": 1} for each in "abc"], _MAPPING)
    body = {"sort": [{"three": {"missing": missing}}, "n"], "search_after": [None, 5]}
    assert ids(search(view, body)) == expected
