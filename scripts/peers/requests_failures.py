"""Shards and clusters that fail: what is partial, skipped or fatal, in both modes; and what `_tasks` refuses."""

from collections.abc import Iterator

from scripts.peers.request import CITIES, GONE, REMOTE, TRICKY, Request, search, there

_FAILS_ON_TRICKY = {
    "size": 3,
    "sort": [
        {"title": {"order": "asc", "unmapped_type": "keyword"}},
        {"population": {"order": "desc", "unmapped_type": "integer"}},
    ],
}
"""`title` is text there and unmapped among the cities, which the second key puts in order."""
_FAILS = {"query": {"range": {"tiny": {"gte": "x"}}}}

_TARGETS: list[tuple[str, str]] = [
    ("remote-alone", there(TRICKY)),
    ("remote-partly", f"{REMOTE}:{CITIES},{there(TRICKY)}"),
    ("beside-local", f"{CITIES},{there(TRICKY)}"),
    ("partly-beside-local", f"{CITIES},{REMOTE}:{CITIES},{there(TRICKY)}"),
    ("local-partly", f"{CITIES},{TRICKY},{REMOTE}:{CITIES}"),
    ("beside-gone", f"{CITIES},{there(TRICKY)},{GONE}:{CITIES}"),
]
_PARAMETERS: list[tuple[str, str]] = [
    ("one-trip", ""),
    ("phases", "?ccs_minimize_roundtrips=false"),
    ("no-partial", "?allow_partial_search_results=false"),
    ("no-partial-phases", "?allow_partial_search_results=false&ccs_minimize_roundtrips=false"),
    ("partial", "?allow_partial_search_results=true"),
]
_TASKS: list[tuple[str, str, str]] = [
    ("cancel-none", "POST", "/_tasks/_cancel?actions=nothing*"),
    ("cancel-unknown-node", "POST", "/_tasks/nobody:1/_cancel"),
    ("cancel-malformed", "POST", "/_tasks/nobody/_cancel"),
    ("cancel-no-number", "POST", "/_tasks/nobody:x/_cancel"),
    ("cancel-nodes-beside-id", "POST", "/_tasks/nobody:1/_cancel?nodes=a"),
    ("cancel-malformed-parent", "POST", "/_tasks/_cancel?parent_task_id=zz"),
    ("cancel-wait-not-boolean", "POST", "/_tasks/_cancel?actions=no*&wait_for_completion=x"),
    ("cancel-unknown-parameter", "POST", "/_tasks/_cancel?foo=1"),
    ("cancel-other-method", "GET", "/_tasks/_cancel"),
    ("list-malformed-parent", "GET", "/_tasks?parent_task_id=zz"),
    ("list-unknown-nodes", "GET", "/_tasks?nodes=nobody"),
    ("list-nothing", "GET", "/_tasks?actions=nothing*"),
    ("get-malformed", "GET", "/_tasks/nobody"),
]


def requests() -> Iterator[Request]:
    for name, target in _TARGETS:
        for how, parameters in _PARAMETERS:
            yield search(f"failures/{name}/{how}", target, _FAILS_ON_TRICKY, parameters)
    for name, target in (("remote", there(TRICKY)), ("local", TRICKY)):
        yield search(f"failures/query/{name}", target, _FAILS)
        yield search(f"failures/query/{name}/beside", f"{CITIES},{target}", _FAILS)
    for name, method, path in _TASKS:
        yield Request(f"failures/tasks/{name}", method, path)
