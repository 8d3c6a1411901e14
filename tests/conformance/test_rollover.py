"""Rollovers of aliases and data streams over REST. The expected texts are what Elasticsearch 8.19.0 answered."""

from typing import Any

import pytest

from sealane.testing.in_process import InProcessCluster
from tests.conformance.conftest import Pair
from tests.conformance.test_data_streams import add, backing, template


@pytest.fixture
async def node(pair: Pair) -> InProcessCluster:
    await pair.local.call("PUT", "/roll-000001", {"aliases": {"roll": {"is_write_index": True}}})
    await pair.local.call("PUT", "/roll-000001/_doc/1?refresh=true", {"a": 1})
    return pair.local


async def roll(node: InProcessCluster, target: str, **conditions: Any) -> Any:
    return await node.call("POST", f"/{target}/_rollover", {"conditions": conditions})


async def test_an_alias_is_rolled_over_once_a_condition_holds(node: InProcessCluster) -> None:
    waiting = await roll(node, "roll", max_docs=5)
    assert waiting == {
        "acknowledged": False,
        "shards_acknowledged": False,
        "old_index": "roll-000001",
        "new_index": "roll-000002",
        "rolled_over": False,
        "dry_run": False,
        "lazy": False,
        "conditions": {"[max_docs: 5]": False},
    }
    tried = await node.call("POST", "/roll/_rollover?dry_run=true")
    assert (tried["rolled_over"], tried["dry_run"], tried["new_index"]) == (
        False,
        True,
        "roll-000002",
    )
    done = await roll(node, "roll", max_docs=1, max_age="7d")
    assert (done["rolled_over"], done["acknowledged"]) == (True, True)
    assert done["conditions"] == {"[max_docs: 1]": True, "[max_age: 7d]": False}
    assert await node.call("GET", "/_alias/roll") == {
        "roll-000001": {"aliases": {"roll": {"is_write_index": False}}},
        "roll-000002": {"aliases": {"roll": {"is_write_index": True}}},
    }
    written = await node.call("POST", "/roll/_doc", {"a": 2})
    assert written["_index"] == "roll-000002"


async def test_all_least_conditions_must_hold(node: InProcessCluster) -> None:
    assert not (await roll(node, "roll", max_age="0s", min_docs=2))["rolled_over"]
    done = await roll(
        node,
        "roll",
        max_primary_shard_size="1gb",
        max_primary_shard_docs=1,
        min_age="0s",
        min_size="0b",
        min_primary_shard_size="0b",
        min_primary_shard_docs=0,
        min_docs=1,
        max_docs=10,
        max_age="1d",
        max_size="2gb",
    )
    assert done["rolled_over"]
    assert [name for name, holds in done["conditions"].items() if not holds] == [
        "[max_primary_shard_size: 1gb]",
        "[max_docs: 10]",
        "[max_age: 1d]",
        "[max_size: 2gb]",
    ]


async def test_an_alias_without_a_write_index_moves(node: InProcessCluster) -> None:
    await node.call("PUT", "/one-1", {"aliases": {"one": {"filter": {"term": {"a": 1}}}}})
    done = await node.call("POST", "/one/_rollover")
    assert done["new_index"] == "one-000002"
    assert await node.call("GET", "/_alias/one") == {
        "one-000002": {"aliases": {"one": {"filter": {"term": {"a": 1}}}}}
    }


async def test_the_new_index_is_as_asked(node: InProcessCluster) -> None:
    body = {
        "settings": {"number_of_replicas": 0},
        "mappings": {"properties": {"b": {"type": "long"}}},
        "aliases": {"extra": {}},
    }
    await node.call("POST", "/roll/_rollover/custom", body)
    made = (await node.call("GET", "/custom"))["custom"]
    assert made["aliases"] == {"extra": {}, "roll": {"is_write_index": True}}
    assert made["mappings"] == {"properties": {"b": {"type": "long"}}}
    assert made["settings"]["index"]["number_of_replicas"] == "0"
    answer = await node.request("POST", "/roll/_rollover")
    assert answer.body["error"]["reason"] == (
        "index name [custom] does not match pattern '^.*-\\d+$'"
    )


async def test_dates_in_names_are_of_the_day_of_the_rollover(node: InProcessCluster) -> None:
    await node.call(
        "PUT", "/%3Cdt-%7Bnow%2Fd%7D-1%3E", {"aliases": {"dt": {"is_write_index": True}}}
    )
    done = await node.call("POST", "/dt/_rollover")
    assert (done["old_index"], done["new_index"]) == ("dt-2026.11.22-1", "dt-2026.11.22-000002")
    found = await node.call("GET", "/dt-2026.11.22-000002/_settings")
    settings = found["dt-2026.11.22-000002"]["settings"]["index"]
    assert settings["provided_name"] == "<dt-{now/d}-000002>"


@pytest.mark.parametrize(
    ("path", "body", "status", "reasons"),
    [
        ("nope/_rollover", None, 404, ["rollover target [nope] does not exist"]),
        ("rol*/_rollover", None, 404, ["rollover target [rol*] does not exist"]),
        (
            "roll-000001/_rollover",
            None,
            400,
            ["rollover target is a [concrete index] but one of [alias,data_stream] was expected"],
        ),
        ("many/_rollover", None, 400, ["rollover target [many] does not point to a write index"]),
        ("roll/_rollover/BAD", None, 400, ["Invalid index name [BAD], must be lowercase"]),
        (
            "roll/_rollover?lazy=true",
            None,
            400,
            [
                "Lazy rollover can be applied only on a data stream. Please remove the query parameter 'lazy'."
            ],
        ),
        ("roll/_rollover", {"foo": 1}, 400, ["[1:2] [rollover] unknown field [foo]"]),
        (
            "roll/_rollover",
            [1],
            400,
            ["[1:1] [rollover] Expected START_OBJECT but was: START_ARRAY"],
        ),
        (
            "roll/_rollover",
            {"conditions": {"min_docs": 1}},
            400,
            [
                "Validation Failed: 1: at least one max_* rollover condition must be set when using min_* conditions;"
            ],
        ),
        (
            "roll/_rollover",
            {"conditions": {"max_foo": 1}},
            400,
            [
                "[1:26] [rollover] failed to parse field [conditions]",
                "[1:16] [rollover_conditions] unknown field [max_foo] did you mean any of [max_docs, max_age]?",
            ],
        ),
        (
            "roll/_rollover",
            {"conditions": {"max_docs": "x"}},
            400,
            [
                "[1:27] [rollover] failed to parse field [conditions]",
                "[1:27] [rollover_conditions] failed to parse field [max_docs]",
                'For input string: "x"',
            ],
        ),
        (
            "roll/_rollover",
            {"conditions": {"max_age": "x"}},
            400,
            [
                "[1:26] [rollover] failed to parse field [conditions]",
                "[1:26] [rollover_conditions] failed to parse field [max_age]",
                "failed to parse setting [max_age] with value [x] as a time value: unit is missing or unrecognized",
            ],
        ),
    ],
)
async def test_rollovers_that_make_no_sense(
    node: InProcessCluster, path: str, body: Any, status: int, reasons: list[str]
) -> None:
    for name in ("many-1", "many-2"):
        await node.call("PUT", f"/{name}", {"aliases": {"many": {}}})
    answer = await node.request("POST", f"/{path}", body)
    error, found = answer.body["error"], []
    while error:
        found.append(error["reason"])
        error = error.get("caused_by", {})
    assert (answer.status, found) == (status, reasons)


async def test_a_stream_is_rolled_over(node: InProcessCluster) -> None:
    await template(node)
    await add(node, "logs-a", "x")
    done = await node.call("POST", "/logs-a/_rollover")
    assert (done["old_index"], done["new_index"]) == (backing("logs-a", 1), backing("logs-a", 2))
    assert (await node.call("POST", "/logs-a/_doc", {"@timestamp": 1}))["_index"] == backing(
        "logs-a", 2
    )
    assert (await node.call("GET", "/logs-a/_count"))["_shards"]["total"] == 2
    for path, body, reason in (
        (
            "logs-a/_rollover/new",
            None,
            "new index name may not be specified when rolling over a data stream",
        ),
        (
            "logs-a/_rollover",
            {"settings": {"number_of_replicas": 0}},
            "aliases, mappings, and index settings may not be specified when rolling over a data stream",
        ),
        (
            "logs-a/_rollover?lazy=true",
            {"conditions": {"max_docs": 1}},
            "Lazy rollover can be used only without any conditions. Please remove the conditions from the request "
            "body or the query parameter 'lazy'.",
        ),
    ):
        answer = await node.request("POST", f"/{path}", body)
        assert (answer.status, answer.body["error"]["reason"]) == (400, reason)


async def test_a_lazy_rollover_comes_with_the_next_write(node: InProcessCluster) -> None:
    await template(node)
    await add(node, "logs-a", "x")
    promised = await node.call("POST", "/logs-a/_rollover?lazy=true")
    assert (promised["acknowledged"], promised["rolled_over"], promised["lazy"]) == (
        True,
        False,
        True,
    )
    (shown,) = (await node.call("GET", "/_data_stream"))["data_streams"]
    assert (shown["rollover_on_write"], shown["generation"]) == (True, 1)
    written = await node.call("POST", "/logs-a/_doc", {"@timestamp": 1})
    assert written["_index"] == backing("logs-a", 2)
    (shown,) = (await node.call("GET", "/_data_stream"))["data_streams"]
    assert (shown["rollover_on_write"], shown["generation"]) == (False, 2)


@pytest.mark.parametrize("query", ["", "?dry_run=true"])
async def test_what_may_not_be_changed_is_not_rolled_over(
    node: InProcessCluster, query: str
) -> None:
    """One blocked index of the alias is enough, whether or not it is written to."""
    await roll(node, "roll")
    await node.call("PUT", "/roll-000001/_settings", {"index.blocks.metadata": True})
    answer = await node.request("POST", f"/roll/_rollover{query}")
    assert (answer.status, answer.body["error"]["type"], answer.body["error"]["reason"]) == (
        403,
        "cluster_block_exception",
        "index [roll-000001] blocked by: [FORBIDDEN/9/index metadata (api)];",
    )


@pytest.mark.parametrize("query", ["", "?lazy=true"])
async def test_a_blocked_stream_is_not_rolled_over(node: InProcessCluster, query: str) -> None:
    await template(node)
    await add(node, "logs-a", "x")
    await node.call("PUT", "/logs-a/_settings", {"index.blocks.read_only": True})
    answer = await node.request("POST", f"/logs-a/_rollover{query}")
    assert answer.status == 403
    assert "blocked by: [FORBIDDEN/5/index read-only (api)];" in answer.body["error"]["reason"]


async def test_a_template_may_not_have_the_alias_that_is_rolled_over(
    node: InProcessCluster,
) -> None:
    """Told by the template's own aliases, or else by those of the component that has it."""
    component: dict[str, Any] = {"template": {"aliases": {"roll": {}, "zz": {}}}}
    await node.call("PUT", "/_component_template/part", component)
    body: dict[str, Any] = {
        "index_patterns": ["roll-*"],
        "composed_of": ["part"],
        "template": {"aliases": {"yy": {}}},
    }
    for listed in ("roll, zz", "roll, yy"):
        await node.call("PUT", "/_index_template/rolled", body)
        tried = await node.call("POST", "/roll/_rollover?dry_run=true")
        assert tried["new_index"] == "roll-000002"
        answer = await node.request("POST", "/roll/_rollover")
        assert (answer.status, answer.body["error"]["reason"]) == (
            400,
            "Rollover alias [roll] can point to multiple indices, found duplicated alias "
            f"[[{listed}]] in index template [rolled]",
        )
        body["template"] = {"aliases": {"roll": {}, "yy": {}}}
