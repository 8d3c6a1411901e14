"""A search from node to node through each proxy, everything started as users start it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from sealane.model.node import Address
from sealane.testing.process import NodeProcess
from tests.integration.proxies.conftest import StartProxy
from tests.integration.proxies.programs import Routes
from tests.integration.transport.certificates import Authority

TLS = "xpack.security.transport.ssl"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Callable[..., NodeProcess]]:
    """`node(name, **settings)`: a running node."""
    with ExitStack() as stack:

        def start(name: str, settings: dict[str, str]) -> NodeProcess:
            return stack.enter_context(NodeProcess(name, tmp_path / name, **settings))

        yield start


def tls_of(authority: Authority, *names: str) -> dict[str, str]:
    issued = authority.issue(*names)
    return {
        f"{TLS}.enabled": "true",
        f"{TLS}.key": str(issued.key),
        f"{TLS}.certificate": str(issued.certificate),
        f"{TLS}.certificate_authorities": str(authority.path),
    }


def register(near: NodeProcess, alias: str, **keys: Any) -> None:
    flat = {f"cluster.remote.{alias}.{key}": value for key, value in keys.items()}
    near.call("PUT", "/_cluster/settings", {"persistent": {**flat}})


def address_of(node: NodeProcess) -> Address:
    host, _, port = node.transport.rpartition(":")
    return Address(host, int(port))


def status(near: NodeProcess, alias: str) -> str:
    found = near.call("GET", f"/{alias}:*/_search")
    return str(found["_clusters"]["details"][alias]["status"])


def hits(near: NodeProcess, alias: str) -> list[str]:
    found = near.call("GET", f"/{alias}:*/_search")
    return [hit["_index"] for hit in found["hits"]["hits"]]


def eventually(true: Callable[[], bool]) -> None:
    for _ in range(400):
        if true():
            return
        sleep(0.05)
    raise AssertionError("it did not come true")


def test_search_through_a_proxy_that_dies_and_returns(
    start_proxy: StartProxy, node: Callable[..., NodeProcess]
) -> None:
    """C-57, C-62, C-63, C-73: exact sockets, skipped while it is away, back without a restart."""
    far, near = node("far", {}), node("near", {})
    far.call("PUT", "/cities/_doc/1?refresh=true", {"name": "Lima"})
    proxy = start_proxy(Routes(nodes=[address_of(far)]))
    register(
        near,
        "far",
        mode="proxy",
        proxy_address=str(proxy.address),
        proxy_socket_connections=4,
    )
    assert hits(near, "far") == ["far:cities"]
    info = near.call("GET", "/_remote/info")["far"]
    assert (info["connected"], info["max_proxy_socket_connections"]) == (True, 4)
    eventually(lambda: near.call("GET", "/_remote/info")["far"]["num_proxy_sockets_connected"] == 4)
    proxy.kill()
    eventually(lambda: not near.call("GET", "/_remote/info")["far"]["connected"])
    assert status(near, "far") == "skipped"
    proxy.start()
    eventually(lambda: bool(near.call("GET", "/_remote/info")["far"]["connected"]))
    assert hits(near, "far") == ["far:cities"]


def test_two_clusters_behind_one_address(
    start_proxy: StartProxy, node: Callable[..., NodeProcess], authority: Authority
) -> None:
    """C-64: mutual TLS by settings, routed by server name."""
    east = node("east", tls_of(authority, "east.example", "127.0.0.1"))
    west = node("west", tls_of(authority, "west.example", "127.0.0.1"))
    near = node("near", tls_of(authority, "near.example", "127.0.0.1"))
    for each in (east, west):
        each.call("PUT", f"/{each.name}-cities/_doc/1?refresh=true", {"from": each.name})
    by_name = {"east.example": address_of(east), "west.example": address_of(west)}
    proxy = start_proxy(Routes(by_name=by_name))
    for name in ("east", "west", "north"):
        register(
            near,
            name,
            mode="proxy",
            proxy_address=str(proxy.address),
            server_name=f"{name}.example",
            proxy_socket_connections=2,
        )
    found = near.call("GET", "/east:*,west:*/_search?sort=from.keyword")
    assert [hit["_index"] for hit in found["hits"]["hits"]] == [
        "east:east-cities",
        "west:west-cities",
    ]
    assert status(near, "north") == "skipped"
    told = near.call("GET", "/_remote/info?verbose=true")["north"]["last_error"]
    assert "after a hello with server name [north.example]" in str(told)
