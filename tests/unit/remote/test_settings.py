"""What may be set under `cluster.remote.*`, and the reasons for what may not."""

import pytest

from sealane.errors import ApiError, IllegalArgument
from sealane.model.node import Address
from sealane.remote.config import ProxyConfig, SniffConfig
from sealane.remote.server_settings import BIND_HOST, PUBLISH_HOST
from sealane.remote.settings import REMOTE_SETTINGS, instead_of
from sealane.remote.snapshot import PROBE_EVERY_S, REMOTE_RULES, node_config, remote_configs
from sealane.settings import EMPTY, Registry, Settings, Value
from sealane.settings.node_settings import Compress, CompressionScheme

REGISTRY = Registry(REMOTE_SETTINGS, REMOTE_RULES)


def settings(**by_key: Value) -> Settings:
    """Settings of the alias `b`; a double underscore is a dot."""
    return Settings({f"cluster.remote.b.{k.replace('__', '.')}": v for k, v in by_key.items()})


def refusal(changes: dict[str, Value | None], *, over: Settings = EMPTY) -> ApiError:
    """The error for a persistent change made on top of `over`."""
    kept = {k: v for k, v in over.items() if k not in changes}
    after = Settings({**kept, **{k: v for k, v in changes.items() if v is not None}})
    with pytest.raises(ApiError) as caught:
        REGISTRY.validate_update(changes, over, after, kind="persistent")
    return caught.value


def accept(changes: dict[str, Value | None], *, over: Settings = EMPTY) -> Settings:
    kept = {k: v for k, v in over.items() if k not in changes}
    after = Settings({**kept, **{k: v for k, v in changes.items() if v is not None}})
    REGISTRY.validate_update(changes, over, after, kind="persistent")
    return after


REFUSED: list[tuple[str, dict[str, Value], str, str | None]] = [
    (
        "C-5 unknown mode",
        {"mode": "foo"},
        "No enum constant org.elasticsearch.transport.RemoteConnectionStrategy.ConnectionStrategy.FOO",
        None,
    ),
    (
        "C-7 no port",
        {"seeds": ("nohost",)},
        "remote hosts need to be configured as [host:port], found [nohost] instead",
        None,
    ),
    ("C-8 port is text", {"seeds": ("h:abc",)}, "failed to parse port", 'For input string: "abc"'),
    ("C-9 port 0", {"seeds": ("h:0",)}, "port number must be > 0 but was: [0]", None),
    ("C-9 port below 0", {"seeds": ("h:-5",)}, "port number must be > 0 but was: [-5]", None),
    ("C-10 v6, no port", {"seeds": ("[::1]",)}, "failed to parse port", 'For input string: "1]"'),
    ("C-11 port too high", {"seeds": ("h:70000",)}, "port out of range:70000", None),
    (
        "C-12 node_connections 0",
        {"seeds": ("h:1",), "node_connections": "0"},
        "Failed to parse value [0] for setting [cluster.remote.b.node_connections] must be >= 1",
        None,
    ),
    (
        "C-12 node_connections text",
        {"seeds": ("h:1",), "node_connections": "abc"},
        "Failed to parse value [abc] for setting [cluster.remote.b.node_connections]",
        'For input string: "abc"',
    ),
    (
        "node_connections over 32 bits",
        {"seeds": ("h:1",), "node_connections": "99999999999"},
        "Failed to parse value [99999999999] for setting [cluster.remote.b.node_connections] "
        "must be <= 2147483647",
        None,
    ),
    (
        "C-13 sockets 0",
        {"mode": "proxy", "proxy_address": "h:1", "proxy_socket_connections": "0"},
        "Failed to parse value [0] for setting [cluster.remote.b.proxy_socket_connections] must be >= 1",
        None,
    ),
    (
        "C-14 sniff key in proxy mode",
        {"mode": "proxy", "node_connections": "2"},
        'Setting "cluster.remote.b.node_connections" cannot be used with the configured '
        '"cluster.remote.b.mode" [required=SNIFF, configured=PROXY]',
        None,
    ),
    (
        "C-15 sockets without proxy mode",
        {"proxy_socket_connections": "2"},
        'Setting "cluster.remote.b.proxy_socket_connections" cannot be used with the configured '
        '"cluster.remote.b.mode" [required=PROXY, configured=SNIFF]',
        None,
    ),
    (
        "C-15 server name without proxy mode",
        {"server_name": "x"},
        'Setting "cluster.remote.b.server_name" cannot be used with the configured '
        '"cluster.remote.b.mode" [required=PROXY, configured=SNIFF]',
        None,
    ),
    (
        "proxy address without proxy mode",
        {"proxy_address": "a:1"},
        'Setting "cluster.remote.b.proxy_address" cannot be used with the configured '
        '"cluster.remote.b.mode" [required=PROXY, configured=SNIFF]',
        None,
    ),
    (
        "seeds in proxy mode",
        {"mode": "proxy", "seeds": ("a:1",)},
        'Setting "cluster.remote.b.seeds" cannot be used with the configured '
        '"cluster.remote.b.mode" [required=SNIFF, configured=PROXY]',
        None,
    ),
    (
        "C-16 skip without a remote",
        {"skip_unavailable": "true"},
        "Cannot configure setting [cluster.remote.b.skip_unavailable] if remote cluster is not enabled.",
        None,
    ),
    (
        "C-28 skip of a disabled remote",
        {"seeds": (), "skip_unavailable": "true"},
        "Cannot configure setting [cluster.remote.b.skip_unavailable] if remote cluster is not enabled.",
        None,
    ),
    (
        "C-17 skip is not a bool",
        {"seeds": ("h:1",), "skip_unavailable": "maybe"},
        "Failed to parse value [maybe] as only [true] or [false] are allowed.",
        None,
    ),
    (
        "C-18 ping without unit",
        {"seeds": ("h:1",), "transport.ping_schedule": "5"},
        "failed to parse setting [cluster.remote.b.transport.ping_schedule] with value [5] "
        "as a time value: unit is missing or unrecognized",
        None,
    ),
    (
        "ping without a remote",
        {"transport.ping_schedule": "5s"},
        "Cannot configure setting [cluster.remote.b.transport.ping_schedule] "
        "if remote cluster is not enabled.",
        None,
    ),
    (
        "unknown compression",
        {"seeds": ("h:1",), "transport.compress": "zzz"},
        "No enum constant org.elasticsearch.transport.Compression.Enabled.ZZZ",
        None,
    ),
    (
        "unknown compression scheme",
        {"seeds": ("h:1",), "transport.compression_scheme": "zzz"},
        "No enum constant org.elasticsearch.transport.Compression.Scheme.ZZZ",
        None,
    ),
    (
        "proxy without seeds",
        {"proxy": "x:1"},
        "missing required setting [cluster.remote.b.seeds] for setting [cluster.remote.b.proxy]",
        None,
    ),
    (
        "malformed proxy",
        {"proxy": "x"},
        "remote hosts need to be configured as [host:port], found [x] instead",
        None,
    ),
    (
        "a dial address in proxy mode",
        {"mode": "proxy", "proxy_address": "h:1", "proxy": "x:1"},
        "missing required setting [cluster.remote.b.seeds] for setting [cluster.remote.b.proxy]",
        None,
    ),
    (
        "an expected name without a remote",
        {"cluster_name": "x"},
        "Cannot configure setting [cluster.remote.b.cluster_name] if remote cluster is not enabled.",
        None,
    ),
    (
        "no request at all",
        {"seeds": ("h:1",), "max_in_flight_requests": "0"},
        "Failed to parse value [0] for setting [cluster.remote.b.max_in_flight_requests] must be >= 1",
        None,
    ),
    (
        "C-19 unknown key",
        {"foo": "x"},
        "persistent setting [cluster.remote.b.foo], not recognized",
        None,
    ),
    (
        "C-23 a secret",
        {"credentials": "x"},
        "persistent setting [cluster.remote.b.credentials], not dynamically updateable",
        None,
    ),
]


@pytest.mark.parametrize(
    ("keys", "reason", "cause"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refused(keys: dict[str, Value], reason: str, cause: str | None) -> None:
    """Each broken rule is a 400 illegal_argument_exception with the reference's reason."""
    error = refusal({f"cluster.remote.b.{key}": value for key, value in keys.items()})
    assert (error.es_type, error.status) == ("illegal_argument_exception", 400)
    assert error.reason == reason
    assert error.suppressed == []
    shown = (error.caused_by.es_type, error.caused_by.reason) if error.caused_by else None
    assert shown == (("number_format_exception", cause) if cause else None)


@pytest.mark.parametrize("alias", ["a.b", "a:b", "a b", "a*", "é", "", "a/b", "(local)", "a,b"])
def test_alias_outside_the_pattern(alias: str) -> None:
    """C-20: it is not recognized as a setting at all."""
    error = refusal({f"cluster.remote.{alias}.seeds": ("h:1",)})
    assert error.reason == f"persistent setting [cluster.remote.{alias}.seeds], not recognized"


@pytest.mark.parametrize("alias", ["-x", "_x", "_local", "signing", "x" * 256])
def test_alias_that_would_mislead(alias: str) -> None:
    """C-22: refused with the rule it breaks, whichever key comes first."""
    for key, value in (("seeds", ("h:1",)), ("mode", "proxy"), ("skip_unavailable", "true")):
        error = refusal({f"cluster.remote.{alias}.{key}": value})
        assert isinstance(error, IllegalArgument)
        assert error.reason.startswith("cluster alias [")


def test_alias_that_would_mislead_can_be_removed() -> None:
    accept({"cluster.remote.-x.seeds": None}, over=Settings({"cluster.remote.-x.seeds": ("h:1",)}))


def test_aliases_are_case_sensitive() -> None:
    """C-21: `A-b_9`, `x` and `X` are three remotes."""
    aliases = ("A-b_9", "x", "X")
    after = accept({f"cluster.remote.{alias}.seeds": ("h:1",) for alias in aliases})
    assert set(remote_configs(after)) == set(aliases)


@pytest.mark.parametrize("key", ["initial_connect_timeout", "connections_per_cluster", "node.attr"])
def test_node_settings_are_static(key: str) -> None:
    """C-24: refused through the API."""
    error = refusal({f"cluster.remote.{key}": "3"})
    assert error.reason == f"persistent setting [cluster.remote.{key}], not dynamically updateable"


@pytest.mark.parametrize(
    ("face", "skips"), [("elasticsearch", True), ("opensearch", False)], ids=str
)
def test_the_default_of_skip_unavailable_is_of_the_face(face: str, skips: bool) -> None:
    """C-35: true in Elasticsearch from 8.15 on, false in OpenSearch; what is set counts in both."""
    faced = settings(seeds=("h:1",)).merged({"http.face": face})
    assert remote_configs(faced)["b"].skip_unavailable is skips
    said = faced.merged({"cluster.remote.b.skip_unavailable": str(not skips).lower()})
    assert remote_configs(said)["b"].skip_unavailable is not skips


@pytest.mark.parametrize(
    ("key", "instead"),
    [
        (
            "cluster.remote.node.attr.gateway",
            "set [cluster.remote.node.attr: gateway] here and [node.attr.gateway: true] on the remote's nodes",
        ),
        (
            "cluster.remote.node.attr.a.b",
            "set [cluster.remote.node.attr: a.b] here and [node.attr.a.b: true] on the remote's nodes",
        ),
        (
            "transport.profiles._remote_cluster.port",
            "that profile is reserved, use [remote_cluster.port]",
        ),
        ("cluster.remote.node.attr.", None),
        ("cluster.remote.node.attr", None),
        ("cluster.remote.b.foo", None),
        ("transport.profiles.other.port", None),
    ],
)
def test_what_to_set_instead_of_a_key_that_is_not_known(key: str, instead: str | None) -> None:
    assert instead_of(key) == instead


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("publish_port", "-2", "must be >= -1"),
        ("max_request_header_size", "63b", "must be >= [64b]"),
        ("max_request_header_size", "3gb", "must be <= [2gb]"),
    ],
)
def test_ranges_of_the_port_for_remote_clusters(key: str, value: str, problem: str) -> None:
    with pytest.raises(IllegalArgument) as caught:
        REGISTRY.validate(Settings({f"remote_cluster.{key}": value}))
    assert caught.value.reason.endswith(problem)


def test_hosts_of_the_port_for_remote_clusters_follow_its_own() -> None:
    """`remote_cluster.host` is the default of both, `transport.host` of that."""
    named = Settings(
        {"remote_cluster.host": "10.0.0.1", "remote_cluster.publish_host": "a.example"}
    )
    assert BIND_HOST.get(named) == ("10.0.0.1",)
    assert PUBLISH_HOST.get(named) == ("a.example",)
    assert BIND_HOST.get(Settings({"transport.host": "10.0.0.2"})) == ("10.0.0.2",)


def test_seeds_alone_enable_sniff_mode() -> None:
    """C-1, C-35: everything else has its default."""
    config = remote_configs(settings(seeds=("h:1",)))["b"]
    assert isinstance(config.reach, SniffConfig)
    assert [seed.address for seed in config.reach.seeds] == [Address("h", 1)]
    assert (config.reach.node_connections, config.reach.proxy) == (3, None)
    assert config.skip_unavailable is True
    assert (config.cluster_name, config.max_in_flight_requests) == ("", 1000)
    assert config.link.ping_interval_s == PROBE_EVERY_S
    assert config.link.compress is Compress.INDEXING_DATA
    assert config.link.compression_scheme is CompressionScheme.LZ4
    assert config.link.connect_timeout_s == 30.0


def test_proxy_mode_with_an_address_is_enabled() -> None:
    """C-2: with 18 sockets and no server name."""
    config = remote_configs(settings(mode="proxy", proxy_address="h:1"))["b"]
    assert isinstance(config.reach, ProxyConfig)
    assert config.reach.address.address == Address("h", 1)
    assert (config.reach.socket_connections, config.reach.server_name) == (18, "")


@pytest.mark.parametrize(
    "stored",
    [
        settings(mode="proxy"),
        settings(mode="sniff"),
        settings(seeds=()),
        settings(mode="proxy", proxy_address=""),
    ],
    ids=["C-3 proxy alone", "C-3 sniff alone", "C-28 no seeds", "C-28 no proxy address"],
)
def test_stored_but_not_enabled(stored: Settings) -> None:
    REGISTRY.validate(stored)
    assert remote_configs(stored) == {}


def test_mode_in_any_case() -> None:
    """C-4: and the text stays as it was typed."""
    after = accept({"cluster.remote.b.mode": "SNIFF", "cluster.remote.b.seeds": "h:1"})
    assert after["cluster.remote.b.mode"] == "SNIFF"
    assert set(remote_configs(after)) == {"b"}


def test_comma_string_of_seeds() -> None:
    """C-6: items are trimmed and empty ones dropped; the order is kept."""
    reach = remote_configs(settings(seeds="b:2, a:1,"))["b"].reach
    assert isinstance(reach, SniffConfig)
    assert [seed.text for seed in reach.seeds] == ["b:2", "a:1"]


def test_nulling_seeds_while_an_option_stays() -> None:
    """C-27: the option would have no remote."""
    before = settings(seeds=("h:1",), skip_unavailable="false")
    error = refusal({"cluster.remote.b.seeds": None}, over=before)
    assert error.reason == (
        "Cannot configure setting [cluster.remote.b.skip_unavailable] "
        "if remote cluster is not enabled."
    )


def test_switching_the_mode_in_one_request() -> None:
    """C-29: with nulls for the old mode's keys it is accepted, without them refused."""
    before = settings(seeds=("h:1",), node_connections="2")
    change: dict[str, Value | None] = {
        "cluster.remote.b.mode": "proxy",
        "cluster.remote.b.proxy_address": "p:1",
    }
    error = refusal(change, over=before)
    assert [error.reason, *(each.reason for each in error.suppressed)] == [
        f'Setting "cluster.remote.b.{key}" cannot be used with the configured '
        '"cluster.remote.b.mode" [required=SNIFF, configured=PROXY]'
        for key in ("seeds", "node_connections")
    ]
    nulls = {"cluster.remote.b.seeds": None, "cluster.remote.b.node_connections": None}
    assert remote_configs(accept({**change, **nulls}, over=before))["b"].mode == "proxy"


def test_rules_see_all_scopes_merged() -> None:
    """An option set through the API goes with seeds from the node's file."""
    accept({"cluster.remote.b.skip_unavailable": "false"}, over=settings(seeds=("h:1",)))


def test_node_defaults_reach_every_remote() -> None:
    """`cluster.remote.connections_per_cluster` and `transport.*` are what an alias does not say."""
    config = remote_configs(
        Settings(
            {
                "cluster.remote.connections_per_cluster": "5",
                "transport.ping_schedule": "5s",
                "transport.compress": "true",
                "transport.compression_scheme": "deflate",
                "transport.connect_timeout": "2s",
                "cluster.remote.b.seeds": ("h:1",),
            }
        )
    )["b"]
    assert isinstance(config.reach, SniffConfig)
    assert config.reach.node_connections == 5
    assert config.link.ping_interval_s == 5.0
    assert config.link.compress is Compress.TRUE
    assert config.link.compression_scheme is CompressionScheme.DEFLATE
    assert config.link.connect_timeout_s == 2.0


def test_gateway_attribute() -> None:
    assert node_config(EMPTY).gateway_attribute is None
    named = Settings({"cluster.remote.node.attr": "gateway"})
    assert node_config(named).gateway_attribute == "gateway"


def test_secret_in_the_node_file() -> None:
    with pytest.raises(IllegalArgument, match="is a secure setting"):
        REGISTRY.validate(settings(seeds=("h:1",), credentials="x"))


# -- the documentation's own examples --------------------------------------------------------------


def test_documented_proxy_example() -> None:
    """Proxy mode with a server name: `"proxy_address": "host:9400"`."""
    stored = settings(
        mode="proxy",
        skip_unavailable="true",
        server_name="cluster-two.example.com",
        proxy_socket_connections="18",
        proxy_address="host:9400",
    )
    REGISTRY.validate(stored)
    reach = remote_configs(stored)["b"].reach
    assert isinstance(reach, ProxyConfig)
    assert reach.server_name == "cluster-two.example.com"
    assert reach.address.address == Address("host", 9400)


def test_documented_v6_example() -> None:
    """`[2001:db8::1]:9443` is an IPv6 address in brackets, and is shown with them."""
    stored = settings(mode="proxy", proxy_address="[2001:db8::1]:9443")
    REGISTRY.validate(stored)
    reach = remote_configs(stored)["b"].reach
    assert isinstance(reach, ProxyConfig)
    assert reach.address.address == Address("2001:db8::1", 9443)
    assert str(reach.address) == "[2001:db8::1]:9443"


def test_documented_sniff_examples() -> None:
    """Three clusters in one request: seeds alone, with options, and proxy mode; any port."""
    stored = Settings.from_nested(
        {
            "cluster": {
                "remote": {
                    "cluster_one": {
                        "seeds": ["35.238.149.1:9300", "35.238.149.2:9443", "127.0.0.1:9301"],
                        "node_connections": 3,
                    },
                    "cluster_two": {
                        "mode": "sniff",
                        "seeds": ["127.0.0.1:9301"],
                        "transport.compress": True,
                        "skip_unavailable": True,
                    },
                    "cluster_three": {"mode": "proxy", "proxy_address": "127.0.0.1:9302"},
                }
            }
        }
    )
    REGISTRY.validate(stored)
    configs = remote_configs(stored)
    assert list(configs) == ["cluster_one", "cluster_three", "cluster_two"]
    one = configs["cluster_one"].reach
    assert isinstance(one, SniffConfig)
    assert [seed.address.port for seed in one.seeds] == [9300, 9443, 9301]
