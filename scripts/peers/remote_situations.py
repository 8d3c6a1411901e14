"""The situations in which the duel of remote clusters compares `GET /_remote/info`: what was registered, in
which steps, and which aliases have to be connected before the answer counts.

Plain data. `@remote@` stands for the transport address of the other cluster of a pair, `@local@` for the own one; each
pair puts in its own.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scripts.peers.remote_change import (
    ALIAS,
    ELSEWHERE,
    NOBODY,
    OTHER,
    persistent,
    transient,
)

REMOTE = "@remote@"
LOCAL = "@local@"
INFO = "/_remote/info"


@dataclass(frozen=True, slots=True)
class Situation:
    """`steps` are bodies of `PUT /_cluster/settings`; `connected` are the aliases that come up."""

    name: str
    steps: tuple[str, ...]
    connected: tuple[str, ...] = ()
    method: str = "GET"
    path: str = INFO


def situations() -> list[Situation]:
    """All of them, each with a name of its own."""
    return [
        *_sniff(),
        *_proxy(),
        *_away(),
        *_scopes(),
        *_changes(),
        *_removed(),
        *_requests(),
        *_searches(),
    ]


def _up(name: str, *steps: dict[str, Any]) -> Situation:
    """One that ends with the alias connected."""
    return Situation(name, tuple(map(json.dumps, steps)), (ALIAS,))


def _down(name: str, *steps: dict[str, Any]) -> Situation:
    return Situation(name, tuple(map(json.dumps, steps)))


_SNIFF = persistent(seeds=[REMOTE])
_PROXY = persistent(mode="proxy", proxy_address=REMOTE)


def _sniff() -> Iterator[Situation]:
    yield _up("sniff", _SNIFF)
    yield _up("sniff, said so", persistent(mode="SNIFF", seeds=[REMOTE]))
    yield _up("sniff, seed as a string", persistent(seeds=REMOTE))
    yield _up("sniff, comma string", persistent(seeds=f"{REMOTE}, {NOBODY},"))
    yield _up("sniff, the first seed is away", persistent(seeds=[NOBODY, REMOTE]))
    yield _up("sniff, the last seed is away", persistent(seeds=[REMOTE, NOBODY]))
    yield _up("sniff, the same seed twice", persistent(seeds=[REMOTE, REMOTE]))
    yield _up("sniff, one node", persistent(seeds=[REMOTE], node_connections=1))
    yield _up("sniff, many nodes", persistent(seeds=[REMOTE], node_connections="12"))
    yield _up("sniff, dialled elsewhere", persistent(seeds=[NOBODY], proxy=REMOTE))
    yield _up("sniff, not skipped", persistent(seeds=[REMOTE], skip_unavailable=False))
    yield _up("sniff, skipped", persistent(seeds=[REMOTE], skip_unavailable="true"))
    yield _up("sniff, pinged", persistent(seeds=[REMOTE], transport__ping_schedule="5s"))
    yield _up("sniff, compressed", persistent(seeds=[REMOTE], transport__compress=True))
    yield _up(
        "sniff, deflated",
        persistent(
            seeds=[REMOTE], transport__compress=True, transport__compression_scheme="deflate"
        ),
    )
    yield _up("the own cluster", persistent(seeds=[LOCAL]))
    yield Situation(
        "two aliases of one cluster",
        (json.dumps(persistent(ALIAS, OTHER, seeds=[REMOTE])),),
        (ALIAS, OTHER),
    )
    yield Situation(
        "aliases in two cases",
        (json.dumps(persistent("duel_x", "duel_X", seeds=[REMOTE])),),
        ("duel_x", "duel_X"),
    )


def _proxy() -> Iterator[Situation]:
    yield _up("proxy", _PROXY)
    yield _up("proxy in capitals", persistent(mode="PROXY", proxy_address=REMOTE))
    yield _up(
        "proxy, two sockets",
        persistent(mode="proxy", proxy_address=REMOTE, proxy_socket_connections=2),
    )
    yield _up(
        "proxy, server name",
        persistent(mode="proxy", proxy_address=REMOTE, server_name="eu.example.com"),
    )
    yield _up(
        "proxy, empty server name", persistent(mode="proxy", proxy_address=REMOTE, server_name="")
    )
    yield _up(
        "proxy, not skipped",
        persistent(mode="proxy", proxy_address=REMOTE, skip_unavailable=False),
    )


def _away() -> Iterator[Situation]:
    yield _down("away", persistent(seeds=[NOBODY]))
    yield _down("away, two seeds", persistent(seeds=[ELSEWHERE, NOBODY], node_connections=7))
    yield _down("away, not skipped", persistent(seeds=[NOBODY], skip_unavailable=False))
    yield _down("away, unknown host", persistent(seeds=["nobody.invalid:9300"]))
    yield _down("away, IPv6", persistent(seeds=["[::1]:1"]))
    yield _down("away, proxy", persistent(mode="proxy", proxy_address=NOBODY))
    yield _down(
        "away, proxy of an unknown host",
        persistent(mode="proxy", proxy_address="nobody.invalid:9300", server_name="x"),
    )
    yield _down("away, proxy by IPv6", persistent(mode="proxy", proxy_address="[2001:db8::1]:9443"))
    yield _down("away, dialled elsewhere", persistent(seeds=[REMOTE], proxy=NOBODY))
    yield _down(
        "an option changed while away",
        persistent(seeds=[NOBODY]),
        persistent(skip_unavailable=False),
    )


def _scopes() -> Iterator[Situation]:
    yield _up("transient", transient(seeds=[REMOTE]))
    yield _up("transient over persistent", persistent(seeds=[NOBODY]), transient(seeds=[REMOTE]))
    yield _up(
        "transient option over a persistent one",
        persistent(seeds=[REMOTE], skip_unavailable=True),
        transient(seeds=[REMOTE], skip_unavailable=False),
    )
    yield _up(
        "transient taken away",
        {**persistent(seeds=[REMOTE]), **transient(seeds=[NOBODY])},
        transient(seeds=None),
    )
    yield _up(
        "transient mode over a persistent one",
        persistent(seeds=[NOBODY]),
        {**transient(mode="proxy", proxy_address=REMOTE), **persistent(seeds=None)},
    )


def _changes() -> Iterator[Situation]:
    yield _up("skipped later", _SNIFF, persistent(skip_unavailable=False))
    yield _up(
        "no longer skipped later",
        persistent(seeds=[REMOTE], skip_unavailable=False),
        persistent(skip_unavailable=None),
    )
    yield _up(
        "another option after skip_unavailable",
        persistent(seeds=[REMOTE], skip_unavailable=False),
        persistent(transport__ping_schedule="5s"),
    )
    yield _up(
        "seeds in another order",
        persistent(seeds=[REMOTE, NOBODY]),
        persistent(seeds=[NOBODY, REMOTE]),
    )
    yield _up("a seed more", _SNIFF, persistent(seeds=[NOBODY, REMOTE]))
    yield _up("more nodes", _SNIFF, persistent(node_connections=5))
    yield _up("sniff to proxy", _SNIFF, persistent(mode="proxy", proxy_address=REMOTE, seeds=None))
    yield _up("proxy to sniff", _PROXY, persistent(mode=None, proxy_address=None, seeds=[REMOTE]))
    yield _up("fewer sockets", _PROXY, persistent(proxy_socket_connections=3))
    yield _down("connected, then away", _SNIFF, persistent(seeds=[NOBODY]))
    yield _up("away, then connected", persistent(seeds=[NOBODY]), persistent(seeds=[REMOTE]))
    yield _up("refused change", _SNIFF, persistent(seeds=["nohost"], skip_unavailable=False))


def _removed() -> Iterator[Situation]:
    yield _down("none")
    yield _down("mode alone", persistent(mode="proxy"))
    yield _down("disabled by no seeds", _SNIFF, persistent(seeds=[]))
    yield _down("disabled by no address", _PROXY, persistent(proxy_address=""))
    yield _up("disabled and enabled", _SNIFF, persistent(seeds=[]), _SNIFF)
    yield _down("removed by key", _SNIFF, persistent(seeds=None))
    yield _down(
        "removed by wildcard",
        persistent(seeds=[REMOTE], skip_unavailable=False),
        {"persistent": {f"cluster.remote.{ALIAS}.*": None}},
    )
    yield Situation(
        "one of two removed",
        (
            json.dumps(persistent(ALIAS, OTHER, seeds=[REMOTE])),
            json.dumps(persistent(OTHER, seeds=None)),
        ),
        (ALIAS,),
    )


def _requests() -> Iterator[Situation]:
    steps = (json.dumps(_SNIFF),)
    for name, method, path in (
        ("filtered", "GET", f"{INFO}?filter_path={ALIAS}.connected"),
        ("filtered by exclusion", "GET", f"{INFO}?filter_path={ALIAS}.*,-{ALIAS}.seeds"),
        ("human", "GET", f"{INFO}?human=true&filter_path={ALIAS}"),
        ("unknown parameter", "GET", f"{INFO}?foo=1"),
        ("two unknown parameters", "GET", f"{INFO}?foo=1&bar=2"),
        ("posted", "POST", INFO),
        ("deleted", "DELETE", INFO),
        ("below", "GET", f"{INFO}/x"),
        ("above", "GET", "/_remote"),
    ):
        yield Situation(f"request, {name}", steps, (ALIAS,), method, path)


def _searches() -> Iterator[Situation]:
    """What a search tells of a cluster that is away, where it may be skipped and where it may not."""
    for name, keys in (
        ("away", {"seeds": [NOBODY]}),
        ("away, two seeds", {"seeds": [ELSEWHERE, NOBODY]}),
        ("unknown host", {"seeds": ["nobody.invalid:9300"]}),
        ("dialled elsewhere", {"seeds": [REMOTE], "proxy": NOBODY}),
        ("proxy away", {"mode": "proxy", "proxy_address": NOBODY}),
        ("proxy, unknown host", {"mode": "proxy", "proxy_address": "nobody.invalid:9300"}),
    ):
        for skipped in (True, False):
            step = json.dumps(persistent(**keys, skip_unavailable=skipped))
            told = "skipped" if skipped else "needed"
            path = f"/{ALIAS}:duel-x/_search"
            yield Situation(f"search, {name}, {told}", (step,), (), "GET", path)
    yield Situation("search, no such alias", (), (), "GET", f"/{ALIAS}:duel-x/_search")
    disabled = json.dumps(persistent(seeds=[]))
    yield Situation("search, disabled alias", (disabled,), (), "GET", f"/{ALIAS}:duel-x/_search")
