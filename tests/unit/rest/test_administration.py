"""Clusters, indices, aliases and tables through the whole app, against what Elasticsearch 8.19.0 answers."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from sealane.cluster.metadata import Alias
from sealane.errors import IndexNotFound, IOFailure, NoShardAvailable
from sealane.rest import Build
from sealane.rest.load import machine_load
from tests.unit.rest.fakes import NOW_MS, Client, World, assert_error

QUERY = b'{"term":{"a":1}}'


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """Two indices: `rest_a` with a replica, `rest_b` without one and with an alias."""
    world = World()
    world.indices.add("rest_a")
    alias = Alias(filter=msgspec.Raw(QUERY), index_routing="x", search_routing="x")
    world.indices.add("rest_b", replicas=0, aliases={"rest_z": alias})
    async with world.serve() as client:
        yield client


# -- the cluster -------------------------------------------------------------------------------------------------


async def test_the_root_tells_who_answers(client: Client) -> None:
    body = (await client("GET", "/")).json
    assert list(body) == ["name", "cluster_name", "cluster_uuid", "version", "tagline"]
    assert list(body["version"]) == [
        "number",
        "build_flavor",
        "build_type",
        "build_hash",
        "build_date",
        "build_snapshot",
        "lucene_version",
        "minimum_wire_compatibility_version",
        "minimum_index_compatibility_version",
    ]
    assert body["version"]["number"] == "8.19.0"
    assert body["tagline"] == "You Know, for Search"
    assert (await client("HEAD", "/")).body == b""


async def test_the_other_face_names_its_distribution() -> None:
    world = World(build=Build(number="2.19.0", distribution="opensearch"))
    async with world.serve() as client:
        body = (await client("GET", "/")).json
    assert body["version"]["distribution"] == "opensearch"
    assert "build_flavor" not in body["version"]
    assert body["tagline"] == "The OpenSearch Project: https://opensearch.org/"


async def test_health_counts_primaries_and_unassigned_replicas(client: Client) -> None:
    assert (await client("GET", "/_cluster/health")).json == {
        "cluster_name": "esa",
        "status": "yellow",
        "timed_out": False,
        "number_of_nodes": 1,
        "number_of_data_nodes": 1,
        "active_primary_shards": 2,
        "active_shards": 2,
        "relocating_shards": 0,
        "initializing_shards": 0,
        "unassigned_shards": 1,
        "unassigned_primary_shards": 0,
        "delayed_unassigned_shards": 0,
        "number_of_pending_tasks": 0,
        "number_of_in_flight_fetch": 0,
        "task_max_waiting_in_queue_millis": 0,
        "active_shards_percent_as_number": pytest.approx(66.66666666666667),
    }
    by_index = (await client("GET", "/_cluster/health/rest_b?level=indices")).json
    assert by_index["status"] == "green"
    assert by_index["indices"]["rest_b"]["number_of_replicas"] == 0


async def test_health_is_red_with_an_index_that_could_not_be_opened() -> None:
    world = World(unopened=("uuid-of-broken",))
    world.indices.add("broken")
    async with world.serve() as client:
        body = (await client("GET", "/_cluster/health?level=shards")).json
    assert (body["status"], body["active_shards"]) == ("red", 0)
    assert (body["unassigned_primary_shards"], body["unassigned_shards"]) == (1, 2)
    assert body["indices"]["broken"]["shards"]["0"]["primary_active"] is False


@pytest.mark.parametrize(
    "target",
    [
        "/_cluster/health/nope?timeout=1ms",
        "/_cluster/health?wait_for_nodes=5&timeout=1ms",
        "/_cluster/health?wait_for_status=green&timeout=0s",
        "/_cluster/health?wait_for_active_shards=all&timeout=1ms",
    ],
)
async def test_what_health_waits_for_in_vain_is_a_408(client: Client, target: str) -> None:
    answer = await client("GET", target)
    assert answer.status == 408
    assert answer.json["timed_out"] is True
    assert answer.json["status"] == ("red" if "nope" in target else "yellow")
    kind = await client("GET", target + "&return_200_for_cluster_health_timeout=true")
    assert kind.status == 200


@pytest.mark.parametrize("wanted", [">=1", "<2", "1", "ge(1)", "le(1)"])
async def test_node_counts_may_be_ranges(client: Client, wanted: str) -> None:
    answer = await client("GET", f"/_cluster/health?wait_for_nodes={wanted}&timeout=1ms")
    assert answer.status == 200


async def test_settings_go_to_the_registry_as_they_are(client: Client) -> None:
    flat = await client("GET", "/_cluster/settings?flat_settings")
    assert flat.json["persistent"] == {"flat": True}
    body = {"persistent": {"cluster.remote.a.seeds": ["127.0.0.1:9"]}}
    answer = await client("PUT", "/_cluster/settings", body)
    assert answer.json["acknowledged"] is True
    assert client.world.settings.updates == [body]
    assert_error(
        await client("PUT", "/_cluster/settings", b"[1]"),
        400,
        "action_request_validation_exception",
        "Validation Failed: 1: no settings to update;",
    )
    assert_error(
        await client("PUT", "/_cluster/settings"),
        400,
        "parse_exception",
        "request body is required",
    )


async def test_remote_info_nodes_and_tasks(client: Client) -> None:
    assert (await client("GET", "/_remote/info")).json["rb"]["mode"] == "sniff"
    nodes = (await client("GET", "/_nodes/_local")).json
    assert nodes["_nodes"] == {"total": 1, "successful": 1, "failed": 0}
    (node,) = nodes["nodes"].values()
    assert node["http"]["publish_address"] == "127.0.0.1:9200"
    assert (await client("GET", "/_nodes/elsewhere")).json["nodes"] == {}
    tasks = (await client("GET", "/_tasks?actions=*lists&group_by=none")).json["tasks"]
    assert [task["action"] for task in tasks] == ["cluster:monitor/tasks/lists"]
    by_node = (await client("GET", "/_tasks?detailed")).json["nodes"]
    assert list(by_node) == ["Y0qRIbCvTaaZIOPTF0X_NQ"]
    assert_error(
        await client("GET", "/_tasks/abc:1"),
        404,
        "resource_not_found_exception",
        "task [abc:1] belongs to the node [abc] which isn't part of the cluster and there is no record "
        "of the task",
    )


# -- indices -----------------------------------------------------------------------------------------------------


async def test_an_index_is_made_shown_and_removed(client: Client) -> None:
    made = await client("PUT", "/new", {"settings": {"number_of_shards": 1}})
    assert made.json == {"acknowledged": True, "shards_acknowledged": True, "index": "new"}
    shown = (await client("GET", "/new?flat_settings")).json["new"]
    assert shown["mappings"] == {"properties": {"a": {"type": "long"}}}
    assert list(shown["settings"]) == sorted(shown["settings"])
    assert (await client("HEAD", "/new")).status == 200
    assert (await client("DELETE", "/new")).json == {"acknowledged": True}
    assert (await client("HEAD", "/new")).status == 404
    assert_error(
        await client("GET", "/new"), 404, "index_not_found_exception", "no such index [new]"
    )


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "kind", "reason"),
    [
        ("PUT", "/d", b'{"foo":1}', 400, "parse_exception", "unknown key [foo] for create index"),
        ("PUT", "/d", b"[]", 500, "not_x_content_exception",
         "Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes"),
        ("PUT", "/rest_a/_mapping", b"", 400, "parse_exception", "request body is required"),
        ("PUT", "/rest_a/_settings", b"", 400, "parse_exception", "request body is required"),
        ("PUT", "/rest_a/_settings", b"{}", 400, "action_request_validation_exception",
         "Validation Failed: 1: no settings to update;"),
        ("GET", "/rest_a?features=zz", b"", 400, "illegal_argument_exception",
         "Invalid features specified [zz]"),
        ("POST", "/rest_a/_flush?force=true&wait_if_ongoing=false", b"", 400,
         "action_request_validation_exception",
         "Validation Failed: 1: wait_if_ongoing must be true for a force flush;"),
    ],
)  # fmt: skip
async def test_bad_requests_on_indices(
    client: Client, method: str, target: str, body: bytes, status: int, kind: str, reason: str
) -> None:
    assert_error(await client(method, target, body), status, kind, reason)


async def test_settings_are_nested_flat_picked_or_with_defaults(client: Client) -> None:
    nested = (await client("GET", "/rest_b/_settings")).json["rest_b"]
    assert nested["settings"]["index"]["number_of_replicas"] == "0"
    picked = await client("GET", "/rest_b/_settings/index.number*?flat_settings=true")
    assert picked.json["rest_b"]["settings"] == {
        "index.number_of_replicas": "0",
        "index.number_of_shards": "1",
    }
    defaults = await client(
        "GET", "/rest_b?include_defaults&filter_path=*.defaults.index.refresh_interval"
    )
    assert defaults.json == {"rest_b": {"defaults": {"index": {"refresh_interval": "1s"}}}}
    await client("PUT", "/rest_b/_settings", {"index": {"refresh_interval": "5s"}})
    assert client.world.indices.settings_changes == [{"index.refresh_interval": "5s"}]


async def test_refresh_counts_every_copy_and_the_ones_there_are(client: Client) -> None:
    answer = await client("POST", "/_refresh")
    assert answer.json == {"_shards": {"total": 3, "successful": 2, "failed": 0}}
    assert client.world.indices.refreshed == ["rest_a", "rest_b"]
    assert (await client("GET", "/rest_b/_flush")).json["_shards"]["total"] == 1


# -- aliases -----------------------------------------------------------------------------------------------------


async def test_aliases_are_shown_by_index_and_by_name(client: Client) -> None:
    shown = {"filter": {"term": {"a": 1}}, "index_routing": "x", "search_routing": "x"}
    every = (await client("GET", "/_alias")).json
    assert every == {"rest_a": {"aliases": {}}, "rest_b": {"aliases": {"rest_z": shown}}}
    assert (await client("GET", "/_alias/rest_z")).json == {
        "rest_b": {"aliases": {"rest_z": shown}}
    }
    partly = await client("GET", "/_alias/nope,rest_z")
    assert partly.status == 404
    assert partly.json["error"] == "alias [nope] missing"
    assert partly.json["rest_b"] == {"aliases": {"rest_z": shown}}
    assert (await client("GET", "/_alias/a,b")).json == {
        "error": "aliases [a,b] missing",
        "status": 404,
    }
    assert (await client("GET", "/_alias/nope*")).json == {}
    assert (await client("HEAD", "/_alias/nope")).status == 404


async def test_alias_actions_are_read_in_all_their_spellings(client: Client) -> None:
    body = {
        "actions": [
            {"add": {"index": "a", "alias": "x", "filter": {"term": {"a": 1}}, "routing": "r"}},
            {"remove": {"indices": ["a", "b"], "aliases": ["x", "y"], "must_exist": False}},
            {"remove_index": {"index": "c"}},
        ]
    }
    assert (await client("POST", "/_aliases", body)).json == {"acknowledged": True, "errors": False}
    await client("PUT", "/a/_alias/one", {"is_write_index": True})
    await client("DELETE", "/a/_alias/one,two")
    add, remove, index, put, delete = client.world.indices.alias_actions
    assert (add.index_routing, add.search_routing) == ("r", "r")
    assert (remove.indices, remove.aliases, remove.must_exist) == (("a", "b"), ("x", "y"), False)
    assert (index.kind, index.indices) == ("remove_index", ("c",))
    assert (put.aliases, put.is_write_index) == (("one",), True)
    assert (delete.kind, delete.aliases) == ("remove", ("one", "two"))


@pytest.mark.parametrize(
    ("body", "kind", "reason", "root"),
    [
        (b"", "parse_exception", "request body is required", None),
        (b'{"actions":[]}', "illegal_argument_exception", "No action specified", None),
        (b'{"actions":[{"zap":{"index":"rest_b","alias":"rest_z"}}]}', "x_content_parse_exception",
         "[1:20] [aliases] failed to parse field [actions]",
         "[1:14] [alias_action] unknown field [zap]"),
        (b'{"actions":[{"add":{"alias":"rest_z"}}]}', "x_content_parse_exception",
         "[1:39] [aliases] failed to parse field [actions]",
         "[1:39] [aliases] failed to parse field [actions]"),
        (b'{"actions":[{"add":{"indices":["rest_b"],"aliases":["rest_z1","rest_z2"],"foo":1}}]}',
         "x_content_parse_exception", "[1:80] [aliases] failed to parse field [actions]",
         "[1:74] [add] unknown field [foo]"),
    ],
)  # fmt: skip
async def test_bad_alias_actions_are_refused(
    client: Client, body: bytes, kind: str, reason: str, root: str | None
) -> None:
    error = assert_error(await client("POST", "/_aliases", body), 400, kind, reason)
    if root is not None:
        assert error["root_cause"][0]["reason"] == root


# -- tables ------------------------------------------------------------------------------------------------------


async def test_the_indices_table(client: Client) -> None:
    answer = await client("GET", "/_cat/indices?v")
    assert answer.headers["content-type"] == "text/plain; charset=UTF-8"
    assert answer.text == (
        "health status index  uuid           pri rep docs.count docs.deleted store.size pri.store.size dataset.size\n"
        "yellow open   rest_a uuid-of-rest_a   1   1          1            0      3.7kb          3.7kb        3.7kb\n"
        "green  open   rest_b uuid-of-rest_b   1   0          1            0      3.7kb          3.7kb        3.7kb\n"
    )


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("v&h=index,docs.count,health&s=index:desc",
         "index  docs.count health\nrest_b          1 green\nrest_a          1 yellow\n"),
        ("v&h=i,dc", "i      dc\nrest_a  1\nrest_b  1\n"),
        ("bytes=b&v&h=index,store.size,nope", "index  store.size\nrest_a       3796\nrest_b       3796\n"),
        ("h=nope", "\n\n"),
        ("h=docs*&v", "docs.count docs.deleted\n         1            0\n         1            0\n"),
        ("health=green&h=index", "rest_b\n"),
    ],
)  # fmt: skip
async def test_columns_are_chosen_sorted_and_named_as_asked(
    client: Client, query: str, text: str
) -> None:
    assert (await client("GET", f"/_cat/indices?{query}")).text == text


async def test_tables_as_objects_and_their_help(client: Client) -> None:
    objects = await client("GET", "/_cat/indices/rest_b?format=json&h=index,pri")
    assert objects.json == [{"index": "rest_b", "pri": "1"}]
    media = "application/json"
    assert (await client("GET", "/_cat/health", headers={"accept": media})).json[0]["shards"] == "2"
    text = await client("GET", "/_cat/indices?format=yaml&h=index")
    assert text.text == '---\n- index: "rest_a"\n- index: "rest_b"\n'
    help_ = await client("GET", "/_cat/health?help")
    assert help_.text.startswith(
        "epoch                 | t,time                                               | "
        "seconds since 1970-01-01 00:00:00  \n"
    )
    assert_error(
        await client("GET", "/_cat/indices?s=nope"),
        400,
        "illegal_argument_exception",
        "Unable to sort by unknown sort key `nope`",
    )


async def test_the_tables_of_nodes_and_health(client: Client) -> None:
    nodes = await client("GET", "/_cat/nodes?v")
    assert nodes.text == (
        "ip        heap.percent ram.percent cpu load_1m load_5m load_15m node.role master name\n"
        "127.0.0.1           50           9  16    0.37    0.30     0.40 dimr      *      esa-0\n"
    )
    health = await client("GET", "/_cat/health?v&ts=false")
    assert health.text == (
        "cluster status node.total node.data shards pri relo init unassign unassign.pri pending_tasks "
        "max_task_wait_time active_shards_percent\n"
        "esa     yellow          1         1      2   2    0    0        1            0             0 "
        "                 -                 66.7%\n"
    )
    stamped = await client("GET", "/_cat/health?h=epoch")
    assert stamped.text == f"{NOW_MS // 1000}\n"
    assert "/_cat/indices/{index}\n" in (await client("GET", "/_cat")).text


def test_the_machines_load_is_in_percent() -> None:
    load = machine_load()
    for figure in (load.memory_percent, load.ram_percent, load.cpu_percent):
        assert figure is None or 0 <= figure <= 100


async def test_indices_are_closed_and_opened(client: Client) -> None:
    closed = (await client("POST", "/rest_a/_close")).json
    assert closed == {
        "acknowledged": True,
        "shards_acknowledged": True,
        "indices": {"rest_a": {"closed": True}},
    }
    again = (await client("POST", "/rest_a/_close?wait_for_active_shards=index-setting")).json
    assert again == {"acknowledged": True, "shards_acknowledged": False, "indices": {}}
    opened = (await client("POST", "/rest_a/_open")).json
    assert opened == {"acknowledged": True, "shards_acknowledged": True}


async def test_index_options_are_flags_that_name_themselves(client: Client) -> None:
    for value in ("maybe", ""):
        answer = await client("GET", f"/rest_a/_mapping?ignore_unavailable={value}")
        error = answer.json["error"]
        assert error["reason"] == "Could not convert [ignore_unavailable] to boolean"
        assert error["caused_by"]["reason"] == (
            f"Failed to parse value [{value}] as only [true] or [false] are allowed."
        )


@pytest.mark.parametrize(("gap", "column"), [("", 23), (" ", 24), ("  ", 25)])
async def test_an_unknown_alias_action_is_placed_at_its_value(
    client: Client, gap: str, column: int
) -> None:
    body = f'{{"actions":[{{"rename":{gap}{{}}}}]}}'.encode()
    error = (await client("POST", "/_aliases", body)).json["error"]
    assert error["reason"] == f"[1:{column}] [aliases] failed to parse field [actions]"


NOT_OPEN = NoShardAvailable(IOFailure("no space left"))


async def test_an_index_that_could_not_be_opened_is_listed_red_without_figures() -> None:
    world = World(unopened=("uuid-of-broken",))
    world.indices.add("broken")
    world.indices.add("whole")
    world.indices.failing["broken"] = NOT_OPEN
    async with world.serve() as client:
        rows = (await client("GET", "/_cat/indices?format=json")).json
        red = (await client("GET", "/_cat/indices?format=json&health=red")).json
        refreshed = (await client("POST", "/_refresh")).json
    by_name = {row["index"]: row for row in rows}
    assert by_name["broken"]["health"] == "red"
    assert by_name["broken"]["docs.count"] is None
    assert by_name["broken"]["store.size"] is None
    assert by_name["whole"]["docs.count"] == "1"
    assert [row["index"] for row in red] == ["broken"]
    assert refreshed["_shards"] == {"total": 4, "successful": 1, "failed": 0}


async def test_an_index_deleted_while_it_is_shown_is_left_out() -> None:
    world = World()
    world.indices.add("gone")
    world.indices.add("whole")
    world.indices.failing["gone"] = IndexNotFound("uuid-of-gone")
    async with world.serve() as client:
        rows = (await client("GET", "/_cat/indices?format=json")).json
        refreshed = await client("POST", "/_refresh")
    assert [row["index"] for row in rows] == ["whole"]
    assert refreshed.status == 200
