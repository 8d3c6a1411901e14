"""Remote clusters through a real node's settings: from its file, through the API, and what `_remote/info` says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sealane.testing.process import NodeFailedError, NodeProcess

from .conftest import Fill

NOWHERE = "127.0.0.1:1"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A node whose file names a remote that cannot be reached, and an attribute of a transport."""
    settings = {"cluster.remote.gone.seeds": NOWHERE}
    with NodeProcess("alone", tmp_path_factory.mktemp("alone"), **settings) as node:
        yield node


def put(node: NodeProcess, **settings: Any) -> Any:
    """A change of `cluster.remote.*`; `b__seeds` is the key `cluster.remote.b.seeds`."""
    flat = {f"cluster.remote.{key.replace('__', '.')}": value for key, value in settings.items()}
    return node.request("PUT", "/_cluster/settings", {"persistent": flat})


def test_a_node_starts_though_a_remote_of_its_file_is_away(node: NodeProcess) -> None:
    """C-34."""
    info = node.call("GET", "/_remote/info")
    assert info["gone"]["connected"] is False
    assert info["gone"]["seeds"] == [NOWHERE]


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("cluster.remote.b.seeds", "nohost", "nohost"),
        ("cluster.remote.b.mode", "foo", "ConnectionStrategy.FOO"),
        ("cluster.remote.b.foo", "1", "unknown setting [cluster.remote.b.foo]"),
        ("cluster.remote.b.skip_unavailable", "true", "skip_unavailable"),
    ],
)
def test_a_node_does_not_start_with_a_bad_remote(
    tmp_path: Path, key: str, value: str, reason: str
) -> None:
    """C-34: it says why."""
    with pytest.raises(NodeFailedError) as failed:
        NodeProcess("bad", tmp_path, **{key: value}).start()
    assert reason in str(failed.value)
    assert "Traceback" not in str(failed.value)


def test_what_remote_info_refuses(node: NodeProcess) -> None:
    """C-80."""
    unknown = node.request("GET", "/_remote/info?foo=1")
    assert unknown.status == 400
    assert unknown.body["error"]["reason"] == (
        "request [/_remote/info] contains unrecognized parameter: [foo]"
    )
    posted = node.request("POST", "/_remote/info")
    headers = {name.lower(): value for name, value in posted.headers.items()}
    assert (posted.status, headers["allow"]) == (405, "GET")
    assert posted.body == {
        "error": "Incorrect HTTP method for uri [/_remote/info] and method [POST], allowed: [GET]",
        "status": 405,
    }
    below = node.request("GET", "/_remote/info/x")
    assert below.status == 400
    assert below.body == {"error": "no handler found for uri [/_remote/info/x] and method [GET]"}


def test_remote_info_can_be_filtered(node: NodeProcess) -> None:
    """C-81."""
    filtered = node.call("GET", "/_remote/info?filter_path=*.connected")
    assert filtered["gone"] == {"connected": False}


def test_a_setting_that_is_refused_leaves_what_was_in_force(node: NodeProcess) -> None:
    """S-82: an invalid address beside a change of skip_unavailable changes neither."""
    assert put(node, b__seeds=[NOWHERE], b__skip_unavailable=False).status == 200
    refused = put(node, b__seeds=["nohost"], b__skip_unavailable=True)
    assert refused.status == 400
    info = node.call("GET", "/_remote/info")["b"]
    assert (info["seeds"], info["skip_unavailable"]) == ([NOWHERE], False)
    assert put(node, b__seeds=None, b__skip_unavailable=None).status == 200
    assert "b" not in node.call("GET", "/_remote/info")


def test_an_alias_with_settings_of_its_transport_can_be_removed(node: NodeProcess) -> None:
    """C-110, C-25: all its keys at once; the other aliases stay."""
    keys = {
        "c__seeds": [NOWHERE],
        "c__transport.ping_schedule": "5s",
        "c__transport.compress": True,
    }
    assert put(node, **keys).status == 200
    assert "c" in node.call("GET", "/_remote/info")
    assert put(node, **{"c.*": None}).status == 200
    assert "c" not in node.call("GET", "/_remote/info")
    assert "gone" in node.call("GET", "/_remote/info")
    stored = node.call("GET", "/_cluster/settings?flat_settings=true")["persistent"]
    assert [key for key in stored if key.startswith("cluster.remote.c.")] == []


def test_keys_of_proxy_mode_are_refused_in_sniff_mode(node: NodeProcess) -> None:
    """C-15: keys of proxy mode need that mode."""
    for key, value in (("server_name", "x"), ("proxy_socket_connections", 2)):
        refused = put(node, **{"d__seeds": [NOWHERE], f"d__{key}": value})
        assert refused.status == 400, key
        assert refused.body["error"]["type"] == "illegal_argument_exception"
        assert refused.body["error"]["reason"] == (
            f'Setting "cluster.remote.d.{key}" cannot be used with the configured "cluster.remote.d.mode" '
            "[required=PROXY, configured=SNIFF]"
        )


def test_searching_a_remote_that_is_away(node: NodeProcess, fill: Fill) -> None:
    """C-73, C-74, S-66: the reason names the alias."""
    fill(node, "here", [{"n": 1}])
    answer = node.call("POST", "/here,gone:x/_search")
    assert answer["hits"]["total"]["value"] == 1
    detail = answer["_clusters"]["details"]["gone"]
    assert detail["status"] == "skipped"
    assert "[gone]" in str(detail["failures"][0]["reason"])


def test_a_node_without_the_role_knows_no_remotes(tmp_path: Path, fill: Fill) -> None:
    """S-27, C-61."""
    with NodeProcess("plain", tmp_path, **{"node.roles": "data,master"}) as node:
        fill(node, "here", [{"n": 1}])
        refused = node.request("POST", "/here,eu:x/_search", {})
        assert refused.status == 400
        assert refused.body["error"]["type"] == "illegal_argument_exception"
        assert refused.body["error"]["reason"] == (
            "node [plain-1] does not have the remote cluster client role enabled"
        )
        assert node.request("GET", "/_remote/info").status == 400
        assert put(node, eu__seeds=[NOWHERE]).status == 200
        assert node.call("POST", "/here/_count")["count"] == 1


def test_what_is_wrong_is_told_with_the_scope_that_holds_it(node: NodeProcess) -> None:
    """The rules are checked over file, persistent and transient settings together."""
    refused = put(node, gone__mode="proxy", gone__proxy_address=NOWHERE)
    assert refused.status == 400
    assert refused.body["error"]["reason"] == (
        'Setting "cluster.remote.gone.seeds" cannot be used with the configured "cluster.remote.gone.mode" '
        "[required=SNIFF, configured=PROXY] [cluster.remote.gone.seeds] is set in the node's file."
    )
    assert put(node, gone__skip_unavailable=False).status == 200
    shown = node.call("GET", "/_remote/info?verbose=true")["gone"]
    assert (shown["skip_unavailable"], shown["skip_unavailable_origin"]) == (False, "persistent")
    assert put(node, gone__skip_unavailable=None).status == 200
    shown = node.call("GET", "/_remote/info?verbose=true")["gone"]
    assert (shown["skip_unavailable"], shown["skip_unavailable_origin"]) == (True, "default")


def test_several_keys_of_several_aliases_in_one_request(node: NodeProcess) -> None:
    """One of them bad, and none is taken; all good, and all are."""
    keys = {
        "m1__seeds": [NOWHERE],
        "m1__skip_unavailable": False,
        "m2__mode": "proxy",
        "m2__proxy_address": NOWHERE,
        "m2__proxy_socket_connections": 2,
    }
    assert put(node, **keys, m3__seeds=["nohost"]).status == 400
    assert not {"m1", "m2", "m3"} & set(node.call("GET", "/_remote/info"))
    assert put(node, **keys).status == 200
    info = node.call("GET", "/_remote/info")
    assert info["m1"]["skip_unavailable"] is False
    assert info["m2"]["max_proxy_socket_connections"] == 2
    assert put(node, **{"m*": None}).status == 200
    assert not {"m1", "m2"} & set(node.call("GET", "/_remote/info"))


def test_the_attribute_as_documented_is_refused_with_what_to_set(tmp_path: Path) -> None:
    """Elastic's page says to set `cluster.remote.node.attr.gateway: true`; the reference refuses it too."""
    settings = {"cluster.remote.node.attr.gateway": "true"}
    with pytest.raises(NodeFailedError) as failed:
        NodeProcess("bad", tmp_path, **settings).start()
    assert "[cluster.remote.node.attr: gateway] here" in str(failed.value)
    assert "[node.attr.gateway: true] on the remote's nodes" in str(failed.value)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("node.remote_cluster_client", "false", "unknown setting [node.remote_cluster_client]"),
        ("cluster.remote.connect", "false", "unknown setting [cluster.remote.connect]"),
        ("transport.profiles._remote_cluster.port", "9444", "use [remote_cluster.port]"),
        ("remote_cluster.publish_port", "-2", "must be >= -1"),
        ("remote_cluster.max_request_header_size", "1b", "must be >= [64b]"),
        ("cluster.remote.initial_connect_timeout", "5", "unit is missing or unrecognized"),
    ],
)
def test_a_node_does_not_start_with_what_the_reference_refuses(
    tmp_path: Path, key: str, value: str, reason: str
) -> None:
    with pytest.raises(NodeFailedError) as failed:
        NodeProcess("bad", tmp_path, **{key: value}).start()
    assert reason in str(failed.value)


def test_a_ready_node_has_tried_its_remotes(tmp_path: Path) -> None:
    """Who asks first finds what can be reached connected, and is not kept waiting by what cannot."""
    with NodeProcess("far", tmp_path / "far") as far:
        settings = {"cluster.remote.far.seeds": far.transport, "cluster.remote.gone.seeds": NOWHERE}
        with NodeProcess("near", tmp_path / "near", **settings) as near:
            info = near.call("GET", "/_remote/info")
            assert (info["far"]["connected"], info["gone"]["connected"]) == (True, False)
            assert "going on without them: [gone]" in near.log


def test_another_cluster_at_the_same_address_is_refused_after_a_restart(tmp_path: Path) -> None:
    """P18: the uuid of a remote is pinned in the node's data folder."""
    far = NodeProcess("far", tmp_path / "far").start()
    near = NodeProcess("near", tmp_path / "near", **{"cluster.remote.far.seeds": far.transport})
    port = far.transport.rpartition(":")[2]
    try:
        near.start()
        first = near.call("GET", "/_remote/info?verbose=true")["far"]
        assert first["cluster_name"] == "far"
        near.stop()
        far.stop()
        far = NodeProcess("far", tmp_path / "stranger", **{"transport.port": port}).start()
        near.start()
        shown = near.call("GET", "/_remote/info?verbose=true")["far"]
        assert shown["connected"] is False
        assert (
            f"expected remote cluster uuid [{first['cluster_uuid']}]"
            in shown["last_error"]["reason"]
        )
    finally:
        near.stop()
        far.stop()


def test_a_remote_with_the_manners_of_opensearch(tmp_path: Path) -> None:
    """C-35, C-72: not skipped by default, and then a 500 where the reference has a 502."""
    settings = {
        "http.face": "opensearch",
        "cluster.remote.gone.seeds": NOWHERE,
        "cluster.remote.soft.seeds": NOWHERE,
        "cluster.remote.soft.skip_unavailable": "true",
    }
    with NodeProcess("os", tmp_path, **settings) as node:
        info = node.call("GET", "/_remote/info")
        assert info["gone"]["skip_unavailable"] is False
        assert info["soft"]["skip_unavailable"] is True
        failed = node.request("POST", "/gone:x/_search", {})
        assert (failed.status, failed.body["status"]) == (500, 500)
        assert failed.body["error"]["type"] == "connect_transport_exception"
        assert node.request("POST", "/soft:x/_search", {}).status == 200
