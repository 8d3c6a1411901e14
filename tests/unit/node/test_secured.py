"""Which nodes ask who their callers are, and what stops one from starting."""

import logging

import pytest

from sealane.node.secured import (
    check_remote_server,
    check_security,
    has_security,
    is_exposed,
)
from sealane.node.start_error import StartError
from sealane.settings import Settings, Value

ON, OFF = {"xpack.security.enabled": "true"}, {"xpack.security.enabled": "false"}
OUTSIDE = "10.0.0.1"
TLS = {"xpack.security.transport.ssl.enabled": "true"}
SERVER = {"remote_cluster_server.enabled": "true"}
PLAIN_SERVER = {**SERVER, "xpack.security.remote_cluster_server.ssl.enabled": "false"}


def of(*given: dict[str, str], **hosts: Value) -> Settings:
    merged: dict[str, Value] = {key.replace("__", "."): value for key, value in hosts.items()}
    for each in given:
        merged.update(each)
    return Settings(merged)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (of(), False),
        (of(ON), True),
        (of(OFF), False),
        (of(http__host=OUTSIDE), True),
        (of(network__host=("127.0.0.1", OUTSIDE)), True),
        (of(network__host="127.0.0.1"), False),
    ],
)
def test_security_is_on_where_others_can_reach_the_node(settings: Settings, expected: bool) -> None:
    assert has_security(settings) is expected
    assert is_exposed(settings) is (expected and "xpack.security.enabled" not in settings)


def test_without_security_every_address_must_be_this_machines_own() -> None:
    check_security(of(OFF))
    check_security(of())
    for host in ("http.host", "transport.host"):
        with pytest.raises(StartError, match=rf"\[{host}\]: \[10.0.0.1\] is not a loopback"):
            check_security(of(OFF, **{host: ("127.0.0.1", OUTSIDE)}))


def test_without_security_there_is_no_port_for_keys() -> None:
    """X-91: with security off the remote cluster server refuses to start."""
    for given in (of(SERVER), of(OFF, SERVER)):
        with pytest.raises(StartError, match=r"remote_cluster_server\.enabled"):
            check_remote_server(given)
    check_remote_server(of(ON, SERVER))
    check_remote_server(of(OFF))


def test_nodes_that_others_reach_know_each_other_by_certificates() -> None:
    with pytest.raises(StartError, match=r"xpack\.security\.transport\.ssl\.enabled"):
        check_security(of(ON, transport__host=OUTSIDE))
    check_security(of(ON, TLS, transport__host=OUTSIDE))


def test_whoever_reaches_the_transport_from_elsewhere_shows_a_certificate() -> None:
    key = "xpack.security.transport.ssl.client_authentication"
    check_security(of(ON, TLS, {key: "optional"}))
    with pytest.raises(StartError, match="client_authentication"):
        check_security(of(ON, TLS, {key: "optional"}, transport__host=OUTSIDE))


def test_keys_do_not_cross_a_network_in_clear() -> None:
    """X-99: a plain port for keys off loopback is refused unless that is allowed."""
    exposed = {"remote_cluster.host": OUTSIDE}
    with pytest.raises(StartError, match=r"remote_cluster\.allow_plaintext"):
        check_security(of(ON, PLAIN_SERVER, exposed))
    check_security(of(ON, PLAIN_SERVER, exposed, {"remote_cluster.allow_plaintext": "true"}))
    with pytest.raises(StartError, match=r"\[remote_cluster\.bind_host\] is reachable"):
        check_security(of(ON, PLAIN_SERVER, {"remote_cluster.bind_host": OUTSIDE}))
    check_security(of(ON, PLAIN_SERVER, exposed, {"remote_cluster.bind_host": "127.0.0.1"}))
    check_security(of(ON, PLAIN_SERVER))
    check_security(of(ON, SERVER, exposed))


def test_passwords_in_clear_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        check_security(of(ON, http__host=OUTSIDE))
    assert "in clear" in caplog.text
