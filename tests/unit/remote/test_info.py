"""What `_remote/info` tells."""

import pytest

from sealane.settings import Settings
from sealane.testing.simulation import in_virtual_time, settle
from tests.unit.remote.fakes import (
    FakeDialer,
    cluster_of,
    refused,
)
from tests.unit.remote.registries import A, B, proxy, remotes, sniff


@in_virtual_time
async def test_info_of_a_sniff_remote() -> None:
    """C-78, C-79, C-82: exactly these fields in this order, and nothing is dialled for it."""
    dialer = FakeDialer(*cluster_of(A, B))
    settings = sniff().merged({"cluster.remote.initial_connect_timeout": "1500ms"})
    async with remotes(dialer, settings) as made:
        await settle()
        dialled = len(dialer.dialled)
        assert list(made.describe()["eu"].items()) == [
            ("connected", True),
            ("mode", "sniff"),
            ("seeds", ["10.0.0.1:9300"]),
            ("num_nodes_connected", 2),
            ("max_connections_per_cluster", 3),
            ("initial_connect_timeout", "1.5s"),
            ("skip_unavailable", True),
        ]
        await settle()
        assert len(dialer.dialled) == dialled


@in_virtual_time
async def test_info_of_a_remote_that_is_away_dials_nothing() -> None:
    """C-82: the next round comes when it is due, whoever looks."""
    dialer = FakeDialer()
    async with remotes(dialer, sniff()) as made:
        await settle()
        dialled = len(dialer.dialled)
        assert made.describe(verbose=True)["eu"]["connected"] is False
        await settle()
        assert len(dialer.dialled) == dialled > 0


@in_virtual_time
async def test_info_of_a_proxy_remote() -> None:
    """C-78."""
    async with remotes(FakeDialer(), proxy("[2001:db8::1]:9443")) as made:
        await settle()
        assert list(made.describe()["eu"].items()) == [
            ("connected", False),
            ("mode", "proxy"),
            ("proxy_address", "[2001:db8::1]:9443"),
            ("server_name", ""),
            ("num_proxy_sockets_connected", 0),
            ("max_proxy_socket_connections", 18),
            ("initial_connect_timeout", "30s"),
            ("skip_unavailable", True),
        ]


@in_virtual_time
async def test_info_without_remotes() -> None:
    """C-77."""
    async with remotes(FakeDialer(), Settings()) as made:
        assert made.describe() == {}


@in_virtual_time
async def test_verbose_info_of_a_connected_remote() -> None:
    async with remotes(FakeDialer(*cluster_of(A)), sniff()) as made:
        await settle()
        entry = made.describe(verbose=True)["eu"]
        assert list(entry)[: len(made.describe()["eu"])] == list(made.describe()["eu"])
        assert (entry["cluster_name"], entry["cluster_uuid"]) == ("eu", "uuid-eu")
        assert list(entry)[len(made.describe()["eu"]) :] == [
            "cluster_name",
            "cluster_uuid",
            "remote_version",
            "remote_product",
            "security_model",
            "authenticated",
            "authorized",
            "skip_unavailable_origin",
            "requests_in_flight",
            "breaker",
            "last_connected_at",
            "last_error",
            "next_attempt_in",
            "rounds",
            "warnings",
            "nodes",
        ]
        assert (entry["remote_version"], entry["remote_product"]) == ("8.19.0", "sealane")
        assert (entry["security_model"], entry["rounds"]) == ("none", 1)
        assert entry["last_connected_at"] == "2023-11-14T22:13:20.000Z"
        assert entry["last_error"] is None
        assert entry["nodes"] == [
            {
                "id": "id-a",
                "name": "a",
                "transport_address": "10.0.0.1:9300",
                "version": "8.19.0",
                "connections": 1,
            }
        ]


@in_virtual_time
async def test_verbose_info_after_the_connections_are_lost() -> None:
    """What is known of the cluster stays, for whoever looks for the reason."""
    nodes = cluster_of(A)
    nodes[0].family = "opensearch"
    async with remotes(FakeDialer(*nodes), sniff()) as made:
        await settle()
        nodes[0].go_down()
        await settle()
        entry = made.describe(verbose=True)["eu"]
        assert entry["connected"] is False
        assert (entry["cluster_name"], entry["remote_product"]) == ("eu", "opensearch")
        assert entry["last_error"] is not None


@in_virtual_time
async def test_verbose_info_says_where_skip_unavailable_comes_from() -> None:
    """P21."""
    origins = {"cluster.remote.eu.skip_unavailable": "transient"}
    async with remotes(FakeDialer(), sniff(), origin=origins.get) as made:
        assert made.describe(verbose=True)["eu"]["skip_unavailable_origin"] == "transient"
    async with remotes(FakeDialer(), sniff()) as made:
        assert made.describe(verbose=True)["eu"]["skip_unavailable_origin"] == "default"


@in_virtual_time
async def test_verbose_info_with_certificates() -> None:
    settings = sniff().merged({"xpack.security.transport.ssl.enabled": "true"})
    async with remotes(FakeDialer(), settings) as made:
        assert made.describe(verbose=True)["eu"]["security_model"] == "certificate"


@in_virtual_time
async def test_verbose_info_of_a_refused_remote() -> None:
    """The loop's state is visible: what failed, where, and when it is tried again."""
    async with remotes(FakeDialer(), sniff()) as made:
        await settle(0.25)
        entry = made.describe(verbose=True)["eu"]
        assert entry["last_error"] == {
            "at": "2023-11-14T22:13:20.000Z",
            "seed": "10.0.0.1:9300",
            **refused(A.address).to_cause(),
            "cause": "connection_refused",
            "explanation": "nothing listens on [10.0.0.1:9300]",
            "next_step": "check that the node runs, that it listens on this address and not only on "
            "loopback, and its transport port",
        }
        assert entry["next_attempt_in"] == "750ms"
        assert entry["rounds"] == 1
        unknown = ("cluster_name", "cluster_uuid", "remote_version", "remote_product")
        assert [entry[key] for key in unknown] == [None] * 4
        assert entry["nodes"] == []


@in_virtual_time
async def test_verbose_info_hints_at_misread_addresses() -> None:
    async with remotes(FakeDialer(), sniff("::1:9300", "[::1]:9301")) as made:
        entry = made.describe(verbose=True)["eu"]
        assert entry["seeds"] == ["::1:9300", "[::1]:9301"]
        assert entry["warnings"] == [
            "[::1:9300] is read as [::1]:9300, use brackets around an IPv6 address"
        ]


@in_virtual_time
@pytest.mark.parametrize(
    ("compress", "scheme", "used"),
    [
        ("true", "lz4", "lz4"),
        ("true", "deflate", "deflate"),
        ("indexing_data", "lz4", None),
        ("false", "deflate", None),
    ],
)
async def test_compression_of_a_remote(compress: str, scheme: str, used: str | None) -> None:
    """C-98: `indexing_data` leaves searches plain, and compresses what followers read."""
    dialer = FakeDialer(*cluster_of(A))
    settings = sniff(transport__compress=compress, transport__compression_scheme=scheme)
    async with remotes(dialer, settings):
        await settle()
        assert {profile.compress for profile in dialer.profiles} == {used}
        is_some = compress == "indexing_data"
        some = (scheme, frozenset({"indices:data/read/xpack/ccr/shard_changes"}))
        assert {profile.compress_only for profile in dialer.profiles} == {some if is_some else None}
