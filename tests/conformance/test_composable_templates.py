"""Index and component templates over REST. The expected texts are what Elasticsearch 8.19.0 answered."""

from typing import Any

import orjson
import pytest

from sealane.testing.in_process import InProcessCluster
from tests.conformance.conftest import Pair

NO_TYPE = (
    "The mapper type [nope] declared on field [a] does not exist. It might have been created within a future version "
    "or requires a plugin to be installed. Check the documentation."
)


@pytest.fixture
async def node(pair: Pair) -> InProcessCluster:
    return pair.local


def chain(error: dict[str, Any]) -> list[str]:
    found = []
    while error:
        found.append(error["reason"])
        error = error.get("caused_by", {})
    return found


BAD: list[tuple[Any, list[str]]] = [
    ({}, ["Required [index_patterns]"]),
    ({"index_patterns": []}, ["There must be at least one pattern, zero given"]),
    (
        {"index_patterns": ["a*"], "foo": 1},
        ["[1:26] [index_template] unknown field [foo]"],
    ),
    (
        {"index_patterns": ["a*"], "priority": -1},
        ["Validation Failed: 1: index template priority must be >= 0;"],
    ),
    (
        {"index_patterns": ["a*"], "priority": "x"},
        [
            "[1:37] [index_template] failed to parse field [priority]",
            'For input string: "x"',
        ],
    ),
    (
        {"index_patterns": ["a*"], "priority": None},
        ["[1:37] [index_template] priority doesn't support values of type: VALUE_NULL"],
    ),
    (
        {"index_patterns": ["_a*"]},
        [
            "index_template [bad] invalid, cause [Validation Failed: 1: index_pattern [_a*] must not start with '_';]"
        ],
    ),
    (
        {"index_patterns": ["a b"]},
        [
            "index_template [bad] invalid, cause [Validation Failed: 1: index_patterns [a b] must not contain a "
            "space;2: index_pattern [a b] must not contain the following characters "
            "[' ','\"','*',',','/','<','>','?','\\','|'];]"
        ],
    ),
    (
        {"index_patterns": ["a*"], "template": {"foo": {}}},
        [
            "[1:44] [index_template] failed to parse field [template]",
            "[1:38] [template] unknown field [foo]",
        ],
    ),
    (
        {"index_patterns": ["a*"], "template": {"settings": {"foo": 1}}},
        [
            "index_template [bad] invalid, cause [Validation Failed: 1: unknown setting [index.foo] please check that "
            "any required plugins are installed, or check the breaking changes documentation for removed settings;]"
        ],
    ),
    (
        {"index_patterns": ["a*"], "template": {"settings": {"index.number_of_shards": 0}}},
        [
            "index_template [bad] invalid, cause [Validation Failed: 1: Failed to parse value [0] for setting "
            "[index.number_of_shards] must be >= 1;]"
        ],
    ),
    (
        {
            "index_patterns": ["a*"],
            "template": {"mappings": {"properties": {"a": {"type": "nope"}}}},
        },
        [
            "composable template [bad] template after composition is invalid",
            "invalid composite mappings for [bad]",
            f"Failed to parse mapping: {NO_TYPE}",
            NO_TYPE,
        ],
    ),
    (
        {"index_patterns": ["a*"], "template": {"aliases": {"A b": {}}}},
        [
            "Invalid alias name [A b]: must not contain the following characters "
            "[' ','\"','*',',','/','<','>','?','\\','|']"
        ],
    ),
    (
        {"index_patterns": ["a*"], "composed_of": ["c1", "c2"]},
        [
            "index_template [bad] invalid, cause [index template [bad] specifies component templates [c1, c2] that do "
            "not exist]"
        ],
    ),
    (
        {
            "index_patterns": ["a*"],
            "composed_of": ["c1"],
            "ignore_missing_component_templates": ["c2"],
        },
        [
            "index_template [bad] invalid, cause [index template [bad] specifies a missing component templates [c1] "
            "that does not exist and is not part of 'ignore_missing_component_templates']"
        ],
    ),
    (
        {"index_patterns": ["a*"], "template": {"lifecycle": {"data_retention": "7d"}}},
        [
            "index template [bad] specifies lifecycle configuration that can only be used in combination with a data "
            "stream"
        ],
    ),
    (
        {
            "index_patterns": ["a*"],
            "data_stream": {},
            "template": {"mappings": {"properties": {"@timestamp": {"type": "keyword"}}}},
        },
        [
            "composable template [bad] template after composition is invalid",
            "invalid composite mappings for [bad]",
            "data stream timestamp field [@timestamp] is of type [keyword], but [date,date_nanos] is expected",
        ],
    ),
    (
        {"index_patterns": ["kw-*"], "data_stream": {"foo": 1}},
        [
            "[1:49] [index_template] failed to parse field [data_stream]",
            "[1:43] [data_stream_template] unknown field [foo]",
        ],
    ),
]


@pytest.mark.parametrize(("body", "reasons"), BAD)
async def test_templates_that_make_no_sense(
    node: InProcessCluster, body: Any, reasons: list[str]
) -> None:
    answer = await node.request("PUT", "/_index_template/bad", body)
    assert (answer.status, chain(answer.body["error"])) == (400, reasons)
    assert (await node.call("GET", "/_index_template"))["index_templates"] == []


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("x,y", "name must not contain a ','"),
        ("X", "name must be lower cased"),
        ("_x", "name must not start with '_'"),
        ("x%20y", "name must not contain a space"),
        ("x%23", "name must not contain a '#'"),
    ],
)
async def test_names_of_templates_that_are_wrong(
    node: InProcessCluster, name: str, problem: str
) -> None:
    answer = await node.request("PUT", f"/_index_template/{name}", {"index_patterns": ["z*"]})
    error = answer.body["error"]
    assert error["type"] == "invalid_index_template_exception"
    assert error["reason"].endswith(f"cause [Validation Failed: 1: {problem};]")


async def test_templates_of_one_priority_may_not_match_the_same_name(
    node: InProcessCluster,
) -> None:
    await node.call("PUT", "/_index_template/over", {"index_patterns": ["ab*"], "priority": 5})
    body = {"index_patterns": ["a*c"], "priority": 5}
    answer = await node.request("PUT", "/_index_template/over2", body)
    assert answer.body["error"]["reason"] == (
        "index template [over2] has index patterns [a*c] matching patterns from existing templates [over] with "
        "patterns (over => [ab*]) that have the same priority [5], multiple index templates may not match during index "
        "creation, please use a different priority"
    )
    await node.call("PUT", "/_index_template/over2", {**body, "priority": 6})
    answer = await node.request("PUT", "/_index_template/over?create=true", body)
    assert answer.body["error"]["reason"] == "index template [over] already exists"


async def test_a_template_is_kept_shown_and_removed(node: InProcessCluster) -> None:
    body = {
        "index_patterns": "num*",
        "priority": 3,
        "version": 1.5,
        "_meta": {"x": 1},
        "template": {
            "settings": {"number_of_replicas": 0},
            "aliases": {"al": {"routing": "1"}},
        },
    }
    await node.call("PUT", "/_index_template/num", body)
    (shown,) = (await node.call("GET", "/_index_template/n*"))["index_templates"]
    assert shown == {
        "name": "num",
        "index_template": {
            "index_patterns": ["num*"],
            "template": {
                "settings": {"index": {"number_of_replicas": "0"}},
                "aliases": {"al": {"index_routing": "1", "search_routing": "1"}},
            },
            "composed_of": [],
            "priority": 3,
            "version": 1,
            "_meta": {"x": 1},
        },
    }
    assert (await node.request("HEAD", "/_index_template/num")).status == 200
    for path, status, reason in (
        ("nope", 404, "index template matching [nope] not found"),
        ("num,nope", 400, "template name may not contain ','"),
    ):
        answer = await node.request("GET", f"/_index_template/{path}")
        assert (answer.status, answer.body["error"]["reason"]) == (status, reason)
    answer = await node.request("GET", "/_index_template/nope*")
    assert (answer.status, answer.body) == (404, {"index_templates": []})
    answer = await node.request("DELETE", "/_index_template/nope1,nope2")
    assert answer.body["error"]["reason"] == "index_template [nope1,nope2] missing"
    await node.call("DELETE", "/_index_template/num")
    assert (await node.request("HEAD", "/_index_template/num")).status == 404


async def test_what_an_index_gets_of_its_template(node: InProcessCluster) -> None:
    """Components in their order, then the template, then the request: the later over the earlier."""
    for name, kind, shards in (("c1", "long", 2), ("c2", "keyword", 3)):
        mappings = {
            "properties": {"c": {"type": kind}, "o": {"properties": {name: {"type": kind}}}}
        }
        part = {
            "settings": {"number_of_shards": shards, "refresh_interval": "5s"},
            "mappings": mappings,
        }
        await node.call("PUT", f"/_component_template/{name}", {"template": part})
    template = {
        "index_patterns": ["made*"],
        "composed_of": ["c1", "c2"],
        "template": {
            "aliases": {"{index}-al": {}},
            "mappings": {"properties": {"t": {"type": "ip"}}},
        },
    }
    await node.call("PUT", "/_index_template/made", template)
    asked = {
        "settings": {"index": {"number_of_replicas": 0}, "index.refresh_interval": None},
        "mappings": {"properties": {"t": {"type": "keyword"}, "r": {"type": "long"}}},
        "aliases": {"own": {}},
    }
    await node.call("PUT", "/made1", asked)
    made = (await node.call("GET", "/made1"))["made1"]
    assert made["mappings"]["properties"] == {
        "c": {"type": "keyword"},
        "o": {"properties": {"c1": {"type": "long"}, "c2": {"type": "keyword"}}},
        "r": {"type": "long"},
        "t": {"type": "keyword"},
    }
    assert made["aliases"] == {"made1-al": {}, "own": {}}
    settings = made["settings"]["index"]
    assert (settings["number_of_shards"], settings["number_of_replicas"]) == ("3", "0")
    assert "refresh_interval" not in settings
    await node.call("POST", "/made2/_doc", {"t": "::1"})
    made = (await node.call("GET", "/made2"))["made2"]
    assert made["mappings"]["properties"]["t"] == {"type": "ip"}
    assert list(made["aliases"]) == ["made2-al"]


async def test_a_template_may_forbid_that_writes_make_its_indices(node: InProcessCluster) -> None:
    body = {"index_patterns": ["noauto*"], "allow_auto_create": False}
    await node.call("PUT", "/_index_template/auto", body)
    answer = await node.request("POST", "/noauto1/_doc", {"q": 1})
    assert (answer.status, answer.body["error"]["reason"]) == (
        404,
        "no such index [composable template [noauto*] forbids index auto creation]",
    )
    await node.call("PUT", "/noauto1")
    off = {"persistent": {"action.auto_create_index": "false"}}
    await node.call("PUT", "/_cluster/settings", off)
    assert (await node.request("POST", "/noauto2/_doc", {"q": 1})).status == 404
    await node.call("PUT", "/_index_template/auto", {**body, "allow_auto_create": True})
    await node.call("POST", "/noauto2/_doc", {"q": 1})


async def test_a_template_for_all_names_leaves_hidden_indices_alone(node: InProcessCluster) -> None:
    template = {"index_patterns": ["*"], "template": {"settings": {"number_of_replicas": 0}}}
    await node.call("PUT", "/_index_template/all", template)
    await node.call("PUT", "/hidden", {"settings": {"index.hidden": True}})
    await node.call("PUT", "/shown")
    for name, replicas in (("hidden", "1"), ("shown", "0")):
        found = await node.call("GET", f"/{name}/_settings")
        assert found[name]["settings"]["index"]["number_of_replicas"] == replicas


async def test_components_that_are_needed_stay(node: InProcessCluster) -> None:
    part = {"template": {"mappings": {"properties": {"a": {"type": "long"}}}}, "version": 1}
    await node.call("PUT", "/_component_template/c", part)
    await node.call("PUT", "/_index_template/t", {"index_patterns": ["t*"], "composed_of": ["c"]})
    for method, path, status, reason in (
        ("PUT", "c?create=true", 400, "component template [c] already exists"),
        ("DELETE", "nope", 404, "nope"),
        (
            "DELETE",
            "c",
            400,
            "component templates [c] cannot be removed as they are still in use by index templates [t]",
        ),
        ("GET", "nope", 404, "component template matching [nope] not found"),
    ):
        answer = await node.request(
            method, f"/_component_template/{path}", part if method == "PUT" else None
        )
        assert (answer.status, answer.body["error"]["reason"]) == (status, reason)
    (shown,) = (await node.call("GET", "/_component_template/c"))["component_templates"]
    assert shown == {"name": "c", "component_template": part}
    await node.call("DELETE", "/_index_template/t")
    await node.call("DELETE", "/_component_template/c")
    assert (await node.call("GET", "/_component_template"))["component_templates"] == []


@pytest.mark.parametrize(
    ("body", "reasons"),
    [
        ({}, ["Required [template]"]),
        ({"foo": {}}, ["[1:2] [component_template] unknown field [foo]"]),
        (
            {"template": {"mappings": {"properties": {"a": {"type": "nope"}}}}},
            [f"Failed to parse mapping: {NO_TYPE}", NO_TYPE],
        ),
    ],
)
async def test_components_that_make_no_sense(
    node: InProcessCluster, body: Any, reasons: list[str]
) -> None:
    answer = await node.request("PUT", "/_component_template/c", body)
    assert (answer.status, chain(answer.body["error"])) == (400, reasons)


async def test_what_an_index_would_get_is_shown_without_making_it(node: InProcessCluster) -> None:
    assert await node.call("POST", "/_index_template/_simulate_index/logs-9") == {}
    streams = {"index_patterns": ["logs-*"], "priority": 9, "data_stream": {}}
    await node.call("PUT", "/_index_template/hi", streams)
    await node.call("PUT", "/_index_template/lo", {"index_patterns": ["logs-*"], "priority": 1})
    expected = {
        "template": {
            "settings": {
                "index": {"routing": {"allocation": {"include": {"_tier_preference": "data_hot"}}}}
            },
            "mappings": {
                "_data_stream_timestamp": {"enabled": True},
                "properties": {"@timestamp": {"type": "date"}},
            },
            "aliases": {},
        },
        "overlapping": [{"name": "lo", "index_patterns": ["logs-*"]}],
    }
    for path in ("_simulate_index/logs-9", "_simulate/hi"):
        assert await node.call("POST", f"/_index_template/{path}") == expected
    added = {
        "index_patterns": ["aa"],
        "priority": 100,
        "template": {"settings": {"number_of_replicas": 3}},
    }
    for path in ("_simulate_index/aa", "_simulate"):
        found = await node.call("POST", f"/_index_template/{path}", orjson.dumps(added))
        assert found["template"]["settings"]["index"]["number_of_replicas"] == "3"
        assert found["overlapping"] == []
    for path, reason in (
        ("_simulate/nope", "unable to simulate template [nope] that does not exist"),
        (
            "_simulate",
            "Validation Failed: 1: either index name or index template body must be specified for simulation;",
        ),
    ):
        answer = await node.request("POST", f"/_index_template/{path}")
        assert (answer.status, answer.body["error"]["reason"]) == (400, reason)


@pytest.mark.parametrize("part", ["_meta", "mappings"])
@pytest.mark.parametrize("api", ["_index_template", "_component_template"])
async def test_what_the_next_start_could_not_read_is_not_stored(
    node: InProcessCluster, api: str, part: str
) -> None:
    """A text of so many levels may be written, where little of the stack is in use, and not be read again."""
    for levels, status in ((90, 200), (110, 400), (450, 400)):
        meta = b'{"a":{"b":' * levels + b"1" + b"}}" * levels
        inner = b'{"template":{},"_meta":%b' % meta
        if part == "mappings":
            inner = b'{"template":{"mappings":{"_meta":%b}}' % meta
        patterns = b',"index_patterns":["x-*"]}' if api == "_index_template" else b"}"
        answer = await node.request("PUT", f"/{api}/deep", inner + patterns)
        assert answer.status == status, answer.body
    assert (
        answer.body["error"]["reason"] == "a template must not be nested deeper than [200] levels"
    )
