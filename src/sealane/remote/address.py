"""The grammar of `host:port` as remote clusters are configured with it. There is no default port.

Split at the last colon, as the reference does. What the reference stores and only refuses when it
is dialled (a port out of range, a URL, an empty host) is refused here at once, with the mistake
named.
"""

import ipaddress

from sealane.errors import IllegalArgument, NumberFormatError
from sealane.model.node import Address

_INT_MAX = 2**31 - 1
_PORT_MAX = 65_535
_IN_IPV6 = frozenset("0123456789abcdef:.")


def parse_address(text: str) -> Address:
    """`host:port`, `[v6]:port` or `v6:port` (read from the right) as an Address, surrounding blanks
    dropped.

    Raises IllegalArgument with the reference's reason where it has one.
    """
    trimmed = text.strip()
    host, colon, port_text = trimmed.rpartition(":")
    if not colon:
        raise IllegalArgument(_malformed(text))
    if "://" in trimmed:
        scheme = trimmed.partition("://")[0]
        raise IllegalArgument(_malformed(text, f"leave out the URL scheme [{scheme}://]"))
    port = _parse_port(port_text)
    return Address(_parse_host(host, text), port)


def hint(text: str) -> str | None:
    """What to tell about an address that is accepted but easily misread; None where nothing is."""
    trimmed = text.strip()
    host, _, port = trimmed.rpartition(":")
    if ":" not in host or host.startswith("["):
        return None
    return f"[{trimmed}] is read as [{host}]:{port}, use brackets around an IPv6 address"


def is_ip(host: str) -> bool:
    """Whether `host` is a literal address and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _parse_port(text: str) -> int:
    negative = text.startswith("-")
    digits = text[1:] if negative else text
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 19 or int(digits) > _INT_MAX:
        raise IllegalArgument(
            "failed to parse port", caused_by=NumberFormatError(f'For input string: "{text}"')
        )
    port = -int(digits) if negative else int(digits)
    if port <= 0:
        raise IllegalArgument(f"port number must be > 0 but was: [{port}]")
    if port > _PORT_MAX:
        raise IllegalArgument(f"port out of range:{port}")
    return port


def _parse_host(host: str, text: str) -> str:
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    if not bare:
        raise IllegalArgument(_malformed(text, "the host is empty"))
    if bracketed or ":" in bare:
        try:
            ipaddress.IPv6Address(bare)
        except ValueError:
            if bracketed:
                problem = f"[{bare}] is not an IPv6 address"
            elif _IN_IPV6.issuperset(bare.lower()):
                problem = "use brackets around an IPv6 address, the port follows them"
            else:
                problem = "there is more than one colon"
            raise IllegalArgument(_malformed(text, problem)) from None
        return bare
    if any(c.isspace() or c in "/\\@[]," for c in bare):
        raise IllegalArgument(_malformed(text, f"[{bare}] is not a host name"))
    return bare


def _malformed(text: str, problem: str = "") -> str:
    """The reference's own reason, followed by what it does not say."""
    reason = f"remote hosts need to be configured as [host:port], found [{text}] instead"
    return f"{reason}: {problem}" if problem else reason
