"""What a node's settings say about the cluster it is in and the addresses it publishes."""

import pytest

from sealane.errors import IllegalArgument
from sealane.model.node import Address
from sealane.node.config import connection_profile, joins, published, seed_hosts
from sealane.settings import Settings
from sealane.settings.discovery_settings import (
    HTTP_PUBLISH_HOST,
    HTTP_PUBLISH_PORT,
    TRANSPORT_PUBLISH_HOST,
    TRANSPORT_PUBLISH_PORT,
)

BOUND = Address("127.0.0.1", 9300)


@pytest.mark.parametrize(
    ("roles", "seeds", "expected"),
    [
        (("remote_cluster_client",), ("h:1",), True),
        ((), ("h:1",), True),
        (("ingest",), (), False),
        (("data",), ("h:1",), False),
        (("master",), ("h:1",), False),
        (("data_hot",), ("h:1",), False),
    ],
)
def test_who_joins(roles: tuple[str, ...], seeds: tuple[str, ...], expected: bool) -> None:
    assert joins(Settings({"node.roles": roles, "discovery.seed_hosts": seeds})) is expected


def test_a_node_with_the_usual_roles_joins_nobody() -> None:
    assert not joins(Settings({"discovery.seed_hosts": "h:1"}))


def test_seeds_may_leave_the_port_out() -> None:
    seeds = Settings({"discovery.seed_hosts": "a, b:1,[::1],[::1]:2"})
    assert [str(each) for each in seed_hosts(seeds)] == ["a:9300", "b:1", "[::1]:9300", "[::1]:2"]
    with pytest.raises(IllegalArgument, match="failed to parse port"):
        seed_hosts(Settings({"discovery.seed_hosts": "a:b"}))


def test_what_is_listened_on_is_published_unless_said_otherwise() -> None:
    def told(**settings: str) -> tuple[str, str]:
        given = Settings({key.replace("__", "."): value for key, value in settings.items()})
        return (
            str(published(given, BOUND, TRANSPORT_PUBLISH_HOST, TRANSPORT_PUBLISH_PORT)),
            str(published(given, BOUND, HTTP_PUBLISH_HOST, HTTP_PUBLISH_PORT)),
        )

    assert told() == ("127.0.0.1:9300", "127.0.0.1:9300")
    assert told(network__publish_host="lb") == ("lb:9300", "lb:9300")
    assert told(transport__publish_host="t", network__publish_host="lb") == ("t:9300", "lb:9300")
    assert told(http__publish_port="80", transport__publish_port="81") == (
        "127.0.0.1:81",
        "127.0.0.1:80",
    )


def test_connections_between_nodes_follow_the_transports_settings() -> None:
    usual = connection_profile(Settings(), channels=6)
    assert (usual.channels, usual.connect_timeout_s, usual.compress) == (6, 30.0, None)
    other = Settings(
        {
            "transport.connect_timeout": "3s",
            "transport.ping_schedule": "5s",
            "transport.compress": "true",
        }
    )
    profile = connection_profile(other, channels=1)
    assert (profile.connect_timeout_s, profile.ping_interval_s, profile.compress) == (
        3.0,
        5.0,
        "lz4",
    )
