"""What is refused before, or instead of, the plain denial: against the answers of 8.19.0, on a real node."""

from collections.abc import Iterator
from typing import Any

import pytest

from sealane.testing import secured
from sealane.testing.process import Answer, NodeProcess, basic

PASSWORD = "refused-password"
LIMITED = (
    "Alias requests are not allowed for users who have field or document level security enabled on "
    "one of the indices"
)
EXCEEDS = (
    "Adding an alias is not allowed when the alias has more permissions than any of the indices"
)
WILDCARDS = "Wildcard expressions or all indices are not allowed"
SOME = {"term": {"n": 1}}
ROLES: dict[str, list[dict[str, Any]]] = {
    "nothing": [],
    "views": [{"names": ["docs-*"], "privileges": ["read", "view_index_metadata"]}],
    "some_documents": [
        {"names": ["docs-1", "extra*"], "privileges": ["all"], "query": SOME},
        {"names": ["docs-2"], "privileges": ["all"]},
    ],
    "some_fields": [
        {"names": ["docs-1"], "privileges": ["all"], "field_security": {"grant": ["n"]}},
        {"names": ["extra*"], "privileges": ["all"]},
    ],
    "manages": [
        {"names": ["docs-1"], "privileges": ["manage"]},
        {"names": ["extra-all"], "privileges": ["all"]},
        {"names": ["extra-manage"], "privileges": ["manage"]},
        {"names": ["extra-view"], "privileges": ["manage", "view_index_metadata"]},
    ],
    "until_now": [
        {"names": ["docs-1"], "privileges": ["read"], "query": {"range": {"when": {"lte": "now"}}}}
    ],
    "until_then": [
        {
            "names": ["docs-1"],
            "privileges": ["read"],
            "query": {"range": {"when": {"lte": "2024-01-02||+1d"}}},
        }
    ],
}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    folder = tmp_path_factory.mktemp("refused")
    here, _ = secured.by_key(folder / "certs")
    with secured.node("here", folder, **here) as node:
        for index in ("docs-1", "docs-2"):
            node.call("PUT", f"/{index}", {"mappings": {"properties": {"when": {"type": "date"}}}})
            node.call("PUT", f"/{index}/_doc/1?refresh=true", {"n": 1, "when": "2024-01-01"})
        for name, entries in ROLES.items():
            node.call("PUT", f"/_security/role/{name}", {"indices": entries})
            node.call("PUT", f"/_security/user/{name}", {"password": PASSWORD, "roles": [name]})
        yield node


def ask(node: NodeProcess, who: str, method: str, path: str, body: Any = None) -> Answer:
    return node.request(method, path, body, {"Authorization": basic(who, PASSWORD)})


def reason(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body["error"]["reason"]


def added(index: str, alias: str) -> dict[str, Any]:
    return {"actions": [{"add": {"index": index, "alias": alias}}]}


@pytest.mark.parametrize("who", ["some_documents", "some_fields"])
def test_who_sees_a_part_gives_no_other_name_to_an_index(node: NodeProcess, who: str) -> None:
    """By another name there might be no limits."""
    for index in ("docs-1", "docs-*"):
        answer = ask(node, who, "POST", "/_aliases", added(index, "extra-1"))
        assert reason(answer) == (400, LIMITED)
        assert answer.body["error"]["type"] == "security_exception"
    assert reason(ask(node, who, "PUT", "/docs-1/_alias/extra-1")) == (400, LIMITED)
    assert node.request("GET", "/_alias/extra-1").status == 404


def test_where_nothing_is_hidden_a_name_may_be_given(node: NodeProcess) -> None:
    by = "some_documents"
    assert ask(node, by, "POST", "/_aliases", added("docs-2", "extra-2")).status == 200
    gone = {"actions": [{"remove": {"index": "docs-2", "alias": "extra-2"}}]}
    assert ask(node, by, "POST", "/_aliases", gone).status == 200
    assert ask(node, by, "PUT", "/docs-1/_alias/other").status == 403


def test_nobody_gains_by_a_new_name(node: NodeProcess) -> None:
    """Who may do more by an alias than on the index may not give it that alias."""
    assert ask(node, "manages", "GET", "/docs-1/_search").status == 403
    for method, path, body in (
        ("POST", "/_aliases", added("docs-1", "extra-all")),
        ("PUT", "/docs-1/_alias/extra-all", None),
    ):
        assert reason(ask(node, "manages", method, path, body)) == (403, EXCEEDS)
    assert ask(node, "manages", "GET", "/extra-all/_search").status == 404
    for alias in ("extra-manage", "extra-view"):
        assert ask(node, "manages", "POST", "/_aliases", added("docs-1", alias)).status == 200


@pytest.mark.parametrize("path", ["/_all", "/private*", "/private*,-private*", "/*"])
@pytest.mark.parametrize("who", ["nothing", "views"])
def test_wildcards_that_destroy_are_refused_whoever_asks(
    node: NodeProcess, who: str, path: str
) -> None:
    for method, end in (("DELETE", ""), ("POST", "/_close"), ("POST", "/_open")):
        assert reason(ask(node, who, method, path + end)) == (400, WILDCARDS)


def test_plain_names_that_destroy_are_denied(node: NodeProcess) -> None:
    for method, path in (("DELETE", "/docs-1"), ("POST", "/docs-1/_close"), ("DELETE", "/x,-y")):
        assert ask(node, "nothing", method, path).status == 403
    assert node.request("HEAD", "/docs-1").status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/_alias/nope", 403),
        ("/_alias/nope,docs-x", 403),
        ("/docs-1/_alias/nope", 403),
        ("/_alias/docs-x", 404),
        ("/docs-1/_alias/docs-x", 404),
        ("/_alias/n*", 200),
        ("/_alias/_all", 200),
        ("/_alias/-nope", 404),
        ("/nope*/_alias/nope", 404),
    ],
)
def test_an_alias_that_may_not_be_looked_at_is_denied_be_there_one_or_not(
    node: NodeProcess, path: str, status: int
) -> None:
    answer = ask(node, "views", "GET", path)
    assert answer.status == status
    if status == 403:
        assert " on indices " not in answer.body["error"]["reason"]


def test_what_may_be_seen_does_not_depend_on_the_time(node: NodeProcess) -> None:
    """X-34: a role's query with `now` shows nothing, to no kind of request."""
    cause = "permission filters are not allowed to use the current timestamp"
    searched = ask(node, "until_now", "POST", "/docs-1/_search", {"size": 1})
    assert reason(searched) == (400, "all shards failed")
    assert cause in str(searched.body)
    for method, path in (("GET", "/docs-1/_count"), ("GET", "/docs-1/_doc/1")):
        assert ask(node, "until_now", method, path).status == 400
    assert ask(node, "until_then", "GET", "/docs-1/_count").body["count"] == 1
