"""Security of a cluster of two processes: the node without data asks the one that keeps users, roles and keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sealane.testing.process import NodeProcess, basic

PASSWORD = "changeme-1"
ANN = {"Authorization": basic("ann", "secret1")}


class Members:
    """`d` holds the data, `g` has joined it."""

    def __init__(self, d: NodeProcess, g: NodeProcess) -> None:
        self.d = d
        self.g = g

    def done(self, node: NodeProcess, method: str, path: str, body: Any = None) -> Any:
        answer = node.request(method, path, body)
        assert answer.status in (200, 201), answer
        return answer.body

    def status(self, headers: dict[str, str], path: str = "/logs/_search") -> int:
        """Of a request to the node without data."""
        return self.g.request("GET", path, headers=headers).status


@pytest.fixture
def members(tmp_path: Path) -> Iterator[Members]:
    (tmp_path / "d").mkdir()
    (tmp_path / "g").mkdir()
    with (
        NodeProcess("c", tmp_path / "d", password=PASSWORD) as d,
        NodeProcess(
            "c",
            tmp_path / "g",
            password=PASSWORD,
            node__roles="remote_cluster_client",
            discovery__seed_hosts=d.transport,
        ) as g,
    ):
        made = Members(d, g)
        made.done(d, "PUT", "/logs/_doc/1?refresh=true", {"n": 1})
        made.done(d, "PUT", "/private/_doc/1?refresh=true", {"n": 1})
        entry = {"names": ["logs"], "privileges": ["read"]}
        made.done(g, "PUT", "/_security/role/r", {"cluster": ["monitor"], "indices": [entry]})
        made.done(g, "PUT", "/_security/user/ann", {"password": "secret1", "roles": ["r"]})
        yield made


@pytest.mark.slow
def test_changes_hold_on_every_node_with_the_next_request(members: Members) -> None:
    """T-35, X-65, X-86: of users, roles and keys."""
    d, g = members.d, members.g
    assert members.status(ANN) == 200
    assert members.status(ANN, "/private/_search") == 403
    assert members.status(ANN, "/_remote/info") == 200
    assert members.status(ANN, "/_security/user") == 403
    assert members.status({"Authorization": basic("ann", "wrong-1")}) == 401
    members.done(d, "PUT", "/_security/user/ann/_disable")
    assert members.status(ANN) == 401
    members.done(d, "PUT", "/_security/user/ann/_enable")
    assert members.status(ANN) == 200
    members.done(d, "PUT", "/_security/role/r", {"cluster": ["monitor"]})
    assert members.status(ANN) == 403
    made = members.done(g, "POST", "/_security/api_key", {"name": "k"})
    key = {"Authorization": "ApiKey " + made["encoded"]}
    assert members.status(key) == 200
    members.done(d, "DELETE", "/_security/api_key", {"ids": [made["id"]]})
    assert members.status(key) == 401


@pytest.mark.slow
def test_a_refusal_is_the_same_on_every_node(members: Members) -> None:
    """X-89: body and headers."""
    for headers in ({"Authorization": basic("ann", "wrong-1")}, {"Authorization": "ApiKey x"}):
        there, here = [
            node.request("GET", "/logs/_search", headers=headers) for node in (members.d, members.g)
        ]
        assert (here.status, here.body) == (there.status, there.body)
        assert here.headers["www-authenticate"] == there.headers["www-authenticate"]
    path = "/private/_search"
    there, here = [node.request("GET", path, headers=ANN) for node in (members.d, members.g)]
    assert (here.status, here.body) == (there.status, there.body)
