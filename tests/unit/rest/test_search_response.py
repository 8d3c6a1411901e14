"""How an answer looks as JSON: scores, sort values, shards, clusters, totals."""

import math
import struct
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealane.errors import ConnectTransport, IllegalArgument
from sealane.model.dsl import SearchBody
from sealane.query import parse_search_body
from sealane.reduce.partial import (
    Hit,
    MetricPartial,
    Partial,
    ShardCounts,
    ShardFailure,
    TermBucket,
    TermsPartial,
    TotalHits,
)
from sealane.rest.search_response import render_search, shortest_float
from sealane.search.outcome import ClusterOutcome, Clusters, ClusterStatus, SearchOutcome


def body_of(**members: Any) -> SearchBody:
    return parse_search_body(orjson.dumps(members))


def answer_of(*hits: Hit, **members: Any) -> Partial:
    given: dict[str, Any] = {
        "total": TotalHits(len(hits)),
        "max_score": None,
        "shards": ShardCounts(1, 1, 0, 0),
    }
    return Partial(hits=list(hits), **{**given, **members})


def shown(
    answer: Partial,
    body: SearchBody | None = None,
    *,
    clusters: Clusters | None = None,
    reduce_phases: int = 1,
    **options: bool,
) -> Any:
    outcome = SearchOutcome(
        answer=answer, took_ms=3, clusters=clusters, reduce_phases=reduce_phases
    )
    return orjson.loads(orjson.dumps(render_search(outcome, body or body_of(), **options)))


# -- the frame ---------------------------------------------------------------------------------------------------


def test_a_local_answer_has_these_members_in_this_order() -> None:
    """S-76: nothing of clusters."""
    assert list(shown(answer_of())) == ["took", "timed_out", "_shards", "hits"]


def test_an_answer_of_clusters_has_these_members_in_this_order() -> None:
    """S-50, S-59: `terminated_early` and `num_reduce_phases` are there when they say something."""
    clusters = Clusters((ClusterOutcome(alias="", status=ClusterStatus.SUCCESSFUL, indices="i"),))
    body = body_of(aggs={"n": {"avg": {"field": "n"}}})
    answer = answer_of(terminated_early=True, aggs={"n": MetricPartial(1, 2.0, 2.0, 2.0)})
    assert list(shown(answer, body, clusters=clusters, reduce_phases=3)) == [
        "took",
        "timed_out",
        "terminated_early",
        "num_reduce_phases",
        "_shards",
        "_clusters",
        "hits",
        "aggregations",
    ]


@pytest.mark.parametrize(
    ("total", "as_int", "expected"),
    [
        (TotalHits(3), False, {"value": 3, "relation": "eq"}),
        (TotalHits(10_000, False), False, {"value": 10_000, "relation": "gte"}),
        (TotalHits(3), True, 3),
    ],
)
def test_the_total(total: TotalHits, as_int: bool, expected: Any) -> None:
    """S-52."""
    assert shown(answer_of(total=total), total_as_int=as_int)["hits"]["total"] == expected


def test_a_total_that_was_not_counted() -> None:
    """S-53: absent; -1 where it has to be a number."""
    assert "total" not in shown(answer_of(total=None))["hits"]
    assert shown(answer_of(total=None), total_as_int=True)["hits"]["total"] == -1


# -- hits --------------------------------------------------------------------------------------------------------


def test_a_hit_shows_what_was_asked_for_and_no_more() -> None:
    """S-1."""
    hit = Hit("eu:i", "1", None, b'{ "a":1.50 }', shard=3, index_uuid="u")
    assert shown(answer_of(hit))["hits"]["hits"] == [
        {"_index": "eu:i", "_id": "1", "_score": None, "_source": {"a": 1.5}}
    ]


def test_a_hit_with_all_its_members_in_the_references_order() -> None:
    hit = Hit(
        "i", "1", 1.0, b"{}", [5], routing="r", version=2, seq_no=3, primary_term=1, ignored=["a"]
    )
    (rendered,) = shown(answer_of(hit, sort_types=["long"]), body_of(sort=["n"]))["hits"]["hits"]
    assert list(rendered) == [
        "_index",
        "_id",
        "_version",
        "_seq_no",
        "_primary_term",
        "_score",
        "_routing",
        "_ignored",
        "_source",
        "sort",
    ]


def test_the_source_goes_out_byte_for_byte() -> None:
    source = b'{ "n" : 1.50e3, "big":12345678901234567890123 }'
    outcome = SearchOutcome(answer=answer_of(Hit("i", "1", None, source)), took_ms=0)
    assert source in orjson.dumps(render_search(outcome, body_of()))


@pytest.mark.parametrize(
    ("value", "kind", "member", "expected"),
    [
        (5, "long", {}, 5),
        (2**63 - 1, "long", {}, 2**63 - 1),
        (1.5, "double", {}, 1.5),
        (math.inf, "double", {}, "Infinity"),
        (-math.inf, "double", {}, "-Infinity"),
        (None, "keyword", {}, None),
        ("a", "keyword", {}, "a"),
        ("10.0.0.1", "ip", {}, "10.0.0.1"),
        (1_704_067_200_000, "date", {}, 1_704_067_200_000),
        (1_704_067_200_000, "date", {"format": "yyyy-MM-dd"}, "2024-01-01"),
        (0.2876820862293243, "score", {}, 0.2876821),
    ],
)
def test_sort_values(value: Any, kind: str, member: dict[str, Any], expected: Any) -> None:
    hit = Hit("i", "1", None, b"{}", [value])
    body = body_of(sort=[{"f": {"order": "asc", **member}}])
    (rendered,) = shown(answer_of(hit, sort_types=[kind]), body)["hits"]["hits"]
    assert rendered["sort"] == [expected]


# -- scores ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "printed"),
    [
        (0.2876820862293243, "0.2876821"),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (16777216.0, "16777216.0"),
        (3.4028234663852886e38, "3.4028235e+38"),
        (0.0, "0.0"),
        (13.862944, "13.862944"),
    ],
)
def test_a_score_prints_as_the_32_bit_float_it_is(score: float, printed: str) -> None:
    """S-54: `max_score` and `_score` alike."""
    rendered = shown(answer_of(Hit("i", "1", score, b"{}"), max_score=score))["hits"]
    assert rendered["max_score"] == float(printed)
    assert rendered["hits"][0]["_score"] == float(printed)


@given(st.floats(min_value=0.0, width=32, allow_nan=False, allow_infinity=False))
def test_the_printed_number_is_the_same_float_and_no_shorter_one_is(value: float) -> None:
    printed = shortest_float(value)
    assert struct.pack("<f", printed) == struct.pack("<f", value)
    digits = len(f"{printed:.9g}".split("e")[0].lstrip("-").replace(".", "").strip("0"))
    for fewer in range(6, digits):
        shorter = float(f"{value:.{fewer}g}")
        assert abs(shorter) > 3.5e38 or struct.pack("<f", shorter) != struct.pack("<f", value)


# -- shards and clusters -----------------------------------------------------------------------------------------


def failure(shard: int, index: str | None, reason: str = "no") -> ShardFailure:
    return ShardFailure(shard, index, IllegalArgument(reason).to_wire(), "node-1")


def test_shard_failures_are_shown_once_for_each_index_and_reason() -> None:
    """S-51, S-69."""
    failures = [
        failure(0, "eu:i"),
        failure(1, "eu:i"),
        failure(0, "i"),
        failure(2, "eu:i", "other"),
    ]
    answer = answer_of(shards=ShardCounts(6, 2, 0, 4), failures=failures)
    shards = shown(answer)["_shards"]
    assert {name: shards[name] for name in ("total", "successful", "skipped", "failed")} == {
        "total": 6,
        "successful": 2,
        "skipped": 0,
        "failed": 4,
    }
    assert [(each["shard"], each["index"], each["reason"]) for each in shards["failures"]] == [
        (0, "eu:i", {"type": "illegal_argument_exception", "reason": "no"}),
        (0, "i", {"type": "illegal_argument_exception", "reason": "no"}),
        (2, "eu:i", {"type": "illegal_argument_exception", "reason": "other"}),
    ]
    assert list(shards["failures"][0]) == ["shard", "index", "node", "reason"]


def test_no_failures_no_member() -> None:
    assert list(shown(answer_of())["_shards"]) == ["total", "successful", "skipped", "failed"]


def test_clusters_are_counted_and_each_is_shown() -> None:
    """S-75, S-77, S-78: a cluster that never answered has neither `took` nor `_shards`."""
    lost = ConnectTransport("[eu][127.0.0.1:1] connect_exception")
    clusters = Clusters(
        (
            ClusterOutcome(
                alias="",
                status=ClusterStatus.SUCCESSFUL,
                indices="i,j*",
                took_ms=4,
                shards=ShardCounts(2, 2, 0, 0),
            ),
            ClusterOutcome(
                alias="eu",
                status=ClusterStatus.SKIPPED,
                indices="i",
                failures=(ShardFailure(-1, None, lost.to_wire()),),
            ),
            ClusterOutcome(
                alias="us",
                status=ClusterStatus.PARTIAL,
                indices="*",
                took_ms=0,
                timed_out=True,
                shards=ShardCounts(2, 1, 0, 1),
                failures=(failure(1, "us:i"),),
            ),
        )
    )
    block = shown(answer_of(), clusters=clusters)["_clusters"]
    assert list(block) == [
        "total",
        "successful",
        "skipped",
        "running",
        "partial",
        "failed",
        "details",
    ]
    assert block["total"] == 3
    assert sum(block[name] for name in list(block)[1:6]) == 3
    assert (block["successful"], block["skipped"], block["partial"]) == (1, 1, 1)
    assert block["details"] == {
        "(local)": {
            "status": "successful",
            "indices": "i,j*",
            "took": 4,
            "timed_out": False,
            "_shards": {"total": 2, "successful": 2, "skipped": 0, "failed": 0},
        },
        "eu": {
            "status": "skipped",
            "indices": "i",
            "timed_out": False,
            "failures": [
                {
                    "shard": -1,
                    "index": None,
                    "reason": {"type": lost.es_type, "reason": lost.reason},
                }
            ],
        },
        "us": {
            "status": "partial",
            "indices": "*",
            "took": 0,
            "timed_out": True,
            "_shards": {"total": 2, "successful": 1, "skipped": 0, "failed": 1},
            "failures": [
                {
                    "shard": 1,
                    "index": "us:i",
                    "node": "node-1",
                    "reason": {"type": "illegal_argument_exception", "reason": "no"},
                }
            ],
        },
    }


# -- aggregations ------------------------------------------------------------------------------------------------


def test_typed_keys_name_the_kind_of_each_aggregation() -> None:
    body = body_of(
        aggs={
            "k": {"terms": {"field": "k"}, "aggs": {"a": {"avg": {"field": "n"}}}},
            "n": {"terms": {"field": "n"}},
        }
    )
    inner = {"a": MetricPartial(2, 3.0, 1.0, 2.0)}
    aggs = {
        "k": TermsPartial([TermBucket("x", 2, inner)], key_type="keyword"),
        "n": TermsPartial([], key_type="long"),
    }
    typed = shown(answer_of(aggs=aggs), body, typed_keys=True)["aggregations"]
    assert set(typed) == {"sterms#k", "lterms#n"}
    assert typed["sterms#k"]["buckets"] == [{"key": "x", "doc_count": 2, "avg#a": {"value": 1.5}}]
    assert set(shown(answer_of(aggs=aggs), body)["aggregations"]) == {"k", "n"}


def test_a_repeated_aggregation_is_rendered_for_what_it_is() -> None:
    """The memory of rendered answers tells apart bodies, answers and typed keys."""
    body, other = (body_of(aggs={name: {"avg": {"field": "n"}}}) for name in ("a", "b"))
    first = answer_of(aggs={"a": MetricPartial(1, 1.0, 1.0, 1.0)})
    second = answer_of(aggs={"a": MetricPartial(1, 5.0, 5.0, 5.0)})
    for _ in range(2):
        assert shown(first, body)["aggregations"] == {"a": {"value": 1.0}}
        assert shown(second, body)["aggregations"] == {"a": {"value": 5.0}}
        assert shown(first, body, typed_keys=True)["aggregations"] == {"avg#a": {"value": 1.0}}
    assert shown(
        answer_of(aggs={"b": MetricPartial(1, 2.0, 2.0, 2.0)}), other
    )["aggregations"] == {"b": {"value": 2.0}}  # fmt: skip
