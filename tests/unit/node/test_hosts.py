"""Which addresses a node listens on."""

import socket

import pytest

from sealane.model.node import Address
from sealane.node import hosts
from sealane.node.hosts import (
    bind_hosts,
    own_addresses,
    ports_to_try,
    preferred,
    publish_host,
)
from sealane.node.start_error import StartError
from sealane.settings import Settings, Value
from sealane.settings.node_settings import HTTP_HOST


def listens(**keys: Value) -> list[str]:
    return bind_hosts(
        Settings({k.replace("__", "."): value for k, value in keys.items()}), HTTP_HOST
    )


@pytest.fixture(autouse=True)
def with_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine of the test has."""
    monkeypatch.setattr(hosts, "_has_ipv6_loopback", lambda: True)


def test_both_loopback_addresses_unless_said_otherwise() -> None:
    """In the order in which the reference shows them."""
    assert listens() == listens(network__host="_local_") == ["::1", "127.0.0.1"]
    assert listens(http__host="_local:ipv4_") == ["127.0.0.1"]
    assert listens(http__host="_local:ipv6_") == ["::1"]


def test_an_interface_of_its_own_hosts_else_those_of_the_network() -> None:
    assert listens(network__host="127.0.0.2") == ["127.0.0.2"]
    assert listens(network__host="127.0.0.2", http__host=("127.0.0.3", "::1")) == [
        "127.0.0.3",
        "::1",
    ]
    assert listens(http__host="127.0.0.1, _local_, 127.0.0.1") == ["127.0.0.1", "::1"]


def test_a_machine_without_ipv6_listens_on_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that was named stays: to leave it out would be to start with less than was asked for."""
    monkeypatch.setattr(hosts, "_has_ipv6_loopback", lambda: False)
    assert listens() == ["127.0.0.1"]
    assert listens(http__host=("127.0.0.1", "::1")) == ["127.0.0.1", "::1"]


def test_a_name_is_all_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", ("::1", 0)), (0, 0, 0, "", ("127.0.0.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: found)
    assert listens(http__host="db.example") == ["::1", "127.0.0.1"]


def test_a_name_that_does_not_resolve_is_told() -> None:
    with pytest.raises(StartError, match=r"\[http.host\]: cannot resolve \[nohost.invalid\]"):
        listens(http__host="nohost.invalid")


def test_one_port_for_all_addresses_where_that_is_free() -> None:
    first = [Address("::1", 4001)]
    assert list(ports_to_try(9200, [])) == list(ports_to_try(9200, first)) == [9200]
    assert list(ports_to_try(0, [])) == [0]
    assert list(ports_to_try(0, first)) == [4001, 0]


def test_others_are_told_the_first_address_of_ipv4() -> None:
    addresses = [Address("::1", 1), Address("127.0.0.2", 2), Address("127.0.0.1", 3)]
    assert preferred(addresses) == addresses[1]
    assert preferred(addresses[:1]) == addresses[0]
    assert [publish_host(each) for each in ("_local_", "_local:ipv6_", "lb.example")] == [
        "127.0.0.1",
        "::1",
        "lb.example",
    ]


def test_a_machine_that_listens_everywhere_tells_the_address_of_its_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody else could use the address that stands for all."""
    ways = {socket.AF_INET: "10.0.0.7", socket.AF_INET6: "2001:db8::7"}
    monkeypatch.setattr(hosts, "_address_towards", lambda family, there: ways.get(family))
    assert own_addresses() == ["10.0.0.7", "2001:db8::7"]
    assert [publish_host(each) for each in ("0.0.0.0", "::", "10.0.0.9")] == [
        "10.0.0.7",
        "10.0.0.7",
        "10.0.0.9",
    ]
    del ways[socket.AF_INET]
    assert publish_host("0.0.0.0") == "2001:db8::7"


def test_a_machine_without_a_way_out_tells_its_loopback_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hosts, "_WAYS_OUT", ((socket.AF_INET, "255.255.255.255"),))
    assert own_addresses() == []
    assert publish_host("0.0.0.0") == "127.0.0.1"
