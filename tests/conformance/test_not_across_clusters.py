"""Which APIs name other clusters, and what the others answer: one test over the whole route table."""

from collections.abc import Iterator
from typing import Any

from sealane.rest.router import Route
from tests.conformance.conftest import Pair

AWARE = frozenset(
    {
        "/{index}/_search",
        "/{index}/_count",
        "/_cat/count/{index}",
        "/{index}/_msearch",
        "/{index}/_async_search",
        "/{index}/_field_caps",
        "/{index}/_terms_enum",
        "/{index}/_pit",
        "/{index}/_search/template",
        "/{index}/_msearch/template",
        "/_resolve/cluster/{index}",
        "/_resolve/index/{index}",
    }
)
"""Paths whose index may be of another cluster: the matrix of docs/search-apis.md."""

NO_INDEX = frozenset({"/_cluster/state/{metrics}/{index}"})
"""Paths whose index restricts what this version does not tell."""

BODIES: dict[str, Any] = {
    "/{index}": {},
    "/{index}/_bulk": b'{"index":{"_id":"1"}}\n{"a":1}\n',
    "/{index}/_mget": {"ids": ["1"]},
    "/{index}/_update/{id}": {"doc": {}},
    "/{index}/_delete_by_query": {"query": {"match_all": {}}},
    "/{index}/_settings": {"index.hidden": True},
    "/{index}/_mapping": {"properties": {}},
    "/{index}/_mappings": {"properties": {}},
    "/{index}/_analyze": {"text": "a"},
    "/{index}/_explain/{id}": {"query": {"match_all": {}}},
    "/{index}/_validate/query": {"query": {"match_all": {}}},
    "/{index}/_ccr/follow": {"remote_cluster": "nowhere", "leader_index": "i"},
    "/{index}/_ccr/resume_follow": {},
    "/{index}/_ccr/failback": {"remote_cluster": "nowhere", "leader_index": "i"},
    "/{index}/_ccr/forget_follower": {
        "follower_cluster": "c",
        "follower_index": "f",
        "follower_index_uuid": "u",
        "leader_remote_cluster": "r",
    },
}

IN_OTHER_WORDS: dict[str, str] = {
    "/{index}/_rollover": "rollover target [eu:i] does not exist",
    "/{index}/_rollover/{new_index}": "rollover target [eu:i] does not exist",
    "/{index}/_ccr/follow": "no such remote cluster: [nowhere]",
    **dict.fromkeys(
        (
            "/{index}/_ccr/pause_follow",
            "/{index}/_ccr/resume_follow",
            "/{index}/_ccr/unfollow",
            "/{index}/_ccr/failback",
            "/{index}/_ccr/forget_follower",
            "/{index}/_ccr/verify",
        ),
        "no such index [eu:i]",
    ),
}
"""Paths that the reference refuses so."""

CROSS = "Cross-cluster calls are not supported in this context but remote indices were requested: [eu:i]"
BAD_NAME = "Invalid index name [eu:i], must not contain ':'"
OWN_ITEM_STATUS = frozenset({"/{index}/_bulk", "/{index}/_mget"})
"""Their items fail one by one, within a 200."""


def _operations(routes: list[Route]) -> Iterator[tuple[str, str, Route]]:
    for route in routes:
        for path in route.paths:
            if "{index}" in path and path not in AWARE | NO_INDEX:
                for method in route.methods:
                    yield method, path, route


async def test_what_is_not_for_several_clusters_says_so(pair: Pair) -> None:
    """S-26: 400 "Cross-cluster calls are not supported", with ignore_unavailable too; nothing reaches the remote."""
    await pair.eu.fill("i", {"1": {"a": 1}})
    wrong: list[str] = []
    asked = 0
    for method, path, route in _operations(pair.local.routes):
        target = path.replace("{index}", "eu:i")
        for name, value in (
            ("id", "1"),
            ("name", "n"),
            ("fields", "a"),
            ("metrics", "docs"),
            ("new_index", "n"),
        ):
            target = target.replace(f"{{{name}}}", value)
        if "{" in target:
            target = target.partition("{")[0] + "1/1/1/1"
        known = {"a": 1} if method != "GET" and path not in IN_OTHER_WORDS else None
        body = BODIES.get(path, known) if route.body else None
        queries = ["", "?ignore_unavailable=true"] if "ignore_unavailable" in route.params else [""]
        for query in queries:
            asked += 1
            answer = await pair.local.request(method, target + query, body)
            problem = _problem(method, path, answer.status, answer.body)
            if problem:
                wrong.append(f"{method} {target}{query}: {problem}")
    assert not wrong, "\n".join(wrong)
    assert asked > 40
    assert pair.link.requests == 0


def _problem(method: str, path: str, status: int, body: Any) -> str:
    if method == "HEAD":
        return "" if status in (400, 404) else str(status)
    text = str(body)
    if path in IN_OTHER_WORDS:
        return "" if IN_OTHER_WORDS[path] in text else text
    refused = CROSS in text or BAD_NAME in text or "is not supported by this version" in text
    if path in OWN_ITEM_STATUS:
        return "" if refused else text
    return "" if status == 400 and refused else f"{status} {text}"
