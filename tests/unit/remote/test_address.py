"""The grammar of `host:port`."""

import pytest

from sealane.errors import IllegalArgument
from sealane.model.node import Address
from sealane.remote.address import hint, is_ip, parse_address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("host:9300", "host", 9300),
        ("10.0.0.1:9300", "10.0.0.1", 9300),
        ("[2001:db8::1]:9300", "2001:db8::1", 9300),
        ("::1:9300", "::1", 9300),
        (" host:9300", "host", 9300),
        ("host:9300 ", "host", 9300),
        ("my_service:1", "my_service", 1),
        ("eu.example.com:65535", "eu.example.com", 65535),
        ("host:09300", "host", 9300),
    ],
)
def test_accepted(text: str, host: str, port: int) -> None:
    """C-10: names, IPv4, IPv6 with and without brackets; surrounding blanks are dropped."""
    assert parse_address(text) == Address(host, port)


FOUND = "remote hosts need to be configured as [host:port], found [{}] instead"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nohost", FOUND.format("nohost")),
        ("", FOUND.format("")),
        (":9300", FOUND.format(":9300") + ": the host is empty"),
        ("[]:9300", FOUND.format("[]:9300") + ": the host is empty"),
        (
            "http://host:9200",
            FOUND.format("http://host:9200") + ": leave out the URL scheme [http://]",
        ),
        ("host:9300:9301", FOUND.format("host:9300:9301") + ": there is more than one colon"),
        (
            "fe80::1",
            FOUND.format("fe80::1")
            + ": use brackets around an IPv6 address, the port follows them",
        ),
        ("[nope]:9300", FOUND.format("[nope]:9300") + ": [nope] is not an IPv6 address"),
        ("a b:9300", FOUND.format("a b:9300") + ": [a b] is not a host name"),
        ("host/x:9300", FOUND.format("host/x:9300") + ": [host/x] is not a host name"),
        ("host:", "failed to parse port"),
        ("host:abc", "failed to parse port"),
        ("host:+9300", "failed to parse port"),
        ("host:٣", "failed to parse port"),
        ("host:99999999999", "failed to parse port"),
        ("[::1]", "failed to parse port"),
        ("host:0", "port number must be > 0 but was: [0]"),
        ("host:-5", "port number must be > 0 but was: [-5]"),
        ("host:65536", "port out of range:65536"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    """C-7 to C-11: each mistake is named."""
    with pytest.raises(IllegalArgument) as caught:
        parse_address(text)
    assert caught.value.reason == reason


def test_an_address_that_is_easily_misread_has_a_hint() -> None:
    """C-10: `::1:9300` is accepted; it could also be an address without a port."""
    text = "[::1:9300] is read as [::1]:9300, use brackets around an IPv6 address"
    assert hint("::1:9300 ") == text
    assert [hint(each) for each in ("[::1]:9300", "host:9300", "10.0.0.1:9300")] == [None] * 3


def test_is_ip() -> None:
    assert is_ip("10.0.0.1")
    assert is_ip("::1")
    assert not is_ip("host")
