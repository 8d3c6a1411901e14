"""What a shard's answer has beside hits and buckets: source, names, what is hidden, filters, cache, limits."""

import dataclasses
import json

import pytest

from sealane.engine.base import FoundDoc, ShardSearch
from sealane.engine.embedded.search import cached, fetch_docs, search_shard
from sealane.engine.embedded.view import ShardView
from sealane.errors import IllegalArgument, RefusedUnderLimits, TaskCancelled
from sealane.model import dsl
from sealane.model.security import FieldGrant, FieldLimits
from sealane.query import parse_search_body
from tests.unit.engine.search.shards import NOW_MS, found, ids, mapping_of, search, shard

DOCS = [
    {"title": "red fox", "tag": "a", "n": 1, "host": {"name": "h1", "port": 1}},
    {"title": "red dog", "tag": "b", "n": 2, "host": {"name": "h2"}},
    {"title": "blue dog", "tag": "a", "n": 3},
]


def _request(body: object, **more: object) -> ShardSearch:
    parsed = parse_search_body(json.dumps(body).encode())
    values: dict[str, object] = {"size": parsed.size, "now_ms": NOW_MS, **more}
    return ShardSearch(index_name="books", body=parsed, **values)  # type: ignore[arg-type]


def test_the_source_passes_byte_for_byte() -> None:
    hit = search(shard(DOCS), {"size": 1}).hits[0]
    assert hit.source == json.dumps(DOCS[0]).encode()
    assert (hit.index, hit.index_uuid, hit.shard) == ("books", "uuid", 0)
    assert (hit.version, hit.seq_no, hit.primary_term) == (None, None, None)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (["title"], {"title": "red fox"}),
        (["host"], {"host": {"name": "h1", "port": 1}}),
        (["host.n*"], {"host": {"name": "h1"}}),
        (["*.port", "n"], {"n": 1, "host": {"port": 1}}),
        ({"excludes": ["host.*", "t*"]}, {"n": 1, "host": {}}),
        ({"includes": ["host"], "excludes": ["*.name"]}, {"host": {"port": 1}}),
        (["nope"], {}),
    ],
)
def test_filters_the_source_in_its_own_order(source: object, expected: object) -> None:
    hit = search(shard(DOCS), {"size": 1, "_source": source}).hits[0]
    assert hit.source is not None
    assert json.loads(hit.source) == expected
    assert list(json.loads(hit.source)) == list(expected)  # type: ignore[call-overload]


def test_leaves_the_source_out() -> None:
    assert search(shard(DOCS), {"_source": False}).hits[0].source is None


def test_gives_versions_when_asked() -> None:
    hit = search(shard(DOCS), {"version": True, "seq_no_primary_term": True, "size": 1}).hits[0]
    assert (hit.version, hit.seq_no, hit.primary_term) == (1, 0, 1)


def test_names_the_queries_that_matched() -> None:
    body = {
        "query": {
            "bool": {
                "should": [
                    {"match": {"title": {"query": "red", "_name": "colour"}}},
                    {"range": {"n": {"gte": 2, "_name": "many"}}},
                ]
            }
        },
        "sort": ["n"],
    }
    matched = [hit.matched for hit in search(shard(DOCS), body).hits]
    assert matched == [["colour"], ["colour", "many"], ["many"]]


def test_a_filter_narrows_hits_and_aggregations_without_scoring() -> None:
    view = shard(DOCS)
    body = {"query": {"match": {"title": "red"}}, "aggs": {"g": {"global": {}}}}
    plain = search(view, body)
    narrowed = search(view, body, filter=dsl.Term(field="tag", value="a"))
    assert ids(narrowed) == ["1"]
    assert narrowed.hits[0].score == plain.hits[0].score
    assert narrowed.aggs is not None
    assert narrowed.aggs["g"].buckets[0].count == 2  # type: ignore[union-attr]


def hiding(*fields: str) -> FieldLimits:
    return FieldLimits(((FieldGrant(excepted=fields),),))


def test_a_hidden_field_can_neither_be_searched_nor_seen() -> None:
    view = shard(DOCS)
    mask = hiding("tag", "host.*")
    assert ids(search(view, {"query": {"term": {"tag": "a"}}}, fields=mask)) == []
    assert ids(search(view, {"query": {"exists": {"field": "host"}}}, fields=mask)) == []
    assert [hit.sort for hit in search(view, {"sort": ["tag"]}, fields=mask).hits] == [[None]] * 3
    hit = search(view, {"size": 1}, fields=mask).hits[0]
    assert hit.source is not None
    assert json.loads(hit.source) == {"title": "red fox", "n": 1}
    partial = search(view, {"size": 0, "aggs": {"x": {"terms": {"field": "tag"}}}}, fields=mask)
    assert partial.aggs is not None
    assert partial.aggs["x"].buckets == []  # type: ignore[union-attr]


def test_a_document_that_is_hidden_is_not_handed_out_by_its_place() -> None:
    """T-20: another cluster says which documents it found; it is not believed."""
    view = shard(DOCS)
    found = search_shard(view, _request({"size": 3}, query_only=True), lambda: None).hits
    places = [FoundDoc(hit.doc or 0, hit.score) for hit in found]
    limited = _request({"size": 3}, documents=dsl.Term(field="tag", value="a"))
    visible = fetch_docs(view, limited, [places[0], places[2]])
    assert [hit.id for hit in visible] == [found_id(view, 0), found_id(view, 2)]
    with pytest.raises(RefusedUnderLimits):
        fetch_docs(view, limited, places)


def found_id(view: ShardView, place: int) -> str:
    return ids(search(view, {"sort": ["n"]}))[place]


def test_only_what_hides_documents_may_use_a_hidden_field() -> None:
    query: dsl.Query = dsl.Term(field="tag", value="b")
    hits = search(shard(DOCS), fields=hiding("tag"), documents=query)
    assert ids(hits) == ["2"]
    assert ids(search(shard(DOCS), fields=hiding("tag"), filter=query)) == []


def test_a_field_that_no_document_has_yet_matches_nothing() -> None:
    view = shard(DOCS, mapping_of({"n": "long", "late": "long"}), columns=["n"])
    assert found(view, {"term": {"late": 1}}) == []
    assert found(view, {"range": {"late": {"gte": 1}}}) == []
    assert found(view, {"exists": {"field": "late"}}) == []
    hits = search(view, {"sort": ["late", "n"]}).hits
    assert [hit.sort for hit in hits] == [[2**63 - 1, 1], [2**63 - 1, 2], [2**63 - 1, 3]]


def test_an_empty_shard_answers_every_kind_of_search() -> None:
    view = shard([])
    body = {
        "query": {"match": {"title": "x"}},
        "sort": ["n", "tag"],
        "aggs": {
            "t": {"terms": {"field": "tag"}, "aggs": {"m": {"avg": {"field": "n"}}}},
            "d": {"date_histogram": {"field": "at", "calendar_interval": "month"}},
            "c": {"cardinality": {"field": "tag"}},
            "m": {"missing": {"field": "n"}},
        },
    }
    partial = search(view, body)
    assert partial.hits == []
    assert partial.total is not None
    assert partial.total.value == 0


def test_a_size_0_answer_is_kept_until_the_next_view() -> None:
    view, request = shard(DOCS), _request({"size": 0, "aggs": {"m": {"max": {"field": "n"}}}})
    assert cached(view, request) is None
    answer = search_shard(view, request, lambda: None)
    assert cached(view, request) is answer
    assert cached(shard(DOCS), request) is None


@pytest.mark.parametrize(
    ("body", "more"),
    [
        ({"size": 1}, {}),
        ({"size": 0}, {"request_cache": False}),
        ({"size": 0, "query": {"range": {"at": {"gte": "now-1d"}}}}, {}),
        ({"size": 0}, {"filter": dsl.Range(field="at", gte="now-1d")}),
    ],
)
def test_is_not_kept(body: object, more: dict[str, object]) -> None:
    view, request = shard(DOCS), _request(body, **more)
    search_shard(view, request, lambda: None)
    assert cached(view, request) is None


def test_now_is_the_time_of_the_request() -> None:
    view = shard([{"at": NOW_MS - 1000}, {"at": NOW_MS + 1000}])
    assert found(view, {"range": {"at": {"lte": "now"}}}) == ["1"]
    assert found(view, {"range": {"at": {"gt": "now"}}}) == ["2"]


def test_stops_when_cancelled() -> None:
    def check() -> None:
        raise TaskCancelled("by the user")

    with pytest.raises(TaskCancelled):
        search_shard(shard(DOCS), _request({}), check)


def test_the_result_window_is_limited() -> None:
    with pytest.raises(IllegalArgument, match="Result window is too large"):
        search(shard(DOCS), {"size": 10_001})


def test_terminate_after_looks_at_the_first_documents_only() -> None:
    partial = search(shard(DOCS), {"terminate_after": 1, "query": {"exists": {"field": "n"}}})
    assert (ids(partial), partial.terminated_early) == (["1"], True)
    assert search(shard(DOCS), {"terminate_after": 3}).terminated_early is False


def test_deleted_documents_are_neither_found_nor_in_the_way() -> None:
    """Term statistics count deleted documents until a merge, so a term can be in more than there are."""
    before = shard([{"title": "red", "tag": "a", "ok": True, "n": at} for at in range(20)])
    writer = before.index.writer(15_000_000, 1)
    for doc_id in range(1, 20):
        writer.delete_documents_by_term("_id", str(doc_id))
    writer.commit()
    writer.wait_merging_threads()
    before.index.reload()
    view = dataclasses.replace(before, searcher=before.index.searcher(), generation=-1)
    for query in (
        {"match": {"title": "red"}},
        {"term": {"tag": "a"}},
        {"term": {"ok": True}},
        {"match_all": {}},
        {"range": {"n": {"gte": 0}}},
    ):
        assert found(view, query) == ["20"], query
    partial = search(view, {"size": 0, "aggs": {"x": {"terms": {"field": "tag"}}}})
    assert partial.aggs is not None
    assert partial.aggs["x"].buckets[0].count == 1  # type: ignore[union-attr]
