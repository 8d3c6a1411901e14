"""`_bulk` through the whole app, against what Elasticsearch 8.19.0 answers."""

from typing import Any

import pytest

from sealane.cluster.metadata import Alias
from tests.unit.rest.fakes import Answer, Client, assert_error

NDJSON = {"content-type": "application/x-ndjson"}


async def bulk(client: Client, text: str, target: str = "/rest_b/_bulk") -> Answer:
    return await client("POST", target, text.encode(), headers=NDJSON)


def results(answer: Answer) -> list[Any]:
    """Each item's action with its result, or with its error's type."""
    return [
        (action, item.get("result") or item["error"]["type"], item["status"])
        for entry in answer.json["items"]
        for action, item in entry.items()
    ]


async def test_items_are_answered_in_order_with_their_own_statuses(client: Client) -> None:
    answer = await bulk(
        client,
        '{"index":{"_id":"1"}}\n{"a":1}\n{"create":{"_id":"1"}}\n{"a":2}\n'
        '{"update":{"_id":"1"}}\n{"doc":{"b":1}}\n{"delete":{"_id":"1"}}\n{"delete":{"_id":"1"}}\n'
        '{"update":{"_id":"9"}}\n{"doc":{"b":1}}\n',
    )
    assert answer.status == 200
    assert answer.json["errors"] is True
    assert results(answer) == [
        ("index", "created", 201),
        ("create", "version_conflict_engine_exception", 409),
        ("update", "updated", 200),
        ("delete", "deleted", 200),
        ("delete", "not_found", 404),
        ("update", "document_missing_exception", 404),
    ]
    first, second = answer.json["items"][0]["index"], answer.json["items"][1]["create"]
    assert first == {
        "_index": "rest_b",
        "_id": "1",
        "_version": 1,
        "result": "created",
        "_shards": {"total": 2, "successful": 1, "failed": 0},
        "_seq_no": 0,
        "_primary_term": 1,
        "status": 201,
    }
    assert list(second) == ["_index", "_id", "status", "error"]
    assert list(second["error"]) == ["type", "reason", "index_uuid", "shard", "index"]


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ('{"index":{"_id":"1"}}\n{"a":1}', "illegal_argument_exception",
         "The bulk request must be terminated by a newline [\\n]"),
        ("", "parse_exception", "request body is required"),
        ("\n", "action_request_validation_exception", "Validation Failed: 1: no requests added;"),
        ('{"index":{}}\n', "action_request_validation_exception",
         "Validation Failed: 1: no requests added;"),
        ('{"index":{}}\n{"a":1}\n{"zap":{}}\n{"a":1}\n', "illegal_argument_exception",
         "Malformed action/metadata line [3], expected field [create], [delete], [index] or [update] "
         "but found [zap]"),
        ('{"index":{"_id":"1","foo":1}}\n{"a":1}\n', "illegal_argument_exception",
         "Action/metadata line [1] contains an unknown parameter [foo]"),
        ('{"index":{"foo":[1]}}\n{"a":1}\n', "illegal_argument_exception",
         "Malformed action/metadata line [1], expected a simple value for field [foo] but found "
         "[START_ARRAY]"),
        ('{"index":{"_id":["1"]}}\n{"a":1}\n', "illegal_argument_exception",
         "Malformed action/metadata line [1], expected a simple value for field [_id] but found "
         "[START_ARRAY]"),
        ('{"index":[]}\n{"a":1}\n', "illegal_argument_exception",
         "Malformed action/metadata line [1], expected START_OBJECT or END_OBJECT but found [START_ARRAY]"),
        ('{"index":"x"}\n{"a":1}\n', "illegal_argument_exception",
         "Malformed action/metadata line [1], expected START_OBJECT or END_OBJECT but found [VALUE_STRING]"),
        ("[]\n", "illegal_argument_exception",
         "Malformed action/metadata line [1], expected START_OBJECT but found [START_ARRAY]"),
        ("{}\n", "illegal_argument_exception",
         "Malformed action/metadata line [1], expected FIELD_NAME but found [END_OBJECT]"),
        ("x\n", "x_content_parse_exception",
         "[1:2] Unrecognized token 'x': was expecting (JSON String, Number, Array, Object or token "
         "'null', 'true' or 'false')\n at [Source: (byte[])\"x\"; line: 1, column: 2]"),
        ('{"delete":{}}\n', "action_request_validation_exception",
         "Validation Failed: 1: id is missing;"),
        ('{"update":{}}\n{"doc":{}}\n', "action_request_validation_exception",
         "Validation Failed: 1: id is missing;"),
        ('{"index":{"_id":"1","version":1}}\n{}\n', "action_request_validation_exception",
         "Validation Failed: 1: internal versioning can not be used for optimistic concurrency control. "
         "Please use `if_seq_no` and `if_primary_term` instead;"),
        ('{"update":{"_id":"1"}}\n{"docx":{}}\n', "x_content_parse_exception",
         "[1:2] [UpdateRequest] unknown field [docx] did you mean [doc]?"),
        ('{"update":{"_id":"1"}}\n{}\n', "action_request_validation_exception",
         "Validation Failed: 1: script or doc is missing;"),
    ],
)  # fmt: skip
async def test_what_refuses_the_whole_request(
    client: Client, text: str, kind: str, reason: str
) -> None:
    assert_error(await bulk(client, text), 400, kind, reason)
    assert not client.world.engine.stored


async def test_every_broken_rule_is_listed(client: Client) -> None:
    text = '{"index":{}}\n{"a":1}\n{"delete":{"_index":"rest_b"}}\n'
    answer = await bulk(client, text, "/_bulk")
    assert_error(
        answer,
        400,
        "action_request_validation_exception",
        "Validation Failed: 1: index is missing;2: id is missing;",
    )


async def test_a_bad_source_keeps_no_other_item_out(client: Client) -> None:
    answer = await bulk(
        client,
        '{"index":{}}\n{"a":\n{"index":{"_id":"ok"}}\n{"a":1}\n{"index":{}}\n\n'
        '{"index":{"_id":""}}\n{"a":1}\n{"update":{"_id":"ok"}}\n{"script":"x"}\n',
    )
    assert results(answer) == [
        ("index", "document_parsing_exception", 400),
        ("index", "created", 201),
        ("index", "document_parsing_exception", 400),
        ("index", "illegal_argument_exception", 400),
        ("update", "illegal_argument_exception", 400),
    ]
    items = [next(iter(item.values())) for item in answer.json["items"]]
    assert items[2]["error"]["reason"] == "[0:0] failed to parse, document is empty"
    assert items[3]["error"]["reason"] == "if _id is specified it must not be empty"
    assert items[4]["error"]["caused_by"]["reason"] == "script_lang not supported [painless]"


@pytest.mark.parametrize(
    "line",
    [
        '{"index":{}',
        '{"index":{}} {"x":1}',
        '{"index":{},"x":1}',
        '{"index":{}} // why not',
        '{"index":{"_index":null}}',
    ],
)
async def test_action_lines_are_read_no_further_than_their_first_member(
    client: Client, line: str
) -> None:
    answer = await bulk(client, f'\n{line}\n{{"a":1}}\n\n')
    assert results(answer) == [("index", "created", 201)]


async def test_carriage_returns_before_newlines_are_no_part_of_a_line(client: Client) -> None:
    answer = await bulk(client, '{"index":{"_id":"1"}}\r\n{"a":1}\r\n')
    assert results(answer) == [("index", "created", 201)]
    assert client.world.engine.stored["uuid-of-rest_b"]["1"].source == b'{"a":1}'


async def test_items_of_several_indices_fail_each_for_itself(client: Client) -> None:
    answer = await bulk(
        client,
        '{"index":{"_index":"none1","_id":"1"}}\n{"a":1}\n{"index":{"_index":"rest_b","_id":"1"}}\n'
        '{"a":1}\n{"delete":{"_index":"absent","_id":"1"}}\n{"create":{"_index":"rest_b","_id":"2"}}\n{}\n',
        "/_bulk",
    )
    assert results(answer) == [
        ("index", "index_not_found_exception", 404),
        ("index", "created", 201),
        ("delete", "index_not_found_exception", 404),
        ("create", "created", 201),
    ]
    assert client.world.engine.bulk_calls == 1


async def test_refresh_is_said_for_each_item_and_done_once(client: Client) -> None:
    answer = await bulk(
        client,
        '{"index":{"_id":"1"}}\n{"a":1}\n{"update":{"_id":"2"}}\n{"doc":{"b":1},"doc_as_upsert":true}\n'
        '{"update":{"_id":"2"}}\n{"doc":{"b":1}}\n{"update":{"_id":"2","_source":true}}\n{"doc":{"b":2}}\n',
        "/rest_b/_bulk?refresh=true",
    )
    assert results(answer) == [
        ("index", "created", 201),
        ("update", "created", 201),
        ("update", "noop", 200),
        ("update", "updated", 200),
    ]
    items = [next(iter(item.values())) for item in answer.json["items"]]
    assert all(item["forced_refresh"] for item in items)
    assert all(item["_shards"]["total"] == 2 for item in items)
    assert items[3]["get"] == {
        "_seq_no": 2,
        "_primary_term": 1,
        "found": True,
        "_source": {"b": 2},
    }
    assert client.world.engine.refreshed == ["uuid-of-rest_b"]


async def test_an_alias_with_routing_routes_its_writes_and_refuses_another(client: Client) -> None:
    client.world.indices.add("rest_c", aliases={"al": Alias(index_routing="q")})
    answer = await bulk(
        client,
        '{"index":{"_id":"1"}}\n{}\n{"index":{"_id":"2","routing":"z"}}\n{}\n',
        "/al/_bulk",
    )
    assert results(answer) == [
        ("index", "created", 201),
        ("index", "illegal_argument_exception", 400),
    ]
    assert client.world.engine.stored["uuid-of-rest_c"]["1"].routing == "q"
    assert answer.json["items"][0]["index"]["_index"] == "rest_c"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("refresh=z", "Unknown value for refresh: [z]."),
        ("xx=true", "request [/rest_b/_bulk] contains unrecognized parameter: [xx]"),
    ],
)
async def test_bad_parameters_refuse_it(client: Client, query: str, reason: str) -> None:
    answer = await bulk(client, '{"index":{}}\n{}\n', f"/rest_b/_bulk?{query}")
    assert_error(answer, 400, "illegal_argument_exception", reason)


async def test_an_unknown_pipeline_is_every_items_error(client: Client) -> None:
    answer = await bulk(client, '{"index":{"_id":"1"}}\n{}\n', "/rest_b/_bulk?pipeline=zz")
    assert answer.json["items"][0]["index"]["error"] == {
        "type": "illegal_argument_exception",
        "reason": "pipeline with id [zz] does not exist",
    }
