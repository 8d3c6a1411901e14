"""What a secured pair of clusters looks like to the duel, whoever runs it, and the settings that both products share:
ours have the reference's names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

LOCAL, REMOTE = "europe", "americas"
CLUSTERS = (LOCAL, REMOTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A running single-node cluster. `remote_cluster_port` is 0 where it lets no keys in."""

    url: str
    transport_port: int
    remote_cluster_port: int = 0


class SecuredPair(Protocol):
    """Leaving the block stops what entering it started."""

    label: str

    @property
    def local(self) -> Member: ...

    @property
    def remote(self) -> Member: ...

    def keep_secrets(self, secrets: Mapping[str, str]) -> None:
        """Adds these settings to the local node's keystore; loading them is the caller's business."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def settings(cluster: str, home: Path, ports: Member, certificates: str) -> dict[str, str]:
    """Of one node. `certificates` is the folder of `certificates.make`, as the node's settings name it."""
    http_port = ports.url.rpartition(":")[2]
    found = {
        "cluster.name": cluster,
        "node.name": f"{cluster}-0",
        "path.data": str(home / "data"),
        "http.port": http_port,
        "transport.port": str(ports.transport_port),
        "network.host": "127.0.0.1",
        "xpack.security.enabled": "true",
        "xpack.security.http.ssl.enabled": "false",
        "xpack.security.transport.ssl.enabled": "true",
        "xpack.security.transport.ssl.key": f"{certificates}/{cluster}-transport.key",
        "xpack.security.transport.ssl.certificate": f"{certificates}/{cluster}-transport.crt",
        "xpack.security.transport.ssl.certificate_authorities": f"{certificates}/transport-ca.crt",
        "xpack.security.remote_cluster_client.ssl.enabled": "true",
        "xpack.security.remote_cluster_client.ssl.certificate_authorities": (
            f"{certificates}/server-ca.crt"
        ),
    }
    if ports.remote_cluster_port:
        server = "xpack.security.remote_cluster_server.ssl"
        found |= {
            "remote_cluster_server.enabled": "true",
            "remote_cluster.port": str(ports.remote_cluster_port),
            f"{server}.enabled": "true",
            f"{server}.key": f"{certificates}/{cluster}-server.key",
            f"{server}.certificate": f"{certificates}/{cluster}-server.crt",
        }
    return found
