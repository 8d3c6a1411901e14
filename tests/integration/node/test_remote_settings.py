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
