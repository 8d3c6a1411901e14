"""What an operator reads whose settings are wrong: which setting, which value, and what to do."""

from pathlib import Path

import pytest

from sealane.errors import ApiError
from sealane.node.config import load_settings
from sealane.node.start_error import StartError

SERVER_TLS = "xpack.security.remote_cluster_server.ssl"
CLIENT_TLS = "xpack.security.remote_cluster_client.ssl"


def told(folder: Path, *given: str) -> str:
    with pytest.raises((ApiError, StartError)) as raised:
        load_settings(None, [f"path.conf={folder}", *given])
    error = raised.value
    return error.reason if isinstance(error, ApiError) else str(error)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            "xpack.security.enabled=maybe",
            "[xpack.security.enabled]: Failed to parse value [maybe] as only [true] or [false] are allowed.",
        ),
        ("http.port=abc", "Failed to parse value [abc] for setting [http.port]"),
        (
            "remote_cluster_server.enabled=true",
            "[remote_cluster_server.enabled] is [true], but this node has no security: its port for remote clusters "
            "admits callers by their API keys, which only a node with security has; set [xpack.security.enabled] to "
            "[true]",
        ),
        (
            "cluster.remote.east.credentials=abc",
            "Setting [cluster.remote.east.credentials] is a secure setting and must be stored inside the keystore, but "
            "was found inside the settings",
        ),
        (
            "network.host=nohost.invalid",
            "[network.host]: cannot resolve [nohost.invalid]: ",
        ),
        (
            "transport.profiles._remote_cluster.port=9443",
            "unknown setting [transport.profiles._remote_cluster.port], that profile is reserved, use "
            "[remote_cluster.port]",
        ),
    ],
)
def test_one_setting(tmp_path: Path, given: str, expected: str) -> None:
    """X-24, X-91, X-104: the setting is named, be it the reference's own text or not."""
    assert told(tmp_path, given).startswith(expected)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            ("xpack.security.enabled=false", "network.host=10.0.0.1"),
            "[network.host]: [10.0.0.1] is not a loopback address, and without security a node listens on those only: "
            "set [xpack.security.enabled] to [true]",
        ),
        (
            ("xpack.security.enabled=true", "network.host=10.0.0.1"),
            "[transport.host] is reachable from other machines, and nodes are known by their certificates alone: set "
            "[xpack.security.transport.ssl.enabled] to [true], with a key and certificate (where neither this nor "
            "[xpack.security.enabled] is set, the first start makes them)",
        ),
        (
            ("xpack.security.enabled=true", "remote_cluster_server.enabled=true"),
            f"invalid SSL configuration for {SERVER_TLS} - server ssl configuration requires a key and certificate, "
            f"but these have not been configured; you must set either [{SERVER_TLS}.keystore.path], or both "
            f"[{SERVER_TLS}.key] and [{SERVER_TLS}.certificate]",
        ),
        (
            (
                "xpack.security.enabled=true",
                "remote_cluster_server.enabled=true",
                "remote_cluster.host=10.0.0.1",
                f"{SERVER_TLS}.enabled=false",
            ),
            f"[{SERVER_TLS}.enabled] is [false], and [remote_cluster.host] is reachable from other machines: API keys "
            "would cross the network in clear. Set it to [true], or [remote_cluster.allow_plaintext] to [true] where "
            "something else encrypts the way",
        ),
    ],
)
def test_settings_that_do_not_go_together(
    tmp_path: Path, given: tuple[str, ...], expected: str
) -> None:
    """X-93, X-99: all of them are named, and what to change."""
    assert told(tmp_path, *given) == expected
