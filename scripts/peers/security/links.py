"""The remotes of the duel: both models with both modes, and one for each way in which a link may be broken.

Cross-cluster keys are made on the remote cluster, kept in the local keystore and loaded without a restart.
"""

import base64
from dataclasses import dataclass
from typing import Any

from scripts.peers.security.client import Client
from scripts.peers.security.pair import SecuredPair
from scripts.server_process import free_port

_ALL = {"search": [{"names": ["*"]}]}
ACCESS: dict[str, dict[str, Any]] = {
    "wide": _ALL,
    "narrow": {"search": [{"names": ["logs*"]}]},
    "limited": {
        "search": [
            {
                "names": ["docs*"],
                "query": {"term": {"level": "public"}},
                "field_security": {"grant": ["*"], "except": ["secret*"]},
            }
        ]
    },
    "replicating": {"replication": [{"names": ["logs*"]}]},
    "both": {"search": [{"names": ["logs*"]}], "replication": [{"names": ["logs*"]}]},
    "invalidated": _ALL,
    "expired": _ALL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """`secret` is what the keystore holds for the alias; None is the certificate model."""

    alias: str
    port: int
    secret: str | None = None
    is_sniffing: bool = False
    skips: bool = False


@dataclass(frozen=True, slots=True)
class Linked:
    """What was made and is told apart in answers: the keys by their names, and the port where nobody listens."""

    keys: dict[str, dict[str, str]]
    closed_port: int


def make(pair: SecuredPair, local: Client, remote: Client) -> Linked:
    """Makes the keys and registers every alias. Raises UnexpectedAnswerError."""
    keys = {name: _key(remote, name, access) for name, access in ACCESS.items()}
    remote.must("DELETE", "/_security/api_key", {"ids": [keys["invalidated"]["id"]]})
    keys["plain"] = remote.must("POST", "/_security/api_key", {"name": "plain"})
    closed = free_port()
    links = [*_working(pair, keys), *_broken(pair, keys, closed)]
    secrets = {f"cluster.remote.{each.alias}.credentials": each.secret for each in links}
    pair.keep_secrets({name: secret for name, secret in secrets.items() if secret is not None})
    local.must("POST", "/_nodes/reload_secure_settings")
    for each in links:
        local.must("PUT", "/_cluster/settings", {"persistent": _settings(each)})
    return Linked(keys, closed)


def _working(pair: SecuredPair, keys: dict[str, dict[str, str]]) -> list[Link]:
    server, transport = pair.remote.remote_cluster_port, pair.remote.transport_port

    def encoded(name: str) -> str:
        return keys[name]["encoded"]

    return [
        Link(alias="kb", port=server, secret=encoded("wide"), skips=True),
        Link(alias="kf", port=server, secret=encoded("wide")),
        Link(alias="ks", port=server, secret=encoded("wide"), is_sniffing=True),
        Link(alias="kn", port=server, secret=encoded("narrow")),
        Link(alias="kns", port=server, secret=encoded("narrow"), is_sniffing=True),
        Link(alias="kd", port=server, secret=encoded("limited")),
        Link(alias="kr", port=server, secret=encoded("replicating")),
        Link(alias="kw", port=server, secret=encoded("both")),
        Link(alias="cb", port=transport, skips=True),
        Link(alias="cf", port=transport),
        Link(alias="cs", port=transport, is_sniffing=True),
    ]


def _broken(pair: SecuredPair, keys: dict[str, dict[str, str]], closed: int) -> list[Link]:
    """Named after the rows of the table of errors in the documentation of links."""
    server, transport = pair.remote.remote_cluster_port, pair.remote.transport_port
    wide = keys["wide"]
    rows: list[tuple[str, int, str | None]] = [
        ("e1", server, None),
        ("e3", server, _encoded("A" * 20, wide["api_key"])),
        ("e4", server, _encoded(wide["id"], "x" * 22)),
        ("e5", server, keys["expired"]["encoded"]),
        ("e6", server, keys["invalidated"]["encoded"]),
        ("e7", server, keys["plain"]["encoded"]),
        ("e8", server, _encoded(wide["id"], "short")),
        ("e11", transport, wide["encoded"]),
        ("e15", closed, wide["encoded"]),
    ]
    return [
        Link(alias=alias + ("s" if skips else ""), port=port, secret=secret, skips=skips)
        for alias, port, secret in rows
        for skips in (False, True)
    ]


def _key(remote: Client, name: str, access: dict[str, Any]) -> dict[str, str]:
    body = {"name": name, "access": access}
    if name == "expired":
        body["expiration"] = "1ms"
    made: dict[str, str] = remote.must("POST", "/_security/cross_cluster/api_key", body)
    return made


def _settings(link: Link) -> dict[str, Any]:
    address = f"127.0.0.1:{link.port}"
    about: dict[str, Any] = (
        {"mode": "sniff", "seeds": [address]}
        if link.is_sniffing
        else {"mode": "proxy", "proxy_address": address, "proxy_socket_connections": 2}
    )
    about["skip_unavailable"] = link.skips
    return {f"cluster.remote.{link.alias}.{key}": value for key, value in about.items()}


def _encoded(id: str, secret: str) -> str:
    return base64.b64encode(f"{id}:{secret}".encode()).decode()
