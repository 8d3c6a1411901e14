"""The rules of `cluster.remote.*` as a client of a real node meets them. The reasons are those of Elasticsearch 8.19,
but for those that are said to be ours.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from sealane.testing.process import Answer, NodeProcess

NOWHERE = "127.0.0.1:1"
K = "cluster.remote.b"
MODE = f'cannot be used with the configured "{K}.mode"'
DISABLED = "if remote cluster is not enabled."


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    with NodeProcess("alone", tmp_path_factory.mktemp("alone")) as node:
        yield node


@pytest.fixture(autouse=True)
def clean(node: NodeProcess) -> Iterator[None]:
    """C-26: one null removes every alias."""
    yield
    nothing = {"cluster.remote.*": None}
    node.call("PUT", "/_cluster/settings", {"persistent": nothing, "transient": nothing})
    assert node.call("GET", "/_cluster/settings") == {"persistent": {}, "transient": {}}
    assert node.call("GET", "/_remote/info") == {}


def put(node: NodeProcess, scope: str = "persistent", **keys: Any) -> Answer:
    """Changes keys of the alias `b`; a double underscore is a dot."""
    flat = {f"{K}.{key.replace('__', '.')}": value for key, value in keys.items()}
    return node.request("PUT", "/_cluster/settings", {scope: flat})


REFUSED: list[tuple[str, dict[str, Any], str, str | None]] = [
    (
        "C-5",
        {"mode": "foo"},
        "No enum constant org.elasticsearch.transport.RemoteConnectionStrategy.ConnectionStrategy.FOO",
        None,
    ),
    (
        "C-7",
        {"seeds": ["nohost"]},
        "remote hosts need to be configured as [host:port], found [nohost] instead",
        None,
    ),
    ("C-8", {"seeds": ["h:abc"]}, "failed to parse port", 'For input string: "abc"'),
    ("C-9", {"seeds": ["h:0"]}, "port number must be > 0 but was: [0]", None),
    ("C-10", {"seeds": ["[::1]"]}, "failed to parse port", 'For input string: "1]"'),
    ("C-11, our rule", {"seeds": ["h:70000"]}, "port out of range:70000", None),
    (
        "C-12",
        {"seeds": [NOWHERE], "node_connections": 0},
        f"Failed to parse value [0] for setting [{K}.node_connections] must be >= 1",
        None,
    ),
    (
        "C-12, text",
        {"seeds": [NOWHERE], "node_connections": "abc"},
        f"Failed to parse value [abc] for setting [{K}.node_connections]",
        'For input string: "abc"',
    ),
    (
        "C-13",
        {"mode": "proxy", "proxy_address": NOWHERE, "proxy_socket_connections": 0},
        f"Failed to parse value [0] for setting [{K}.proxy_socket_connections] must be >= 1",
        None,
    ),
    (
        "C-14",
        {"mode": "proxy", "proxy_address": NOWHERE, "node_connections": 2},
        f'Setting "{K}.node_connections" {MODE} [required=SNIFF, configured=PROXY]',
        None,
    ),
    (
        "C-15",
        {"seeds": [NOWHERE], "server_name": "x"},
        f'Setting "{K}.server_name" {MODE} [required=PROXY, configured=SNIFF]',
        None,
    ),
    (
        "C-15, sockets",
        {"proxy_socket_connections": 2},
        f'Setting "{K}.proxy_socket_connections" {MODE} [required=PROXY, configured=SNIFF]',
        None,
    ),
    (
        "C-16",
        {"skip_unavailable": True},
        f"Cannot configure setting [{K}.skip_unavailable] {DISABLED}",
        None,
    ),
    (
        "C-17",
        {"seeds": [NOWHERE], "skip_unavailable": "maybe"},
        "Failed to parse value [maybe] as only [true] or [false] are allowed.",
        None,
    ),
    (
        "C-18",
        {"seeds": [NOWHERE], "transport__ping_schedule": "5"},
        f"failed to parse setting [{K}.transport.ping_schedule] with value [5] as a time value: "
        "unit is missing or unrecognized",
        None,
    ),
    ("C-19", {"foo": "x"}, f"persistent setting [{K}.foo], not recognized", None),
    (
        "C-23",
        {"credentials": "x"},
        f"persistent setting [{K}.credentials], not dynamically updateable",
        None,
    ),
    (
        "C-28, then an option",
        {"seeds": [], "skip_unavailable": True},
        f"Cannot configure setting [{K}.skip_unavailable] {DISABLED}",
        None,
    ),
    (
        "proxy without seeds",
        {"proxy": NOWHERE},
        f"missing required setting [{K}.seeds] for setting [{K}.proxy]",
        None,
    ),
]


@pytest.mark.parametrize(
    ("keys", "reason", "cause"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refused(node: NodeProcess, keys: dict[str, Any], reason: str, cause: str | None) -> None:
    """C-5, C-7, C-8, C-9, C-10, C-11, C-12, C-13, C-14, C-15, C-16, C-17, C-18, C-19, C-23: a 400, and nothing is
    stored.
    """
    answer = put(node, **keys)
    error: dict[str, Any] = {"type": "illegal_argument_exception", "reason": reason}
    body = {"root_cause": [error], **error}
    if cause is not None:
        body["caused_by"] = {"type": "number_format_exception", "reason": cause}
    assert (answer.status, answer.body) == (400, {"error": body, "status": 400})
    assert node.call("GET", "/_cluster/settings") == {"persistent": {}, "transient": {}}


@pytest.mark.parametrize("alias", ["a.b", "a:b", "a b", "a*", "é", "", "(local)", "a,b"])
def test_names_outside_the_pattern(node: NodeProcess, alias: str) -> None:
    """C-20: they are no settings at all."""
    key = f"cluster.remote.{alias}.seeds"
    answer = node.request("PUT", "/_cluster/settings", {"persistent": {key: [NOWHERE]}})
    assert answer.status == 400
    assert answer.body["error"]["reason"] == f"persistent setting [{key}], not recognized"


@pytest.mark.parametrize("alias", ["-x", "_x", "signing", "x" * 256])
def test_names_that_would_mislead(node: NodeProcess, alias: str) -> None:
    """C-22, our rule."""
    body = {"persistent": {f"cluster.remote.{alias}.seeds": [NOWHERE]}}
    answer = node.request("PUT", "/_cluster/settings", body)
    assert answer.status == 400
    assert answer.body["error"]["reason"].startswith("cluster alias [")


def test_names_are_case_sensitive(node: NodeProcess) -> None:
    """C-21."""
    body = {"persistent": {f"cluster.remote.{a}.seeds": [NOWHERE] for a in ("A-b_9", "x", "X")}}
    assert node.request("PUT", "/_cluster/settings", body).status == 200
    assert set(node.call("GET", "/_remote/info")) == {"A-b_9", "x", "X"}


def test_node_settings_are_not_for_the_api(node: NodeProcess) -> None:
    """C-24."""
    for key in ("initial_connect_timeout", "connections_per_cluster", "node.attr"):
        body = {"persistent": {f"cluster.remote.{key}": "5"}}
        answer = node.request("PUT", "/_cluster/settings", body)
        assert (answer.status, answer.body["error"]["reason"]) == (
            400,
            f"persistent setting [cluster.remote.{key}], not dynamically updateable",
        )


@pytest.mark.parametrize(
    "keys",
    [
        {"mode": "proxy"},
        {"mode": "sniff"},
        {"seeds": []},
        {"mode": "proxy", "proxy_address": ""},
    ],
    ids=str,
)
def test_what_is_stored_and_not_enabled(node: NodeProcess, keys: dict[str, Any]) -> None:
    """C-3, C-28: it stays in the settings and is absent from `_remote/info`."""
    answer = put(node, **keys)
    assert (answer.status, answer.body["persistent"]["cluster"]["remote"]["b"]) == (200, keys)
    assert node.call("GET", "/_cluster/settings")["persistent"] == answer.body["persistent"]
    assert node.call("GET", "/_remote/info") == {}


def test_what_the_answer_echoes(node: NodeProcess) -> None:
    """C-4, C-6, C-32: texts, the mode as it was typed, seeds as they were given."""
    answer = put(node, mode="SNIFF", seeds="a:1, b:2,", skip_unavailable=True, node_connections=5)
    assert answer.body == {
        "acknowledged": True,
        "persistent": {
            "cluster": {
                "remote": {
                    "b": {
                        "mode": "SNIFF",
                        "seeds": "a:1, b:2,",
                        "skip_unavailable": "true",
                        "node_connections": "5",
                    }
                }
            }
        },
        "transient": {},
    }
    entry = node.call("GET", "/_remote/info")["b"]
    assert (entry["mode"], entry["seeds"]) == ("sniff", ["a:1", "b:2"])
    # Elasticsearch 8.19 warns of transient settings no more, and neither do we.
    assert "warning" not in {name.lower() for name in put(node, "transient", mode="sniff").headers}


def test_one_alias_is_removed_by_a_wildcard(node: NodeProcess) -> None:
    """C-25: the others keep all they have."""
    both = {f"cluster.remote.{alias}.seeds": [NOWHERE] for alias in ("b", "bb")}
    node.call("PUT", "/_cluster/settings", {"persistent": both})
    node.call("PUT", "/_cluster/settings", {"persistent": {f"{K}.*": None}})
    assert list(node.call("GET", "/_remote/info")) == ["bb"]


def test_what_others_need_is_not_removed(node: NodeProcess) -> None:
    """C-27."""
    assert put(node, seeds=[NOWHERE], skip_unavailable=False).status == 200
    answer = put(node, seeds=None)
    assert (answer.status, answer.body["error"]["reason"]) == (
        400,
        f"Cannot configure setting [{K}.skip_unavailable] {DISABLED}",
    )
    assert put(node, seeds=None, skip_unavailable=None).status == 200


def test_the_mode_is_switched_in_one_request(node: NodeProcess) -> None:
    """C-29: with nulls for the keys of the old one."""
    assert put(node, seeds=[NOWHERE], node_connections=2).status == 200
    assert put(node, mode="proxy", proxy_address=NOWHERE).status == 400
    new = {"mode": "proxy", "proxy_address": NOWHERE, "seeds": None, "node_connections": None}
    assert put(node, **new).status == 200
    assert node.call("GET", "/_remote/info")["b"]["mode"] == "proxy"


def test_transient_beats_persistent(node: NodeProcess) -> None:
    """C-30: and removing it reveals what is below."""
    assert put(node, seeds=["a:1"]).status == 200
    assert put(node, "transient", seeds=["b:1"]).status == 200
    assert node.call("GET", "/_remote/info")["b"]["seeds"] == ["b:1"]
    assert put(node, "transient", seeds=None).status == 200
    assert node.call("GET", "/_remote/info")["b"]["seeds"] == ["a:1"]


def test_nested_and_dotted_bodies_are_equal(node: NodeProcess) -> None:
    """C-31."""
    bodies: list[dict[str, Any]] = [
        {"cluster": {"remote": {"b": {"seeds": [NOWHERE], "transport": {"compress": True}}}}},
        {"cluster.remote.b.seeds": [NOWHERE], "cluster.remote.b.transport.compress": "true"},
        {"cluster.remote": {"b": {"seeds": [NOWHERE], "transport.compress": True}}},
    ]
    states = []
    for body in bodies:
        node.call("PUT", "/_cluster/settings", {"persistent": body})
        states.append(node.call("GET", "/_cluster/settings?flat_settings=true"))
    assert states[0] == states[1] == states[2]


def test_skip_unavailable_survives_every_change(node: NodeProcess) -> None:
    """C-37: what is set is in force, whatever was rebuilt."""
    assert put(node, seeds=[NOWHERE], skip_unavailable=False).status == 200
    for change in ({"transport__ping_schedule": "5s"}, {"seeds": ["h:2"]}, {"node_connections": 1}):
        assert put(node, **change).status == 200
        assert node.call("GET", "/_remote/info")["b"]["skip_unavailable"] is False
