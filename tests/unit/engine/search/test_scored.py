"""Scores that tantivy cannot compute: the interface that other parts of the search build on."""

import numpy as np
import pytest

from sealane.engine.embedded.search import combine
from sealane.engine.embedded.search.compile import compile_query
from sealane.engine.embedded.search.geo_distance import arc_meters
from sealane.engine.embedded.search.scope import EVERYTHING, NOTHING, Compiled, Scope
from sealane.engine.embedded.search.scored import (
    at_least,
    best_rows,
    docs_of,
    exactly,
    matches_of,
    row_scores,
    scores_of,
)
from sealane.engine.embedded.search.state import state_of
from sealane.model import dsl
from sealane.query import parse_query

from .shards import NOW_MS, shard

TITLES = ("red fox", "red dog jumps", "blue fox", "red")


@pytest.fixture(params=[1, 3], ids=["one segment", "several"])
def scope(request: pytest.FixtureRequest) -> Scope:
    documents = [{"title": title, "n": number} for number, title in enumerate(TITLES)]
    return Scope(state_of(shard(documents, commits=request.param)), "i", NOW_MS)


def compiled(scope: Scope, query: dsl.Query | dict[str, object]) -> Compiled:
    return compile_query(parse_query(query) if isinstance(query, dict) else query, scope)


def test_documents_come_in_the_order_of_their_keys(scope: Scope) -> None:
    docs = docs_of(compiled(scope, {"match": {"title": "red"}}).query, scope)
    assert docs.keys.tolist() == [0, 1, 3]
    assert docs_of(NOTHING.query, scope).keys.tolist() == []


def test_scores_are_asked_of_documents_that_may_not_match(scope: Scope) -> None:
    everything = docs_of(EVERYTHING.query, scope)
    red = compiled(scope, {"match": {"title": "red"}})
    found = scores_of(red, everything, scope)
    assert np.isnan(found).tolist() == [False, False, True, False]
    assert matches_of(red.query, everything, scope).tolist() == [True, True, False, True]
    constant = compiled(
        scope, {"constant_score": {"filter": {"match": {"title": "fox"}}, "boost": 2}}
    )
    assert scores_of(constant, everything, scope).tolist() == pytest.approx(
        [2, float("nan"), 2, float("nan")], nan_ok=True
    )


def test_known_scores_are_a_clause_like_any_other(scope: Scope) -> None:
    known = exactly([3, 0], [5.0, 2.5], scope)
    assert docs_of(known.query, scope).keys.tolist() == [0, 3]
    rows = best_rows(known.boosted(2.0), 10, scope)
    assert [(row.seq_no, row.score) for row in rows] == [(3, 10.0), (0, 5.0)]
    assert [row.seq_no for row in best_rows(known, 1, scope)] == [3]
    assert row_scores(known, rows, scope) == [5.0, 2.5]
    assert [row.seq_no for row in best_rows(at_least(known, 3.0, scope), 10, scope)] == [3]


def test_equal_scores_need_no_scorer(scope: Scope) -> None:
    known = exactly([2, 1], [1.5, 1.5], scope)
    assert (known.constant, known.scorer) == (1.5, None)
    assert exactly([], [], scope) is NOTHING


def test_clauses_without_a_scorer_stay_as_they_are(scope: Scope) -> None:
    red = compiled(scope, {"match": {"title": "red"}})
    assert combine.sum_of(red, [red], [red], scope) is red
    assert combine.best_of(red, [red], 0.0, scope) is red


def test_a_sum_counts_clauses_that_match(scope: Scope) -> None:
    first, second = exactly([0, 1], [1.0, 2.0], scope), exactly([1, 2], [10.0, 20.0], scope)
    whole = compiled(scope, {"ids": {"values": ["1", "2", "3"]}})
    summed = combine.sum_of(whole, [], [first, second], scope)
    found = {row.seq_no: row.score for row in best_rows(summed, 10, scope)}
    assert found == {2: 20.0, 1: 12.0, 0: 1.0}
    best = combine.best_of(whole, [first, second], 0.5, scope)
    found = {row.seq_no: row.score for row in best_rows(best, 10, scope)}
    assert found == {2: 20.0, 1: 11.0, 0: 1.0}


def test_distances_are_the_references_to_the_last_digit() -> None:
    lats = np.array([52.09999996237457, 52.49999997206032, 0.9999999823048711])
    lons = np.array([4.199999934062362, 4.499999983236194, 1.9999999646097422])
    found = arc_meters(np.full(3, 52.0), np.full(3, 4.0), lats, lons)
    assert found[:2].tolist() == [17626.314191353253, 65189.012702585926]
    assert arc_meters(lats, lons, lats, lons).tolist() == [0.0, 0.0, 0.0]
