"""Single documents through the whole app, against what Elasticsearch 8.19.0 answers."""

import msgspec
import pytest

from tests.unit.rest.fakes import Client, assert_error

SHARDS = {"total": 2, "successful": 1, "failed": 0}


async def test_a_new_document_is_created_with_its_location(client: Client) -> None:
    answer = await client("PUT", "/rest_a/_doc/1", {"a": 1})
    assert answer.status == 201
    assert answer.body == (
        b'{"_index":"rest_a","_id":"1","_version":1,"result":"created",'
        b'"_shards":{"total":2,"successful":1,"failed":0},"_seq_no":0,"_primary_term":1}'
    )
    assert answer.headers["location"] == "/rest_a/_doc/1"


async def test_a_forced_refresh_is_told_and_a_waited_one_is_not(client: Client) -> None:
    forced = await client("PUT", "/rest_a/_doc/1?refresh", {"a": 1})
    waited = await client("PUT", "/rest_a/_doc/1?refresh=wait_for", {"a": 1})
    assert forced.json["forced_refresh"] is True
    assert "forced_refresh" not in waited.json
    assert waited.status == 200
    assert client.world.engine.refreshed == ["uuid-of-rest_a"]
    assert client.world.engine.waited_for == ["uuid-of-rest_a"]


@pytest.mark.parametrize(
    ("query", "kind", "reason"),
    [
        ("refresh=xx", "illegal_argument_exception", "Unknown value for refresh: [xx]."),
        (
            "op_type=zap",
            "illegal_argument_exception",
            "opType must be 'create' or 'index', found: [zap]",
        ),
        (
            "if_seq_no=0",
            "action_request_validation_exception",
            "Validation Failed: 1: ifSeqNo is set, but primary term is [0];",
        ),
        (
            "if_seq_no=-3&if_primary_term=0",
            "illegal_argument_exception",
            "sequence numbers must be non negative. got [-3].",
        ),
        (
            "version=3",
            "action_request_validation_exception",
            "Validation Failed: 1: internal versioning can not be used for optimistic concurrency control. "
            "Please use `if_seq_no` and `if_primary_term` instead;",
        ),
        ("version_type=force", "illegal_argument_exception", "No version type match [force]"),
        (
            "version=x",
            "illegal_argument_exception",
            "Failed to parse long parameter [version] with value [x]",
        ),
        (
            "timeout=1",
            "illegal_argument_exception",
            "failed to parse setting [timeout] with value [1] as a time value: unit is missing or unrecognized",
        ),
        (
            "pipeline=zz",
            "illegal_argument_exception",
            "pipeline with id [zz] does not exist",
        ),
    ],
)
async def test_a_bad_parameter_of_a_write_is_refused(
    client: Client, query: str, kind: str, reason: str
) -> None:
    answer = await client("PUT", f"/rest_a/_doc/1?{query}", {"a": 1})
    assert_error(answer, 400, kind, reason)


async def test_creating_what_exists_is_a_conflict_that_says_where(client: Client) -> None:
    await client("PUT", "/rest_a/_doc/1", {"a": 1})
    for target in ("/rest_a/_create/1", "/rest_a/_doc/1?op_type=create"):
        answer = await client("PUT", target, {"a": 1})
        error = assert_error(
            answer,
            409,
            "version_conflict_engine_exception",
            "[1]: version conflict, document already exists (current version [1])",
        )
        assert list(error)[1:] == ["type", "reason", "index_uuid", "shard", "index"]
        assert (error["shard"], error["index"]) == ("0", "rest_a")


async def test_an_id_is_made_for_a_document_without_one(client: Client) -> None:
    answer = await client("POST", "/rest_a/_doc/", {"a": 1})
    assert (answer.status, answer.json["_id"]) == (201, "generated-1")


async def test_a_write_needs_a_body_that_is_an_object(client: Client) -> None:
    assert_error(
        await client("POST", "/rest_a/_doc"), 400, "parse_exception", "request body is required"
    )
    assert_error(
        await client("POST", "/rest_a/_doc", b"[1]"),
        500,
        "not_x_content_exception",
        "Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes",
    )


async def test_a_source_is_kept_without_comments_and_a_bad_one_is_the_engines_to_judge(
    client: Client,
) -> None:
    await client("PUT", "/rest_a/_doc/1", b'{"a": /* one */ 1} // end')
    assert (await client("GET", "/rest_a/_source/1")).body == b'{"a":           1}'
    malformed = await client("PUT", "/rest_a/_doc/1", b'{"a":')
    assert malformed.json["error"]["type"] == "document_parsing_exception"


async def test_a_get_shows_the_document_or_says_that_it_is_not_found(client: Client) -> None:
    await client("PUT", "/rest_a/_doc/1", {"a": 1, "o": {"x": 1, "y": 2}})
    found = await client("GET", "/rest_a/_doc/1")
    assert found.body == (
        b'{"_index":"rest_a","_id":"1","_version":1,"_seq_no":0,"_primary_term":1,"found":true,'
        b'"_source":{"a":1,"o":{"x":1,"y":2}}}'
    )
    missing = await client("GET", "/rest_a/_doc/zz")
    assert (missing.status, missing.body) == (
        404,
        b'{"_index":"rest_a","_id":"zz","found":false}',
    )
    assert_error(
        await client("GET", "/none/_doc/1"),
        404,
        "index_not_found_exception",
        "no such index [none]",
    )


@pytest.mark.parametrize(
    ("query", "source"),
    [
        ("_source=false", None),
        ("_source=b", {}),
        ("_source=o.x", {"o": {"x": 1}}),
        ("_source_excludes=o.x", {"a": 1, "o": {"y": 2}}),
        ("_source_includes=o&_source_excludes=*.y", {"o": {"x": 1}}),
        ("stored_fields=a", None),
    ],
)
async def test_the_source_is_filtered_as_asked(client: Client, query: str, source: object) -> None:
    await client("PUT", "/rest_a/_doc/1", {"a": 1, "o": {"x": 1, "y": 2}})
    answer = await client("GET", f"/rest_a/_doc/1?{query}")
    assert answer.json.get("_source") == source


async def test_head_answers_without_a_body(client: Client) -> None:
    await client("PUT", "/rest_a/_doc/1", {"a": 1})
    found, missing = await client("HEAD", "/rest_a/_doc/1"), await client("HEAD", "/rest_a/_doc/2")
    assert (found.status, found.body) == (200, b"")
    assert int(found.headers["content-length"]) > 0
    assert (missing.status, missing.body, missing.headers["content-length"]) == (404, b"", "43")


async def test_the_bare_source(client: Client) -> None:
    await client("PUT", "/rest_a/_doc/1", {"a": 1})
    assert (await client("GET", "/rest_a/_source/1")).body == b'{"a":1}'
    assert_error(
        await client("GET", "/rest_a/_source/zz"),
        404,
        "resource_not_found_exception",
        "Document not found [rest_a]/[zz]",
    )
    assert_error(
        await client("GET", "/rest_a/_source/1?_source=false"),
        400,
        "action_request_validation_exception",
        "Validation Failed: 1: fetching source can not be disabled;",
    )


async def test_deleting_what_is_not_there_is_a_404_with_a_result(client: Client) -> None:
    await client("PUT", "/rest_a/_doc/1", {"a": 1})
    gone = await client("DELETE", "/rest_a/_doc/1")
    again = await client("DELETE", "/rest_a/_doc/1")
    assert (gone.status, gone.json["result"]) == (200, "deleted")
    assert (again.status, again.json["result"], again.json["_shards"]) == (404, "not_found", SHARDS)
    assert_error(
        await client("DELETE", "/unknown/_doc/1"),
        404,
        "index_not_found_exception",
        "no such index [unknown]",
    )


async def test_ids_are_percent_decoded_and_a_plus_stays(client: Client) -> None:
    await client("PUT", "/rest_a/_doc/a%2Fb%20c", {"a": 1})
    assert (await client("GET", "/rest_a/_doc/a%2Fb%20c")).json["_id"] == "a/b c"
    assert (await client("GET", "/rest_a/_doc/a+b")).json["_id"] == "a+b"


async def test_an_update_merges_and_tells_when_nothing_changed(client: Client) -> None:
    await client("PUT", "/rest_a/_doc/1", {"a": 1, "o": {"x": 1, "y": 2}})
    changed = await client("POST", "/rest_a/_update/1", {"doc": {"o": {"x": 5}}})
    assert (changed.json["result"], changed.json["_version"]) == ("updated", 2)
    same = await client("POST", "/rest_a/_update/1?refresh=true", {"doc": {"o": {"x": 5}}})
    assert same.json["result"] == "noop"
    assert same.json["_shards"] == {"total": 0, "successful": 0, "failed": 0}
    assert "forced_refresh" not in same.json
    found = await client("GET", "/rest_a/_doc/1")
    assert found.json["_source"] == {"a": 1, "o": {"x": 5, "y": 2}}


async def test_an_update_returns_the_source_it_was_asked_for(client: Client) -> None:
    await client("PUT", "/rest_a/_doc/1", {"a": 1, "o": {"x": 1, "y": 2}})
    answer = await client("POST", "/rest_a/_update/1", {"doc": {"a": 3}, "_source": ["o.x"]})
    assert answer.json["get"] == {
        "_seq_no": 1,
        "_primary_term": 1,
        "found": True,
        "_source": {"o": {"x": 1}},
    }


async def test_an_update_of_nothing_needs_an_upsert(client: Client) -> None:
    assert_error(
        await client("POST", "/rest_a/_update/9", {"doc": {"a": 3}}),
        404,
        "document_missing_exception",
        "[9]: document missing",
    )
    upserted = await client("POST", "/rest_a/_update/9", {"doc": {"a": 3}, "upsert": {"a": 7}})
    assert (upserted.status, upserted.json["result"]) == (201, "created")
    as_upsert = await client("POST", "/rest_a/_update/10", {"doc": {"a": 3}, "doc_as_upsert": True})
    assert as_upsert.status == 201
    assert (await client("GET", "/rest_a/_source/9")).json == {"a": 7}


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (
            b"",
            "action_request_validation_exception",
            "Validation Failed: 1: script or doc is missing;",
        ),
        (
            b'{"doc":{},"script":"x"}',
            "action_request_validation_exception",
            "Validation Failed: 1: can't provide both script and doc;",
        ),
        (b'{"script":"x"}', "illegal_argument_exception", "failed to execute script"),
        (
            b'{"doc":5}',
            "x_content_parse_exception",
            "[1:8] [UpdateRequest] doc doesn't support values of type: VALUE_NUMBER",
        ),
        (
            b'{"doc":{"a":1},"zz":5}',
            "x_content_parse_exception",
            "[1:16] [UpdateRequest] unknown field [zz]",
        ),
        (
            b'{"docx":{"a":1}}',
            "x_content_parse_exception",
            "[1:2] [UpdateRequest] unknown field [docx] did you mean [doc]?",
        ),
        (
            b'{"doc":{"a":1},"detect_noop":"x"}',
            "x_content_parse_exception",
            "[1:30] [UpdateRequest] failed to parse field [detect_noop]",
        ),
        (
            b"[]",
            "x_content_parse_exception",
            "[1:1] [UpdateRequest] Expected START_OBJECT but was: START_ARRAY",
        ),
    ],
)
async def test_a_bad_update_is_refused(client: Client, body: bytes, kind: str, reason: str) -> None:
    assert_error(await client("POST", "/rest_a/_update/1", body), 400, kind, reason)


async def test_compare_and_write_excludes_retries(client: Client) -> None:
    answer = await client(
        "POST", "/rest_a/_update/1?retry_on_conflict=2&if_seq_no=1&if_primary_term=1", {"doc": {}}
    )
    assert_error(
        answer,
        400,
        "action_request_validation_exception",
        "Validation Failed: 1: compare and write operations can not be retried;",
    )


async def test_mget_shows_each_document_in_its_place(client: Client) -> None:
    await client("PUT", "/rest_a/_doc/1", {"a": 1, "o": {"x": 1, "y": 2}})
    body = {
        "docs": [
            {"_id": "1", "_source": False},
            {"_id": "9", "_index": "none"},
            {"_id": "1", "_source": {"includes": ["o"], "excludes": ["o.x"]}},
        ]
    }
    docs = (await client("POST", "/rest_a/_mget", body)).json["docs"]
    assert "_source" not in docs[0]
    assert docs[1]["error"]["type"] == "index_not_found_exception"
    assert docs[1]["error"]["root_cause"][0]["reason"] == "no such index [none]"
    assert docs[2]["_source"] == {"o": {"y": 2}}
    ids = await client("GET", "/rest_a/_mget", {"ids": ["1", 2]})
    assert [doc["found"] for doc in ids.json["docs"]] == [True, False]
    assert ids.json["docs"][1]["_id"] == "2"


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (b"", "parse_exception", "request body or source parameter is required"),
        (
            b'{"docs":[{"_id":"1"}]}',
            "action_request_validation_exception",
            "Validation Failed: 1: index is missing for doc 0;",
        ),
        (
            b'{"docs":[{"_index":"a"}]}',
            "action_request_validation_exception",
            "Validation Failed: 1: id is missing for doc 0;",
        ),
        (
            b"{}",
            "action_request_validation_exception",
            "Validation Failed: 1: no documents to get;",
        ),
        (
            b'{"docs":[1]}',
            "illegal_argument_exception",
            "docs array element should include an object",
        ),
        (
            b'{"docs":[{"_index":"a","_id":"1","foo":1}]}',
            "parse_exception",
            "failed to parse multi get request. unknown field [foo]",
        ),
        (
            b'{"dox":[]}',
            "parsing_exception",
            "unknown key [dox] for a START_ARRAY, expected [docs] or [ids]",
        ),
        (
            b'{"ids":"x"}',
            "parsing_exception",
            "unexpected token [VALUE_STRING], expected [FIELD_NAME] or [START_ARRAY]",
        ),
        (b"[]", "parsing_exception", "unexpected token [START_ARRAY], expected [START_OBJECT]"),
        (b'{"docs":[{', "x_content_e_o_f_exception", "[1:11] Unexpected end of file"),
    ],
)
async def test_a_bad_mget_is_refused(client: Client, body: bytes, kind: str, reason: str) -> None:
    error = assert_error(await client("POST", "/_mget", body), 400, kind, reason)
    if kind == "parsing_exception" and body != b"[]":
        assert (error["line"], error["col"]) == (1, 8)


@pytest.mark.parametrize(
    ("given", "shown"),
    [("true", "true"), ("12", "12"), ("1.5", "1.5"), ('["rest_z"]', "rest_z"), ('[["z"]]', "z")],
)
async def test_the_index_of_a_multi_get_may_be_any_scalar(
    client: Client, given: str, shown: str
) -> None:
    body = f'{{"docs":[{{"_index":{given},"_id":"1"}}]}}'.encode()
    answer = await client("POST", "/_mget", body)
    assert answer.status == 200
    (doc,) = answer.json["docs"]
    assert doc["_index"] == shown
    assert doc["error"]["reason"] == f"no such index [{shown}]"


@pytest.mark.parametrize(
    ("doc", "kind", "reason"),
    [
        (
            '{"_index":{"a":1},"_id":"1"}',
            "parse_exception",
            "failed to parse multi get request. unknown field [a]",
        ),
        (
            '{"_index":"a","_id":{"b":1}}',
            "parse_exception",
            "failed to parse multi get request. unknown field [b]",
        ),
        (
            '{"_index":"a","_id":"1","routing":{"c":1}}',
            "parse_exception",
            "failed to parse multi get request. unknown field [c]",
        ),
        (
            '{"_index":"a","_id":"1","version":"x"}',
            "illegal_argument_exception",
            'For input string: "x"',
        ),
        (
            '{"_index":null,"_id":"1"}',
            "action_request_validation_exception",
            "Validation Failed: 1: index is missing for doc 0;",
        ),
    ],
)
async def test_a_multi_get_refuses_what_is_no_scalar(
    client: Client, doc: str, kind: str, reason: str
) -> None:
    answer = await client("POST", "/_mget", f'{{"docs":[{doc}]}}'.encode())
    assert_error(answer, 400, kind, reason)


async def test_a_source_that_orjson_cannot_read_is_shown_and_filtered(client: Client) -> None:
    await client("PUT", "/rest_a/_doc/1", {"n": 1})
    docs = client.world.engine.stored["uuid-of-rest_a"]
    docs["1"] = msgspec.structs.replace(docs["1"], source=b'{"n":1e400,"s":"\\ud800"}')
    whole = await client("GET", "/rest_a/_doc/1")
    assert b'"_source":{"n":1e400,"s":"\\ud800"}' in whole.body
    some = await client("GET", "/rest_a/_doc/1?_source_includes=n,s")
    assert b'"_source":{"n":"Infinity","s":"\\uD800"}' in some.body
    pretty = await client("GET", "/rest_a/_doc/1?pretty")
    assert b'"s" : "\\uD800"' in pretty.body


async def test_an_update_may_bring_a_number_beyond_a_double(client: Client) -> None:
    await client("PUT", "/rest_a/_doc/1", {"n": 1})
    answer = await client("POST", "/rest_a/_update/1", b'{"doc":{"m":1e400,"l":-1e999}}')
    assert answer.json["result"] == "updated"
    source = await client("GET", "/rest_a/_source/1")
    assert source.body == b'{"n":1,"m":"Infinity","l":"-Infinity"}'


async def test_an_update_with_a_lone_surrogate_is_refused_as_a_whole(client: Client) -> None:
    await client("PUT", "/rest_a/_doc/1", {"n": 1})
    answer = await client("POST", "/rest_a/_update/1", b'{"doc":{"m":"\\ud800","l":1e400}}')
    assert answer.status == 400
    assert answer.json["error"]["type"] == "x_content_parse_exception"
