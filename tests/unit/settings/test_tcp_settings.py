"""The TCP groups: defaults, ranges, and which follows which."""

import pytest

from sealane.errors import IllegalArgument
from sealane.settings import EMPTY, Registry, Settings
from sealane.settings.tcp_settings import (
    NETWORK_TCP,
    REMOTE_CLUSTER_TCP,
    TCP_SETTINGS,
    TRANSPORT_TCP,
    TcpValues,
)

REGISTRY = Registry(TCP_SETTINGS)


@pytest.mark.parametrize("group", [NETWORK_TCP, TRANSPORT_TCP, REMOTE_CLUSTER_TCP])
def test_defaults(group: object) -> None:
    assert group.read(EMPTY) == TcpValues(  # type: ignore[attr-defined]
        keep_alive=True,
        keep_idle=-1,
        keep_interval=-1,
        keep_count=-1,
        no_delay=True,
        reuse_address=True,
        send_buffer_size=-1,
        receive_buffer_size=-1,
    )


def test_the_more_particular_follows_the_general() -> None:
    settings = Settings(
        {
            "network.tcp.keep_idle": "100",
            "transport.tcp.keep_interval": "10",
            "transport.tcp.send_buffer_size": "64kb",
            "remote_cluster.tcp.no_delay": "false",
        }
    )
    REGISTRY.validate(settings)
    transport, remote = TRANSPORT_TCP.read(settings), REMOTE_CLUSTER_TCP.read(settings)
    assert (transport.keep_idle, transport.keep_interval, transport.no_delay) == (100, 10, True)
    assert (remote.keep_idle, remote.keep_interval, remote.no_delay) == (100, 10, False)
    assert remote.send_buffer_size == 64 * 1024
    assert NETWORK_TCP.read(settings).keep_interval == -1


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (
            "transport.tcp.keep_idle",
            "500",
            "Failed to parse value [500] for setting [transport.tcp.keep_idle] must be <= 300",
        ),
        (
            "remote_cluster.tcp.keep_interval",
            "-2",
            "Failed to parse value [-2] for setting [remote_cluster.tcp.keep_interval] must be >= -1",
        ),
        (
            "transport.tcp.keep_count",
            "-2",
            "Failed to parse value [-2] for setting [transport.tcp.keep_count] must be >= -1",
        ),
        (
            "transport.tcp.keep_alive",
            "maybe",
            "Failed to parse value [maybe] as only [true] or [false] are allowed.",
        ),
        (
            "transport.tcp.send_buffer_size",
            "-2b",
            "failed to parse setting [transport.tcp.send_buffer_size] with value [-2b] as a size in bytes",
        ),
        (
            "transport.tcp.receive_buffer_size",
            "abc",
            "failed to parse setting [transport.tcp.receive_buffer_size] with value [abc] as a size "
            "in bytes: unit is missing or unrecognized",
        ),
    ],
)
def test_values_out_of_range(key: str, value: str, reason: str) -> None:
    """With the reference's own words."""
    with pytest.raises(IllegalArgument) as raised:
        REGISTRY.validate(Settings({key: value}))
    assert raised.value.reason == reason
