"""Data streams over REST, here and on a remote. The expected texts are what Elasticsearch 8.19.0 answered."""

from itertools import product
from typing import Any

import orjson
import pytest

from sealane.testing.in_process import InProcessCluster
from tests.conformance.conftest import Pair

TODAY = "2026.11.22"
ONLY_CREATE = "only write ops with an op_type of create are allowed in data streams"
TEMPLATE = {
    "index_patterns": ["logs-*"],
    "data_stream": {},
    "priority": 200,
    "template": {
        "settings": {"number_of_replicas": 0},
        "mappings": {"properties": {"a": {"type": "keyword"}}},
    },
}


def backing(stream: str, generation: int) -> str:
    return f".ds-{stream}-{TODAY}-{generation:06d}"


async def template(cluster: InProcessCluster) -> None:
    await cluster.call("PUT", "/_index_template/logs", TEMPLATE)


async def add(cluster: InProcessCluster, stream: str, *values: str) -> None:
    lines = b"".join(
        b'{"create":{}}\n' + orjson.dumps({"@timestamp": "2026-01-01", "a": value}) + b"\n"
        for value in values
    )
    await cluster.call("POST", f"/{stream}/_bulk?refresh=true", lines)


async def error(
    cluster: InProcessCluster, method: str, path: str, body: Any = None
) -> tuple[int, str]:
    answer = await cluster.request(method, path, body)
    assert answer.status >= 400, answer.body
    return answer.status, answer.body["error"]["reason"]


@pytest.fixture
async def here(pair: Pair) -> InProcessCluster:
    await template(pair.local)
    return pair.local


async def test_a_write_makes_the_stream_that_a_template_describes(here: InProcessCluster) -> None:
    answer = await here.request("POST", "/logs-a/_doc", {"@timestamp": "2026-01-01", "a": "x"})
    assert (answer.status, answer.body["_index"]) == (201, backing("logs-a", 1))
    shown = await here.call("GET", "/logs-a")
    index = shown[backing("logs-a", 1)]
    assert index["data_stream"] == "logs-a"
    assert index["mappings"] == {
        "_data_stream_timestamp": {"enabled": True},
        "properties": {"@timestamp": {"type": "date"}, "a": {"type": "keyword"}},
    }
    settings = index["settings"]["index"]
    assert (settings["hidden"], settings["number_of_replicas"]) == ("true", "0")
    assert settings["routing"]["allocation"]["include"]["_tier_preference"] == "data_hot"


async def test_the_hits_of_a_remote_stream_carry_the_alias_and_the_backing_index(
    pair: Pair,
) -> None:
    """S-23: a stream is named, and searched, on the cluster that has it; its hits show where they are."""
    await template(pair.eu)
    await add(pair.eu, "logs-a", "x")
    await pair.eu.call("POST", "/logs-a/_rollover")
    await add(pair.eu, "logs-a", "y")
    ways = ("", "&ccs_minimize_roundtrips=false", "&scroll=1m")
    for expression, way in product(("eu:logs-a", "eu:logs-*", "*:logs-a"), ways):
        found = await pair.local.call("GET", f"/{expression}/_search?sort=a{way}")
        assert [hit["_index"] for hit in found["hits"]["hits"]] == [
            f"eu:{backing('logs-a', 1)}",
            f"eu:{backing('logs-a', 2)}",
        ]
    resolved = await pair.local.call("GET", "/_resolve/index/eu:logs-*")
    assert resolved["data_streams"] == [
        {
            "name": "eu:logs-a",
            "backing_indices": [backing("logs-a", 1), backing("logs-a", 2)],
            "timestamp_field": "@timestamp",
        }
    ]


async def test_a_stream_is_found_by_its_name_and_by_wildcards(here: InProcessCluster) -> None:
    await add(here, "logs-a", "x", "y")
    await add(here, "logs-b", "z")
    for expression, count in {
        "logs-a": 2,
        "logs-*": 3,
        "*": 3,
        "_all": 3,
        "logs-a,logs-b": 3,
        # As in the reference: what is left out is what a wildcard would list, not the indices behind a name.
        "logs-*,-logs-a": 3,
        "logs-*,-logs-a*": 1,
        ".ds-logs-a*": 2,
        backing("logs-b", 1): 1,
    }.items():
        answer = await here.call("GET", f"/{expression}/_count")
        assert (expression, answer["count"]) == (expression, count)
    shards = await here.call("GET", "/logs-a/_search_shards")
    assert shards["indices"] == {backing("logs-a", 1): {}}
    caps = await here.call("GET", "/logs-a/_field_caps?fields=a")
    assert caps["indices"] == [backing("logs-a", 1)]
    shown = await here.call("GET", "/_resolve/index/*?expand_wildcards=all")
    assert shown["indices"][0] == {
        "name": backing("logs-a", 1),
        "attributes": ["hidden", "open"],
        "data_stream": "logs-a",
    }
    assert [each["name"] for each in shown["data_streams"]] == ["logs-a", "logs-b"]


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("PUT", "/logs-a/_doc/1", 400, ONLY_CREATE),
        ("POST", "/logs-a/_update/1", 400, ONLY_CREATE),
        ("DELETE", "/logs-a/_doc/1", 400, ONLY_CREATE),
        ("GET", "/logs-a/_doc/1", 404, "no such index [logs-a]"),
        ("DELETE", "/logs-a", 404, "no such index [logs-a]"),
        ("POST", "/logs-a/_close", 404, "no such index [logs-a]"),
        (
            "POST",
            "/logs-a/_doc?routing=r",
            400,
            "index request targeting data stream [logs-a] specifies a custom routing but the "
            "[allow_custom_routing] setting was not enabled in the data stream's template.",
        ),
        (
            "PUT",
            f"/{backing('logs-a', 1)}/_create/9",
            400,
            "index request with op_type=create targeting backing indices is disallowed, target "
            "corresponding data stream [logs-a] instead",
        ),
        (
            "PUT",
            f"/{backing('logs-a', 1)}/_doc/9",
            400,
            "index request with op_type=index and no if_primary_term and if_seq_no set targeting "
            "backing indices is disallowed, target corresponding data stream [logs-a] instead",
        ),
        (
            "DELETE",
            f"/{backing('logs-a', 1)}",
            400,
            f"index [{backing('logs-a', 1)}] is the write index for data stream [logs-a] and cannot be deleted",
        ),
        (
            "PUT",
            "/logs-plain",
            400,
            "cannot create index with name [logs-plain], because it matches with template [logs] that creates "
            "data streams only, use create data stream api instead",
        ),
        (
            "DELETE",
            "/_index_template/logs",
            400,
            "unable to remove composable templates [logs] as they are in use by a data streams [logs-a]",
        ),
        (
            "PUT",
            "/plain/_alias/logs-a",
            400,
            "Invalid alias name [logs-a]: an index or data stream exists with the same name as the alias",
        ),
    ],
)
async def test_what_a_stream_does_not_take(
    here: InProcessCluster, method: str, path: str, status: int, reason: str
) -> None:
    await add(here, "logs-a", "x")
    await here.call("PUT", "/plain")
    body = None
    if "_update" in path:
        body = {"doc": {"a": "y"}}
    elif any(each in path for each in ("/_doc", "/_create")) and method not in ("GET", "DELETE"):
        body = {"@timestamp": 1}
    assert await error(here, method, path, body) == (status, reason)


async def test_an_item_that_is_refused_keeps_no_other_of_its_bulk_from_the_stream(
    here: InProcessCluster,
) -> None:
    body = (
        b'{"index":{"_index":"logs-a"}}\n{"@timestamp":1}\n'
        b'{"create":{"_index":"logs-a"}}\n{"@timestamp":1}\n'
        b'{"delete":{"_index":"logs-a","_id":"1"}}\n'
        b'{"update":{"_index":"logs-a","_id":"1"}}\n{"doc":{}}\n'
        b'{"create":{"_index":"logs-b","_id":"1"}}\n{"@timestamp":1}\n'
    )
    answer = (await here.request("POST", "/_bulk", body)).body
    items = [next(iter(each.values())) for each in answer["items"]]
    assert [item["status"] for item in items] == [400, 201, 400, 400, 201]
    assert items[0]["error"]["caused_by"]["excluded_ds"] == "true"
    assert (items[0]["_index"], items[0]["_id"]) == ("logs-a", None)
    # How the name was resolved is told until a creation has been: as the reference does.
    for item in items[2:4]:
        assert item["error"] == {"type": "illegal_argument_exception", "reason": ONLY_CREATE}
    assert [items[1]["_index"], items[4]["_index"]] == [
        backing("logs-a", 1),
        backing("logs-b", 1),
    ]


@pytest.mark.parametrize(
    ("document", "reason", "cause"),
    [
        (
            b'{"a":"x"}',
            "[1:9] failed to parse: data stream timestamp field [@timestamp] is missing",
            "data stream timestamp field [@timestamp] is missing",
        ),
        (
            b'{"@timestamp":null,"a":"x"}',
            "[1:27] failed to parse: data stream timestamp field [@timestamp] is missing",
            "data stream timestamp field [@timestamp] is missing",
        ),
        (
            b'{"@timestamp":["2026-01-01","2026-01-02"],"a":"x"}',
            "[1:29] failed to parse field [@timestamp] of type [date] in document with id '2'. Preview of "
            "field's value: '2026-01-02'",
            "data stream timestamp field [@timestamp] encountered multiple values",
        ),
    ],
)
async def test_a_document_has_one_time(
    here: InProcessCluster, document: bytes, reason: str, cause: str
) -> None:
    answer = await here.request("PUT", "/logs-a/_create/2", orjson.loads(document))
    assert answer.status == 400
    assert answer.body["error"]["type"] == "document_parsing_exception"
    assert answer.body["error"]["reason"] == reason
    assert answer.body["error"]["caused_by"]["reason"] == cause


async def test_documents_of_a_stream_are_changed_through_its_backing_indices(
    here: InProcessCluster,
) -> None:
    await add(here, "logs-a", "x", "y")
    index = backing("logs-a", 1)
    made = await here.call("PUT", "/logs-a/_create/1", {"@timestamp": 1})
    condition = f"if_seq_no={made['_seq_no']}&if_primary_term={made['_primary_term']}"
    changed = await here.call("PUT", f"/{index}/_doc/1?{condition}", {"@timestamp": 2})
    assert changed["result"] == "updated"
    await here.call("POST", f"/{index}/_update/1", {"doc": {"a": "z"}})
    await here.call("POST", "/logs-a/_refresh")
    deleted = await here.call(
        "POST", "/logs-a/_delete_by_query?refresh=true", {"query": {"term": {"a": "x"}}}
    )
    assert deleted["deleted"] == 1
    updated = await here.call("POST", "/logs-a/_update_by_query")
    assert updated["updated"] == 2
    assert (await here.call("DELETE", f"/{index}/_doc/1"))["result"] == "deleted"


async def test_a_stream_is_made_shown_measured_and_removed(here: InProcessCluster) -> None:
    await here.call("PUT", "/_data_stream/logs-a")
    assert await error(here, "PUT", "/_data_stream/logs-a") == (
        400,
        "data_stream [logs-a] already exists",
    )
    (shown,) = (await here.call("GET", "/_data_stream/logs-a"))["data_streams"]
    (index,) = shown["indices"]
    assert (shown["generation"], shown["status"], shown["template"]) == (1, "GREEN", "logs")
    assert (shown["timestamp_field"], shown["replicated"]) == ({"name": "@timestamp"}, False)
    assert index["index_name"] == backing("logs-a", 1)
    await add(here, "logs-a", "x")
    (measured,) = (await here.call("GET", "/_data_stream/logs-a/_stats"))["data_streams"]
    assert (measured["backing_indices"], measured["maximum_timestamp"]) == (1, 1767225600000)
    await here.call("PUT", "/logs-a/_settings", {"index.blocks.read_only": True})
    assert (await error(here, "DELETE", "/_data_stream/logs-a"))[0] == 403
    await here.call("PUT", "/logs-a/_settings", {"index.blocks.read_only": False})
    await here.call("DELETE", "/_data_stream/logs-a")
    assert (await here.call("GET", "/_data_stream"))["data_streams"] == []
    assert (await here.call("GET", "/_resolve/index/*?expand_wildcards=all"))["indices"] == []


@pytest.mark.parametrize(
    ("method", "name", "status", "reason"),
    [
        ("PUT", "other", 400, "no matching index template found for data stream [other]"),
        (
            "PUT",
            "plain-1",
            400,
            "matching index template [plain] for data stream [plain-1] has no data stream template",
        ),
        ("PUT", "LOGS", 400, "data_stream [LOGS] must be lowercase"),
        ("PUT", "_x", 400, "data_stream [_x] must not start with '_', '-', or '+'"),
        ("GET", "nope", 404, "no such index [nope]"),
        ("DELETE", "nope", 404, "no such index [nope]"),
    ],
)
async def test_names_of_streams_that_are_wrong(
    here: InProcessCluster, method: str, name: str, status: int, reason: str
) -> None:
    await here.call("PUT", "/_index_template/plain", {"index_patterns": ["plain-*"]})
    assert await error(here, method, f"/_data_stream/{name}") == (status, reason)


async def test_a_stream_cannot_have_the_name_of_an_alias(here: InProcessCluster) -> None:
    await here.call("PUT", "/holder", {"aliases": {"logs-al": {}}})
    status, reason = await error(here, "PUT", "/_data_stream/logs-al")
    assert status == 500
    assert reason.startswith("index, alias, and data stream names need to be unique, but the")


async def test_a_hidden_stream_is_left_out_of_wildcards(here: InProcessCluster) -> None:
    hidden = {"index_patterns": ["kw-*"], "data_stream": {"hidden": True}, "priority": 300}
    await here.call("PUT", "/_index_template/hidden", hidden)
    await add(here, "kw-1", "x")
    assert (await here.call("GET", "/kw*/_count"))["count"] == 0
    assert (await here.call("GET", "/kw-1/_count"))["count"] == 1
    assert (await here.call("GET", "/_resolve/index/kw*"))["data_streams"] == []


async def test_backing_indices_are_added_and_taken_away(here: InProcessCluster) -> None:
    await add(here, "logs-a", "x")
    timed = {"mappings": {"properties": {"@timestamp": {"type": "date"}}}}
    await here.call("PUT", "/older", timed)
    await here.call("PUT", "/timeless")

    async def modify(kind: str, index: str, stream: str = "logs-a") -> Any:
        action = {f"{kind}_backing_index": {"data_stream": stream, "index": index}}
        return await here.request("POST", "/_data_stream/_modify", {"actions": [action]})

    assert (await modify("add", "older")).status == 200
    (shown,) = (await here.call("GET", "/_data_stream"))["data_streams"]
    names = [each["index_name"] for each in shown["indices"]]
    assert names == ["older", backing("logs-a", 1)]
    for kind, index, reason in (
        ("add", "timeless", "data stream timestamp field [@timestamp] does not exist"),
        ("add", "nope", "index [nope] not found"),
        ("remove", "timeless", "index [timeless] is not part of data stream [logs-a]"),
        (
            "remove",
            backing("logs-a", 1),
            f"cannot remove backing index [{backing('logs-a', 1)}] of data stream [logs-a] because it is the "
            "write index",
        ),
    ):
        answer = await modify(kind, index)
        assert (answer.status, answer.body["error"]["reason"]) == (400, reason)
    assert (await modify("remove", "older")).status == 200
    assert (await here.call("GET", "/logs-a/_count"))["count"] == 1


async def test_a_deleted_backing_index_is_gone_from_its_stream(here: InProcessCluster) -> None:
    await add(here, "logs-a", "x")
    await here.call("POST", "/logs-a/_rollover")
    await here.call("DELETE", f"/{backing('logs-a', 1)}")
    (shown,) = (await here.call("GET", "/_data_stream"))["data_streams"]
    assert [each["index_name"] for each in shown["indices"]] == [backing("logs-a", 2)]
    rolled = await here.call("POST", "/logs-a/_rollover?dry_run=true")
    assert rolled["new_index"] == backing("logs-a", 4)


async def test_a_write_may_demand_a_stream(here: InProcessCluster) -> None:
    await here.call("PUT", "/plain")
    for name, status, reason in (
        (
            "plain",
            404,
            "[require_data_stream] request flag is [true] and [plain] is not a data stream",
        ),
        (
            "other",
            404,
            "no such index [other] and the index creation request requires a data stream, but no matching index "
            "template with data stream template was found for it",
        ),
    ):
        path = f"/{name}/_doc?require_data_stream=true"
        assert await error(here, "POST", path, {"@timestamp": 1}) == (status, reason)
    made = await here.call("POST", "/logs-a/_doc?require_data_stream=true", {"@timestamp": 1})
    assert made["_index"] == backing("logs-a", 1)
