"""Two real clusters with security, one of them a remote of the other by an API key: for the demo and for tests.

What is done is what `docs/remote-clusters-api-key.md` tells a user to do, with the same tools.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sealane.security.stores.certificates import Signed, Subject, issue, make_authority
from sealane.testing.process import NodeProcess

PASSWORD: Final = "demo-password"
ACCESS: Final = {"search": [{"names": ["*"]}]}
"""What a key grants unless a test says otherwise."""
_KEY_MODE: Final = 0o600


def authority(folder: Path, name: str) -> Signed:
    """A certificate authority; `<name>.crt` in `folder` is what others trust."""
    folder.mkdir(parents=True, exist_ok=True)
    made = make_authority(f"CN={name}", now_ms=_now_ms())
    (folder / f"{name}.crt").write_bytes(made.certificate_pem())
    return made


def certificate(
    folder: Path, name: str, signer: Signed, *, ips: tuple[str, ...] = ("127.0.0.1", "::1")
) -> None:
    """`<name>.crt` and `<name>.key` in `folder`, for a node at these addresses."""
    folder.mkdir(parents=True, exist_ok=True)
    made = issue(signer, Subject(name=f"CN={name}", dns=("localhost",), ips=ips), now_ms=_now_ms())
    (folder / f"{name}.crt").write_bytes(made.certificate_pem())
    key = folder / f"{name}.key"
    key.touch(mode=_KEY_MODE)
    key.write_bytes(made.key_pem())


def by_key(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Settings of a local and of a remote cluster for the API key model, with the files they name."""
    signer = authority(folder / "ca", "remote-cluster-ca")
    certificate(folder / "server", "remote-cluster", signer)
    local = {
        "xpack__security__remote_cluster_client__ssl__certificate_authorities": str(
            folder / "ca" / "remote-cluster-ca.crt"
        ),
    }
    remote = {
        "remote_cluster_server__enabled": "true",
        "remote_cluster__port": "0",
        "xpack__security__remote_cluster_server__ssl__certificate": str(
            folder / "server" / "remote-cluster.crt"
        ),
        "xpack__security__remote_cluster_server__ssl__key": str(
            folder / "server" / "remote-cluster.key"
        ),
    }
    return local, remote


@contextmanager
def secured_clusters(
    access: Any = None, **settings: str
) -> Iterator[tuple[NodeProcess, NodeProcess]]:
    """The clusters `europe` and `americas`, the second a remote of the first by a key with that access; removed at the
    end.
    """
    with tempfile.TemporaryDirectory(prefix="sealane-") as name:
        folder = Path(name)
        local, remote = by_key(folder / "certs")
        with (
            node("europe", folder, **local, **settings) as europe,
            node("americas", folder, **remote, **settings) as americas,
        ):
            give_key(europe, americas.name, new_key(americas, access))
            register(europe, americas)
            yield europe, americas


def node(name: str, folder: Path, **settings: str) -> NodeProcess:
    """One with a configuration folder of its own, not started."""
    own = folder / name
    conf = own / "conf"
    conf.mkdir(parents=True, exist_ok=True)
    return NodeProcess(name, own, password=PASSWORD, **{"path__conf": str(conf), **settings})


def new_key(remote: NodeProcess, access: Any = None, **body: Any) -> str:
    """A cross-cluster API key of that cluster, encoded."""
    wanted = {"name": "demo", "access": ACCESS if access is None else access, **body}
    encoded: str = remote.call("POST", "/_security/cross_cluster/api_key", wanted)["encoded"]
    return encoded


def give_key(local: NodeProcess, alias: str, encoded: str) -> None:
    """Puts the key into the node's keystore, and has the node read that."""
    keystore(
        local, "add", "--stdin", "--force", f"cluster.remote.{alias}.credentials", given=encoded
    )
    local.call("POST", "/_nodes/reload_secure_settings")


def keystore(local: NodeProcess, *arguments: str, given: str = "") -> str:
    """Runs `sealane keystore` on the node's configuration folder; returns what it prints."""
    command, *rest = arguments
    conf = str(local.folder / "conf")
    line = [sys.executable, "-m", "sealane", "keystore", "--conf", conf, command, *rest]
    done = subprocess.run(
        line, input=given, capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode:
        raise RuntimeError(f"sealane keystore {command} failed: {done.stderr or done.stdout}")
    return done.stdout


def register(local: NodeProcess, remote: NodeProcess, **settings: Any) -> None:
    """Registers `remote` under its name at its port for keys, in sniff mode unless `settings` say otherwise."""
    keys: dict[str, Any] = settings or {"seeds": [remote.remote_cluster]}
    flat = {f"cluster.remote.{remote.name}.{key}": value for key, value in keys.items()}
    local.call("PUT", "/_cluster/settings", {"persistent": flat})


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
