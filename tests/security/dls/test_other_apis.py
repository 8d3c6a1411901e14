"""What APIs beside a plain search say to somebody from whom documents or fields are hidden."""

import json
from pathlib import Path
from typing import Any

import pytest

from sealane.model.access import bound
from sealane.model.security import FieldGrant, FieldLimits, IndexLimits
from tests.security.dls.world import (
    HIDES,
    MAPPING,
    LimitedAccess,
    World,
    answered,
    leaks,
    unscored,
    world,
)

NO_SUGGEST = "Suggest isn't supported if document level security is enabled"
NO_PROFILE = "A search request cannot be profiled if document level security is enabled"
NO_UPDATE = "Can't execute an update request if field or document level security is enabled"
NO_UPDATE_IN_BULK = (
    "Can't execute a bulk item request with update requests embedded if field or document level "
    "security is enabled"
)
NO_REWRITE = "Validate with rewrite isn't supported if document level security is enabled"


def lines(*members: Any) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in members)


async def same(there: World, method: str, target: str, body: Any = None) -> Any:
    """The answer, which must be that of an index that never had what is hidden."""
    status, told = await there.limited(method, target, body)
    expected, theirs = await there.bare(method, target, body)
    assert not leaks(told, there.hides), told
    assert (status, unscored(answered(told))) == (expected, unscored(answered(theirs)))
    return json.loads(told)


async def refused(there: World, method: str, target: str, body: Any = None) -> tuple[int, str]:
    status, told = await there.limited(method, target, body)
    assert not leaks(told, there.hides)
    error = json.loads(told)["error"]
    return status, error["reason"] if isinstance(error, dict) else error


@pytest.mark.parametrize("hides", HIDES)
async def test_documents_by_id(tmp_path: Path, hides: str) -> None:
    """T-20: get, source, exists, mget and explain have neither hidden documents nor hidden fields."""
    async with world(tmp_path, hides, shards=2) as there:
        for number in range(10):
            doc_id = f"l{number}"
            await same(there, "GET", f"/docs/_doc/{doc_id}")
            await same(there, "GET", f"/docs_too/_doc/{doc_id}?realtime=false&_source=n,secret")
            await same(there, "GET", f"/docs/_doc/{doc_id}?refresh=true")
            await same(there, "GET", f"/docs/_source/{doc_id}?_source_excludes=items")
            await same(there, "HEAD", f"/docs/_doc/{doc_id}")
            queries: list[Any] = [{"term": {"secret": f"raven{number}l"}}, {"match_all": {}}]
            for query in queries:
                body = {"query": query}
                await same(there, "POST", f"/docs/_explain/{doc_id}?_source=true", body)
        await same(there, "POST", "/docs/_mget", {"ids": [f"l{number}" for number in range(10)]})


@pytest.mark.parametrize("hides", ["documents", "both"])
async def test_a_document_is_judged_as_it_is_now(tmp_path: Path, hides: str) -> None:
    """A get sees what was written a moment ago, and hides it, before any refresh."""
    async with world(tmp_path, hides, shards=2) as there:
        shut = {"kind": "canary", "n": 777001, "secret_n": 777001}
        shown = {"kind": "open", "n": 1, "secret_n": 1}
        for doc_id, body, status in (("l0", shut, 404), ("l2", shown, 200), ("new", shut, 404)):
            await there.local.call("PUT", f"/docs/_doc/{doc_id}", body)
            found, told = await there.limited("GET", f"/docs/_doc/{doc_id}")
            assert (found, leaks(told, hides)) == (status, False)
            assert json.loads(told)["found"] is (status == 200)


@pytest.mark.parametrize("hides", HIDES)
async def test_updates_are_refused_and_writes_are_not(tmp_path: Path, hides: str) -> None:
    """T-20: what an update leaves alone would have to be read. The texts are those of 8.19.0."""
    async with world(tmp_path, hides, shards=1) as there:
        change = {"doc": {"x": 1}}
        for doc_id in ("l0", "l2", "nothing"):
            assert await refused(there, "POST", f"/docs/_update/{doc_id}", change) == (
                400,
                NO_UPDATE,
            )
        upsert = {**change, "doc_as_upsert": True}
        assert await refused(there, "POST", "/docs/_update/x", upsert) == (400, NO_UPDATE)
        bulk = lines(
            {"update": {"_id": "l0"}},
            change,
            {"index": {"_id": "y"}},
            {"n": 1},
            {"delete": {"_id": "y"}},
        )
        status, told = await there.limited("POST", "/docs/_bulk", bulk)
        update, index, delete = json.loads(told)["items"]
        assert status == 200
        same_again = {"type": "security_exception", "reason": NO_UPDATE_IN_BULK}
        assert update["update"] == {
            "_index": "docs",
            "_id": "l0",
            "status": 400,
            "error": {**same_again, "suppressed": [same_again]},
        }
        assert (index["index"]["status"], delete["delete"]["status"]) == (201, 200)


@pytest.mark.parametrize("hides", ["documents", "both"])
@pytest.mark.parametrize(
    "path",
    [
        "/docs/_search",
        "/docs*/_search",
        "/eu:docs/_search",
        "/eu:docs/_search?ccs_minimize_roundtrips=false",
        "/docs_too/_search",
    ],
)
async def test_what_tells_of_terms_is_refused_where_documents_are_hidden(
    tmp_path: Path, path: str, hides: str
) -> None:
    """T-20: suggestions and profiles. The texts and the status are those of 8.19.0."""
    suggest = {"size": 0, "suggest": {"s": {"text": "canari", "term": {"field": "title"}}}}
    async with world(tmp_path, hides, shards=1) as there:
        there.local.links.client("eu").skip_unavailable = False
        for body, reason in ((suggest, NO_SUGGEST), ({"profile": True}, NO_PROFILE)):
            status, told = await there.limited("POST", path, body)
            assert (status, leaks(told.replace("canari", ""), hides)) == (400, False)
            assert reason in told
        searches = lines({"index": "docs"}, {"profile": True}, {"index": "docs"}, {"size": 0})
        _, told = await there.limited("POST", "/_msearch", searches)
        profiled, counted = json.loads(told)["responses"]
        assert profiled["error"]["reason"] == NO_PROFILE
        assert counted["hits"]["total"]["value"] == 7


async def test_a_point_in_time_tells_of_no_terms_either(tmp_path: Path) -> None:
    """T-20: its search names no index, and is refused by the shards."""
    suggest = {"suggest": {"s": {"text": "canari", "term": {"field": "title"}}}}
    async with world(tmp_path, "documents", shards=1) as there:
        _, told = await there.limited("POST", "/docs/_pit?keep_alive=1m")
        point = {"pit": {"id": json.loads(told)["id"]}}
        for body, reason in (
            (suggest, NO_SUGGEST),
            ({**suggest, "size": 0}, NO_SUGGEST),
            ({"profile": True}, NO_PROFILE),
        ):
            status, told = await there.limited("POST", "/_search", {**point, **body})
            assert (status, leaks(told, "documents")) == (400, False)
            assert reason in told


async def test_a_profile_under_hidden_fields_says_what_was_asked(tmp_path: Path) -> None:
    async with world(tmp_path, "fields", shards=1) as there:
        body = {"profile": True, "query": {"match": {"secret_text": "whatever"}}}
        status, told = await there.limited("POST", "/docs/_search", body)
        assert (status, leaks(told, "fields")) == (200, False)


@pytest.mark.parametrize("hides", HIDES)
async def test_counting_and_many_searches(tmp_path: Path, hides: str) -> None:
    """T-20: counts, also of queries on hidden fields, and what `_cat` counts."""
    async with world(tmp_path, hides, shards=2) as there:
        await same(there, "GET", "/docs/_count")
        await same(there, "POST", "/docs/_count", {"query": {"exists": {"field": "secret"}}})
        await same(there, "GET", "/docs/_count?q=secret:raven*")
        await same(there, "GET", "/_cat/count/docs?h=count")
        await same(there, "GET", "/docs/_search?q=red&sort=n")
        searches = lines(
            {"index": "docs"}, {"sort": "n"}, {"index": "eu:docs"}, {"sort": ["secret", "n"]}
        )
        await same(there, "POST", "/_msearch", searches)


@pytest.mark.parametrize("hides", HIDES)
@pytest.mark.parametrize("names", ["docs", "docs,eu:docs"])
async def test_scrolls_and_points_in_time(tmp_path: Path, names: str, hides: str) -> None:
    """T-20: page by page, in slices, and after a value: the same as of an index without what is hidden."""
    async with world(tmp_path, hides, shards=2) as there:
        pages: dict[bool, list[Any]] = {True: [], False: []}
        for limited in (True, False):
            ask = there.limited if limited else there.bare
            body = {"size": 3, "sort": ["n"]}
            _, told = await ask("POST", f"/{names}/_search?scroll=1m", body)
            while json.loads(told)["hits"]["hits"]:
                pages[limited].append(json.loads(told)["hits"])
                scroll = {"scroll_id": json.loads(told)["_scroll_id"], "scroll": "1m"}
                _, told = await ask("POST", "/_search/scroll", scroll)
            _, told = await ask("POST", f"/{names}/_pit?keep_alive=1m")
            point = {"id": json.loads(told)["id"], "keep_alive": "1m"}
            for more in (
                {"sort": ["n"], "search_after": [2]},
                {"sort": ["secret", "n"], "size": 30},
                {"size": 0, "aggs": {"t": {"terms": {"field": "tags", "min_doc_count": 0}}}},
                {"fields": ["*"], "sort": ["n"], "size": 30},
            ):
                _, told = await ask("POST", "/_search", {"pit": point, **more})
                found = _without_places(json.loads(told))
                pages[limited].append(unscored(found))
            numbers = []
            for part in range(3):
                sliced = {"pit": point, "slice": {"id": part, "max": 3}, "size": 30, "sort": ["n"]}
                _, told = await ask("POST", "/_search", sliced)
                numbers += [hit["_source"]["n"] for hit in json.loads(told)["hits"]["hits"]]
                assert not (limited and leaks(told, hides))
            pages[limited].append(sorted(numbers))
        assert not leaks(json.dumps(pages[True]), hides)
        assert json.dumps(pages[True]) == json.dumps(pages[False])


def _without_places(answer: Any) -> Any:
    """Without what a document's place among its shard's says, which is another with fewer documents."""
    for hit in answer["hits"]["hits"]:
        hit.get("sort", [None])[-1:] = []
    return {"hits": answer["hits"], "aggregations": answer.get("aggregations")}


@pytest.mark.parametrize("hides", HIDES)
async def test_a_search_that_runs_on_by_itself(tmp_path: Path, hides: str) -> None:
    """An asynchronous search acts for whoever started it."""
    async with world(tmp_path, hides, shards=2) as there:
        body = {"size": 30, "sort": ["n"], "aggs": {"t": {"terms": {"field": "secret"}}}}
        path = "/docs,eu:docs/_async_search?wait_for_completion_timeout=10s"
        found = {}
        for ask in (there.limited, there.bare):
            _, told = await ask("POST", path, body)
            response = json.loads(told)["response"]
            found[ask] = (response["hits"]["hits"], response["aggregations"])
            assert not (ask == there.limited and leaks(told, hides))
        assert found[there.limited] == found[there.bare]


@pytest.mark.parametrize("hides", HIDES)
async def test_copying_and_changing_by_query(tmp_path: Path, hides: str) -> None:
    """T-20: a copy holds no more than its maker may see; what is hidden is not deleted."""
    async with world(tmp_path, hides, shards=1) as there:
        for index in ("docs", "bare"):
            ask = there.limited if index == "docs" else there.bare
            copy = {"source": {"index": "docs"}, "dest": {"index": f"of_{index}"}}
            status, _ = await ask("POST", "/_reindex?refresh=true", copy)
            assert status == 200
        everything = {"size": 30, "sort": ["n"]}
        copies = [
            (await there.local.call("POST", f"/{index}/_search", everything))["hits"]["hits"]
            for index in ("of_docs", "of_bare")
        ]
        sources = [[hit["_source"] for hit in each] for each in copies]
        assert sources[0] == sources[1]
        assert not leaks(json.dumps(sources[0]), hides)
        status, _ = await there.limited("POST", "/docs/_update_by_query?refresh=true")
        assert status == (200 if hides == "documents" else 400)
        whole = await there.local.call("GET", "/docs/_doc/l0")
        assert whole["_source"]["secret"] == "raven0l"
        by_secret = {"query": {"exists": {"field": "secret_n"}}}
        status, _ = await there.limited("POST", "/docs/_delete_by_query?refresh=true", by_secret)
        assert status == 200
        left = (await there.local.call("GET", "/docs/_count"))["count"]
        assert left == {"documents": 3, "fields": 10, "both": 10}[hides]


@pytest.mark.parametrize("names", ["docs", "eu:docs", "docs,eu:docs"])
async def test_the_fields_that_there_are(tmp_path: Path, names: str) -> None:
    """X-44, T-20: capabilities are told of no hidden field, nor of an alias of one."""
    async with world(tmp_path, "fields", shards=1) as there:
        for more in ("", "&include_empty_fields=false"):
            _, told = await there.limited("GET", f"/{names}/_field_caps?fields=*{more}")
            fields = {each for each in json.loads(told)["fields"] if not each.startswith("_")}
            assert not any("secret" in each for each in fields)
            assert "open_alias" not in fields
            assert {"title", "title.raw", "obj", "obj.open", "items", "items.note"} <= fields
        _, told = await there.limited("GET", f"/{names}/_field_caps?fields=secret*,obj.secret")
        assert json.loads(told)["fields"] == {}


async def test_indices_of_one_mapping_have_their_own_limits(tmp_path: Path) -> None:
    """X-44: what is visible of one says nothing of another, of however many: what they share is found out once."""
    async with world(tmp_path, "fields", shards=1) as there:
        for number in range(17):
            await there.local.call("PUT", f"/bare_{number}", {"mappings": MAPPING})
        path = "/*/_field_caps?fields=secret,n&include_unmapped=true"
        _, told = await there.limited("GET", path)
        fields = json.loads(told)["fields"]
        assert fields["secret"]["unmapped"]["indices"] == ["docs"]
        assert "docs" not in fields["secret"]["keyword"]["indices"]
        assert "unmapped" not in fields["n"]


async def test_an_index_filter_finds_no_hidden_dates(tmp_path: Path) -> None:
    """T-20: an index is told of where its documents may match, and fields that are hidden match nothing."""
    body = {"index_filter": {"range": {"secret_at": {"gte": "2020-01-01"}}}}
    async with world(tmp_path, "fields", shards=1) as there:
        _, told = await there.limited("POST", "/docs/_field_caps?fields=n", body)
        assert json.loads(told) == {"indices": [], "fields": {}}
        enumerated = {"field": "kind", **body}
        _, told = await there.limited("POST", "/docs/_terms_enum", enumerated)
        assert json.loads(told)["terms"] == []


async def test_an_index_filter_knows_only_visible_dates(tmp_path: Path) -> None:
    """The dates of hidden documents could be found out by it."""
    async with world(tmp_path, "both", shards=2) as there:
        for date in ("2024-12-01", "2024-01-11", "2025-01-01"):
            body = {"index_filter": {"range": {"at": {"gte": date}}}}
            await same(there, "POST", "/docs/_field_caps?fields=n", body)
            query = {"query": body["index_filter"], "size": 0}
            await same(there, "POST", "/docs/_search?pre_filter_shard_size=1", query)
            few = "/docs/_search?pre_filter_shard_size=1&ccs_minimize_roundtrips=false"
            await same(there, "POST", few, query)


async def test_mappings_show_what_is_visible(tmp_path: Path) -> None:
    """X-44: the shapes are those of 8.19.0: an object goes with its last field, unless it is visible itself."""
    async with world(tmp_path, "fields", shards=1) as there:
        _, told = await there.limited("GET", "/docs/_mapping")
        properties = json.loads(told)["docs"]["mappings"]["properties"]
        assert not any(name.startswith("secret") for name in properties)
        assert properties["obj"] == {"properties": {"open": {"type": "keyword"}}}
        assert sorted(properties["items"]["properties"]) == ["name", "note", "price"]
        _, told = await there.limited("GET", "/docs_too")
        assert json.loads(told)["docs"]["mappings"]["properties"] == properties
        _, told = await there.limited("GET", "/docs/_mapping/field/secret*,obj.*")
        assert list(json.loads(told)["docs"]["mappings"]) == ["obj.open"]


async def test_the_terms_of_an_index(tmp_path: Path) -> None:
    """T-20: none of hidden fields; none at all where documents are hidden, as 8.19.0 does."""
    wanted = {"field": "kind", "size": 50}
    for hides, terms, shards in (("fields", ["canary-shut", "open"], 2), ("documents", [], 0)):
        async with world(tmp_path / hides, hides, shards=2) as there:
            _, told = await there.limited("POST", "/docs/_terms_enum", wanted)
            answer = json.loads(told)
            assert (answer["terms"], answer["complete"]) == (terms, True)
            assert answer["_shards"]["total"] == shards
            for field in ("secret", "open_alias", "secret_addr"):
                _, told = await there.limited("POST", "/docs,eu:docs/_terms_enum", {"field": field})
                assert json.loads(told)["terms"] == []


async def test_a_query_can_be_judged_but_not_rewritten(tmp_path: Path) -> None:
    async with world(tmp_path, "documents", shards=1) as there:
        query = {"query": {"prefix": {"tags": "can"}}}
        path = "/docs/_validate/query"
        assert await refused(there, "POST", f"{path}?rewrite=true", query) == (400, NO_REWRITE)
        status, told = await there.limited("POST", f"{path}?explain=true", query)
        assert (status, json.loads(told)["valid"]) == (200, True)


async def test_a_kept_answer_is_of_the_same_limits(tmp_path: Path) -> None:
    """T-20: one request of different users in turn, again and again, is never answered with another's result."""
    async with world(tmp_path, "documents", shards=2) as there:
        body = {"size": 0, "aggs": {"t": {"terms": {"field": "secret", "size": 50}}}}
        others = [
            *HIDES.values(),
            IndexLimits(queries=((b'{"term": {"n": 0}}', b'{"term": {"n": 1}}'),)),
            IndexLimits(queries=((b'{"match_none": {}}',),)),
            IndexLimits(queries=((),)),
            IndexLimits(fields=FieldLimits(((FieldGrant(grant=("kind",)),),))),
        ]
        expected = [(7, 7), (10, 0), (7, 0), (2, 2), (0, 0), (0, 0), (10, 0)]
        for _ in range(3):
            found = []
            for limits in others:
                with bound(LimitedAccess(limits)):
                    answer = await there.local.call(
                        "POST", "/docs/_search?request_cache=true", body
                    )
                buckets = answer["aggregations"]["t"]["buckets"]
                found.append((answer["hits"]["total"]["value"], len(buckets)))
            assert found == expected
            whole = await there.local.call("POST", "/docs/_search?request_cache=true", body)
            assert len(whole["aggregations"]["t"]["buckets"]) == 10


async def test_kept_answers_of_queries_that_are_equal_to_python(tmp_path: Path) -> None:
    """T-20: `true`, `1` and `1.0` are three keywords. Who may see one of them is never shown what another may see."""
    async with world(tmp_path, "documents", shards=1) as there:
        mapping = {"mappings": {"properties": {"level": {"type": "keyword"}}}}
        await there.local.call("PUT", "/docs_levels", mapping)
        levels = {"a": "true", "b": "1", "c": "1.0"}
        await there.local.fill("docs_levels", {k: {"level": v} for k, v in levels.items()})
        await there.local.call(
            "PUT", "/docs_levels/_alias/docs_one", {"filter": {"term": {"level": 1}}}
        )
        await there.local.call(
            "PUT", "/docs_levels/_alias/docs_true", {"filter": {"term": {"level": True}}}
        )
        counted: Any = {"size": 0, "aggs": {"t": {"terms": {"field": "level"}}}}

        async def seen(limits: IndexLimits, path: str = "docs_levels") -> list[str]:
            with bound(LimitedAccess(limits)):
                answer = await there.local.call(
                    "POST", f"/{path}/_search?request_cache=true", counted
                )
                hits = (await there.local.call("POST", f"/{path}/_search"))["hits"]["hits"]
            keys = [each["key"] for each in answer["aggregations"]["t"]["buckets"]]
            assert keys == [hit["_source"]["level"] for hit in hits]
            return keys

        for _ in range(2):
            for text, level in ((b"true", "true"), (b"1", "1"), (b"1.0", "1.0")):
                one = IndexLimits(queries=((b'{"term": {"level": %b}}' % text,),))
                assert await seen(one) == [level]
            for alias, level in (("docs_one", "1"), ("docs_true", "true")):
                assert await seen(IndexLimits(), alias) == [level]


async def test_an_alias_may_be_all_that_somebody_may_use(tmp_path: Path) -> None:
    """T-18: explaining and judging a query by an alias needs nothing of the index behind it, and has its filter."""

    class OnlyAlias(LimitedAccess):
        def allows(self, name: str) -> bool:
            return name in ("docs_too", "filtered")

    async with world(tmp_path, "documents", shards=1) as there:
        filtered = {"filter": {"term": {"tags": "red-0"}}}
        await there.local.call("PUT", "/docs/_alias/filtered", filtered)
        everything: Any = {"query": {"match_all": {}}}
        with bound(OnlyAlias(HIDES["documents"])):
            found = {}
            for alias, doc_id in (("docs_too", "l0"), ("docs_too", "l1"), ("filtered", "l1")):
                path = f"/{alias}/_explain/{doc_id}"
                answer = await there.local.call("POST", path, everything)
                found[alias, doc_id] = answer["matched"]
            judged = await there.local.call("POST", "/docs_too/_validate/query", everything)
            denied = await there.local.request("POST", "/docs/_search", everything)
        assert found == {
            ("docs_too", "l0"): True,
            ("docs_too", "l1"): True,
            ("filtered", "l1"): False,
        }
        assert judged["valid"] is True
        assert denied.status == 403
