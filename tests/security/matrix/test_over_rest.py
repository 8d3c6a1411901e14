"""The same matrix over REST: two clusters with security, one a remote of the other by a key, asked as each subject.

A denial is status 403 and nothing else. An index that does not exist, and what is refused for another reason, is no
denial: who may ask is told.
"""

from collections.abc import Iterator

import pytest

from sealane.testing import secured
from sealane.testing.process import Answer, NodeProcess, basic
from tests.security.matrix.model import (
    CROSSING,
    INDICES,
    KEYS,
    REMOTES,
    ROLES,
    USERS,
    Cell,
    cells,
)

PASSWORD = "matrix-password"
CELLS = sorted(cells(), key=lambda cell: cell.what == "drop")
"""What removes an index comes last; a name that is gone is still judged."""
_ALLOWED = (200, 201, 400, 404)


class World:
    """The local cluster, and how each subject shows who it is."""

    def __init__(self, local: NodeProcess, headers: dict[str, str]) -> None:
        self.local = local
        self.headers = headers

    def ask(self, cell: Cell) -> Answer:
        where = f"{cell.cluster}:{cell.index}" if cell.cluster else cell.index
        method, path, body = {
            "health": ("GET", "/_cluster/health", None),
            "users": ("PUT", "/_security/user/probe", {"password": PASSWORD, "roles": []}),
            "search": ("GET", f"/{where}/_search?size=0", None),
            "get": ("GET", f"/{where}/_doc/1", None),
            "index": ("PUT", f"/{where}/_doc/2", {"a": 1}),
            "delete": ("DELETE", f"/{where}/_doc/missing", None),
            "mapping": ("GET", f"/{where}/_mapping", None),
            "drop": ("DELETE", f"/{where}", None),
        }[cell.what]
        return self.local.request(method, path, body, {"Authorization": self.headers[cell.who]})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("matrix")
    here, there = secured.by_key(folder / "certs")
    with (
        secured.node("here", folder, **here) as local,
        secured.node("there", folder, **there) as remote,
    ):
        for each in (local, remote):
            _fill(each)
        _connect(local, remote)
        yield World(local, _subjects(local))


def _fill(node: NodeProcess) -> None:
    for index in INDICES:
        if not index.startswith("."):
            node.call("PUT", f"/{index}/_doc/1?refresh=true", {"a": 1})


def _connect(local: NodeProcess, remote: NodeProcess) -> None:
    key = secured.new_key(remote, {"search": [{"names": list(CROSSING)}]})
    for alias in REMOTES:
        secured.give_key(local, alias, key)
        told = {
            f"cluster.remote.{alias}.seeds": [remote.remote_cluster],
            f"cluster.remote.{alias}.skip_unavailable": False,
        }
        local.call("PUT", "/_cluster/settings", {"persistent": told})


def _subjects(local: NodeProcess) -> dict[str, str]:
    for name, role in ROLES.items():
        local.call("PUT", f"/_security/role/{name}", role.body())
    headers = {}
    for name, roles in USERS.items():
        local.call("PUT", f"/_security/user/{name}", {"password": PASSWORD, "roles": list(roles)})
        headers[name] = basic(name, PASSWORD)
    for name, key in KEYS.items():
        wanted = {
            "api_key": {
                "name": name,
                "role_descriptors": {} if key.role is None else {name: key.role.body()},
            },
            "grant_type": "password",
            "username": key.owner,
            "password": PASSWORD,
        }
        made = local.call("POST", "/_security/api_key/grant", wanted)
        headers[name] = f"ApiKey {made['encoded']}"
    return headers


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_answer_to_each_cell(world: World, cell: Cell) -> None:
    """X-32, X-33, X-34, X-36, X-39, X-41: the verdict is the model's, whatever else the answer is."""
    answer = world.ask(cell)
    if cell.allowed:
        assert answer.status in _ALLOWED, answer.body
    else:
        assert answer.status == 403, answer.body
        reason = answer.body["error"]["reason"]
        assert answer.body["error"]["type"] == "security_exception"
        assert "is unauthorized for" in reason
        assert "is granted by" in reason or "no remote indices privileges apply" in reason


def test_no_secret_is_in_the_log(world: World) -> None:
    """X-111: neither passwords nor keys."""
    text = world.local.log
    assert PASSWORD not in text
    for header in world.headers.values():
        assert header.split(" ")[1] not in text
