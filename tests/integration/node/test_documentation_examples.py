"""The reference's documentation, as printed: its example of registering a remote has to work word for word."""

from pathlib import Path

import pytest

from sealane.testing.process import NodeProcess

PROXY_EXAMPLE = """
{
  "persistent": {
    "cluster": {
      "remote": {
        "my_remote_cluster": {
          "mode": "proxy",
          "proxy_address": "my.remote.cluster.example:9400", // any port that the proxy listens on
          "server_name": "my.remote.cluster.example"
        }
      }
    }
  }
}
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> NodeProcess:
    started = NodeProcess("docs", tmp_path_factory.mktemp("docs") / "node").start()
    yield started
    started.stop()


def put(node: NodeProcess, settings: object) -> None:
    node.call("PUT", "/_cluster/settings", settings)


def test_a_proxy_remote_with_a_comment_in_the_body(node: NodeProcess) -> None:
    """C-2, C-33: stored as printed, answered at once, shown as a remote that is not connected."""
    put(node, PROXY_EXAMPLE)
    info = node.call("GET", "/_remote/info")["my_remote_cluster"]
    assert list(info) == [
        "connected",
        "mode",
        "proxy_address",
        "server_name",
        "num_proxy_sockets_connected",
        "max_proxy_socket_connections",
        "initial_connect_timeout",
        "skip_unavailable",
    ]
    assert info["mode"] == "proxy"
    assert info["proxy_address"] == "my.remote.cluster.example:9400"
    assert info["server_name"] == "my.remote.cluster.example"
    assert info["max_proxy_socket_connections"] == 18
    put(node, {"persistent": {"cluster.remote.my_remote_cluster.*": None}})


def test_an_ipv6_address(node: NodeProcess) -> None:
    """C-10."""
    settings = {"mode": "proxy", "proxy_address": "[2001:db8::1]:9443"}
    put(node, {"persistent": {"cluster": {"remote": {"six": settings}}}})
    assert node.call("GET", "/_remote/info")["six"]["proxy_address"] == "[2001:db8::1]:9443"
    put(node, {"persistent": {"cluster.remote.six.*": None}})


def test_sniff_is_the_default_mode_with_a_list_of_seeds(node: NodeProcess) -> None:
    """C-1, C-78."""
    seeds = ["127.0.0.1:1", "127.0.0.1:2"]
    put(node, {"persistent": {"cluster": {"remote": {"sniffed": {"seeds": seeds}}}}})
    info = node.call("GET", "/_remote/info")["sniffed"]
    assert info == {
        "connected": False,
        "mode": "sniff",
        "seeds": seeds,
        "num_nodes_connected": 0,
        "max_connections_per_cluster": 3,
        "initial_connect_timeout": "30s",
        "skip_unavailable": True,
    }
    put(node, {"persistent": {"cluster.remote.sniffed.*": None}})


def test_any_port_is_accepted(node: NodeProcess) -> None:
    for port in (1, 80, 9300, 9443, 65535):
        put(node, {"persistent": {"cluster.remote.ports.seeds": [f"127.0.0.1:{port}"]}})
    put(node, {"persistent": {"cluster.remote.ports.*": None}})


def test_a_gateway_has_several_connections(clusters: tuple[NodeProcess, NodeProcess]) -> None:
    """Six TCP connections to a sniffed gateway; as many as asked for to a proxy's address."""
    europe, americas = clusters
    before = _sockets_to(americas)
    europe.call(
        "PUT",
        "/_cluster/settings",
        {
            "persistent": {
                "cluster.remote.twice.mode": "proxy",
                "cluster.remote.twice.proxy_address": americas.transport,
                "cluster.remote.twice.proxy_socket_connections": 4,
            }
        },
    )
    europe.call("POST", "/twice:*/_search")
    info = europe.call("GET", "/_remote/info")
    assert info["twice"]["num_proxy_sockets_connected"] == 4
    assert info["americas"]["num_nodes_connected"] == 1
    assert before == 6
    assert _sockets_to(americas) == 10
    europe.call("PUT", "/_cluster/settings", {"persistent": {"cluster.remote.twice.*": None}})


def _sockets_to(node: NodeProcess) -> int:
    """Established TCP connections whose remote end is the node's transport port."""
    port = int(node.transport.rpartition(":")[2])
    wanted = f":{port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    return sum(1 for row in rows if row[2].endswith(wanted) and row[3] == "01")
