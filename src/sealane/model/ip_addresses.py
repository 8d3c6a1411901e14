"""Addresses as numbers of one 128-bit space that both versions share: IPv4 as ::ffff:a.b.c.d."""

import ipaddress

from sealane.errors import IllegalArgument

_V4 = 0xFFFF_0000_0000


def ip_number(text: str) -> int:
    """Raises IllegalArgument for text that is no address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise IllegalArgument(f"'{text}' is not an IP string literal.") from None
    if isinstance(address, ipaddress.IPv4Address):
        return _V4 | int(address)
    if address.scope_id is not None:
        raise IllegalArgument(f"'{text}' is not an IP string literal.")
    return int(address)


def ip_text(number: int) -> str:
    """The address as the reference prints it."""
    if number >> 32 == 0xFFFF:
        return str(ipaddress.IPv4Address(number & 0xFFFF_FFFF))
    if number >> 32:
        return str(ipaddress.IPv6Address(number))
    # The standard library prints the deprecated ::a.b.c.d range with dots from Python 3.13 on.
    high, low = number >> 16, number & 0xFFFF
    if high:
        return f"::{high:x}:{low:x}"
    return f"::{low:x}" if low else "::"


def ip_block(text: str) -> tuple[int, int]:
    """First and last address of a CIDR block. Raises IllegalArgument."""
    base, _, width_text = text.partition("/")
    number = ip_number(base)
    version_bits = 32 if ":" not in base else 128
    try:
        width = int(width_text)
    except ValueError:
        raise IllegalArgument(f'For input string: "{width_text}"') from None
    if not 0 <= width <= version_bits:
        raise IllegalArgument(
            f"Illegal prefix length [{width}] in [{text}]. "
            "Must be 0-32 for IPv4 ranges, 0-128 for IPv6 ranges"
        )
    size = 1 << (version_bits - width)
    first = number & ~(size - 1)
    return first, first + size - 1
