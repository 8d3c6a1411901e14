"""Search templates over two clusters: stored and rendered here, searched anywhere."""

from typing import Any

import pytest

from tests.conformance.conftest import Pair

TEMPLATE = {
    "query": {"term": {"tag": "{{tag}}"}},
    "size": "{{size}}{{^size}}5{{/size}}",
}


@pytest.fixture
async def filled(pair: Pair) -> Pair:
    mapping = {"mappings": {"properties": {"tag": {"type": "keyword"}}}}
    for cluster in (pair.local, pair.eu):
        await cluster.call("PUT", "/t", mapping)
        await cluster.fill("t", {"1": {"tag": "a"}, "2": {"tag": "b"}})
    return pair


async def test_a_template_renders_here_and_searches_everywhere(filled: Pair) -> None:
    """S-31: a search template renders locally, then runs across clusters."""
    body = {"source": TEMPLATE, "params": {"tag": "a"}}
    answer = await filled.local.call("POST", "/t,eu:t/_search/template", body)
    assert sorted(hit["_index"] for hit in answer["hits"]["hits"]) == ["eu:t", "t"]
    assert answer["_clusters"]["successful"] == 2


async def test_stored_templates(filled: Pair) -> None:
    local = filled.local
    missing = await local.request("GET", "/_scripts/s")
    assert (missing.status, missing.body) == (404, {"_id": "s", "found": False})
    script = {"lang": "mustache", "source": TEMPLATE}
    assert await local.call("PUT", "/_scripts/s", {"script": script}) == {"acknowledged": True}
    assert await local.call("GET", "/_scripts/s") == {
        "_id": "s",
        "found": True,
        "script": {
            "lang": "mustache",
            "source": '{"query":{"term":{"tag":"{{tag}}"}},"size":"{{size}}{{^size}}5{{/size}}"}',
            "options": {"content_type": "application/json;charset=utf-8"},
        },
    }
    body = {"id": "s", "params": {"tag": "b", "size": 1}}
    answer = await local.call("GET", "/eu:t/_search/template?rest_total_hits_as_int=true", body)
    assert (answer["hits"]["total"], answer["hits"]["hits"][0]["_id"]) == (1, "2")
    assert await local.call("DELETE", "/_scripts/s") == {"acknowledged": True}
    gone = await local.request("POST", "/t/_search/template", body)
    assert (gone.status, gone.body["error"]["reason"]) == (
        404,
        "unable to find script [s] in cluster state",
    )
    gone = await local.request("DELETE", "/_scripts/s")
    assert gone.body["error"]["reason"] == (
        "stored script [s] does not exist and cannot be deleted"
    )


async def test_rendering_contacts_nobody(filled: Pair) -> None:
    filled.link.is_cut = True
    body = {
        "source": '{"query":{"terms":{"tag":{{#toJson}}tags{{/toJson}} }}}',
        "params": {"tags": ["a"]},
    }
    answer = await filled.local.call("POST", "/_render/template", body)
    assert answer == {"template_output": {"query": {"terms": {"tag": ["a"]}}}}
    assert filled.link.requests == 0


async def test_each_template_of_many_fails_alone(filled: Pair) -> None:
    lines = (
        b'{"index":"t,eu:t"}\n{"source":{"size":0}}\n'
        b'{"index":"t"}\n{"id":"nope"}\n'
        b'{"index":"t"}\n{"source":"{\\"size\\":{{n}}}","params":{"n":"x"}}\n'
        b'{"index":"missing"}\n{"source":{"size":0}}\n'
    )
    answer = await filled.local.call("POST", "/_msearch/template", lines)
    assert [each["status"] for each in answer["responses"]] == [200, 404, 400, 404]
    assert answer["responses"][0]["hits"]["total"]["value"] == 4


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            {},
            "Validation Failed: 1: template is missing;2: template's script type is missing;",
        ),
        ({"source": "{{x"}, "Improperly closed variable in query-template:1 @[query-template:1]"),
        ({"foo": 1}, "[1:2] [search_template] unknown field [foo]"),
    ],
)
async def test_errors_of_templates(filled: Pair, body: Any, reason: str) -> None:
    answer = await filled.local.request("POST", "/t/_search/template", body)
    assert (answer.status, answer.body["error"]["reason"]) == (400, reason)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"script": {"source": "{}"}}, "must specify lang for stored script"),
        ({"script": {"lang": "mustache"}}, "must specify source for stored script"),
        ({"script": {"lang": "", "source": "x"}}, "lang cannot be empty"),
        ({"script": {"lang": "mustache", "source": ""}}, "source cannot be empty"),
        (
            {"script": {"lang": "mustache", "source": "x", "options": {"a": "b"}}},
            "illegal compiler options [{a=b}] specified",
        ),
        ({"script": "x"}, "unexpected token [VALUE_STRING], expected [{, <source>]"),
        ({"foo": "x"}, "unexpected field [foo], expected [script]"),
        ({}, "unexpected token [END_OBJECT, expected [script]"),
        ([], "unexpected token [START_ARRAY], expected [{]"),
        (
            {"script": {"lang": "mustache", "source": 5}},
            "[1:39] [stored script source] source doesn't support values of type: VALUE_NUMBER",
        ),
        (
            {"script": {"lang": "painless", "source": "1"}},
            "unable to put stored script with unsupported lang [painless]",
        ),
    ],
)
async def test_errors_of_stored_scripts(filled: Pair, body: Any, reason: str) -> None:
    answer = await filled.local.request("PUT", "/_scripts/s", body)
    assert (answer.status, answer.body["error"]["reason"]) == (400, reason)


@pytest.mark.parametrize(
    "target",
    [
        "/t/_eql/search?filter_path=x&keep_alive=1d",
        "/_query?format=txt",
        "/_sql",
        "/_rank_eval",
        "/t/_mvt/geo/1/1/1",
        "/t/_graph/explore",
        "/_scripts/painless/_execute",
    ],
)
async def test_what_is_not_served_says_what_to_use_instead(pair: Pair, target: str) -> None:
    answer = await pair.local.request("POST", target, {"query": "x"})
    assert answer.status == 400
    assert answer.body["error"]["type"] == "illegal_argument_exception"
    assert " is not supported by this version, use " in answer.body["error"]["reason"]
