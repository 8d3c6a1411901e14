"""The shorter way of the page about API keys, for two machines: everything is made by first starts, and the other side
is reached by the address that it publishes.
"""

import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import orjson
import pytest

from sealane.node.hosts import own_addresses
from sealane.testing.process import NodeProcess, basic

PASSWORD = "walk-password"
_CLIENT_TLS = "xpack.security.remote_cluster_client.ssl.certificate_authorities"


class Machine:
    """A node off loopback, with a configuration folder of its own, after its first start."""

    def __init__(
        self, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **more: str
    ) -> None:
        monkeypatch.setenv("ELASTIC_PASSWORD", PASSWORD)
        self.conf = folder / name
        self.conf.mkdir()
        settings = {"path.conf": str(self.conf), "network.host": "0.0.0.0", **more}
        self.node = NodeProcess(name, folder / f"{name}-data", **settings)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        tls = ssl.create_default_context(cafile=str(self.conf / "certs" / "http_ca.crt"))
        request = Request(
            f"https://localhost:{self.node.http.rpartition(':')[2]}{path}",
            method=method,
            data=None if body is None else orjson.dumps(body),
            headers={
                "Content-Type": "application/json",
                "Authorization": basic("elastic", PASSWORD),
            },
        )
        with urlopen(request, context=tls, timeout=60) as answer:
            return orjson.loads(answer.read())


def give(machine: Machine, encoded: str) -> None:
    """Puts the key for east into the machine's keystore."""
    line = ["keystore", "--conf", str(machine.conf), "add", "--stdin", "--force"]
    subprocess.run(
        [sys.executable, "-m", "sealane", *line, "cluster.remote.east.credentials"],
        input=encoded,
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("mode", ["sniff", "proxy"])
def test_by_first_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    """X-94: the certificates are for the address by which this machine is reached, and that is published."""
    host = (own_addresses() or ["127.0.0.1"])[0]
    server = {"remote_cluster_server.enabled": "true", "remote_cluster.port": "0"}
    east = Machine("east", tmp_path, monkeypatch, **server)
    with east.node:
        authority = east.conf / "certs" / "remote_cluster_ca.crt"
        west = Machine("west", tmp_path, monkeypatch, **{_CLIENT_TLS: str(authority)})
        with west.node:
            east.call("PUT", "/logs-1/_doc/1?refresh=true", {"n": 1})
            access = {"search": [{"names": ["logs-*"]}]}
            key = east.call(
                "POST", "/_security/cross_cluster/api_key", {"name": "west", "access": access}
            )
            give(west, key["encoded"])
            west.call("POST", "/_nodes/reload_secure_settings")
            address = f"{host}:{east.node.remote_cluster.rpartition(':')[2]}"
            where = {"seeds": [address]} if mode == "sniff" else {"proxy_address": address}
            remote = {"cluster.remote.east": {"mode": mode, "skip_unavailable": False, **where}}
            west.call("PUT", "/_cluster/settings", {"persistent": remote})
            found = west.call("GET", "/east:logs-*/_search")
            assert [hit["_index"] for hit in found["hits"]["hits"]] == ["east:logs-1"]
            nodes = west.call("GET", "/_remote/info?verbose=true")["east"]["nodes"]
            port = east.node.transport.rpartition(":")[2]
            assert {each["transport_address"] for each in nodes} == {f"{host}:{port}"}
            assert PASSWORD not in east.node.log + west.node.log
