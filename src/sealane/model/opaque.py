"""Ids that mean something to the cluster that made them and nothing to its users: bytes as URL-safe base64, with a
version and a checksum, so that an id that was cut, mistyped or made up is told from one that has expired.
"""

import base64
import zlib
from string import ascii_letters, digits

from sealane.errors import IllegalArgument

_ALPHABET = frozenset(ascii_letters + digits + "-_")
_CHECKSUM_BYTES = 4


class NotBase64(IllegalArgument):
    """Text that cannot be decoded. `streamed` is the reference's text where it decodes a stream."""

    def __init__(self, reason: str, streamed: str) -> None:
        super().__init__(reason)
        self.streamed = streamed


class NotAnId(ValueError):
    """Bytes that no node of this kind has made."""


def make_id(kind: int, payload: bytes) -> str:
    """`kind` (0 to 255) tells what the payload is, and in which version."""
    head = bytes((kind,)) + payload
    sum_ = zlib.crc32(head).to_bytes(_CHECKSUM_BYTES, "big")
    return base64.urlsafe_b64encode(sum_ + head).decode("ascii").rstrip("=")


def read_id(kind: int, text: str) -> bytes:
    """The payload. Raises NotBase64, NotAnId for what is no id of this kind."""
    data = decode_base64(text)
    head = data[_CHECKSUM_BYTES:]
    if len(head) < 1 or zlib.crc32(head).to_bytes(_CHECKSUM_BYTES, "big") != data[:_CHECKSUM_BYTES]:
        raise NotAnId(text)
    if head[0] != kind:
        raise NotAnId(text)
    return head[1:]


def decode_base64(text: str) -> bytes:
    """URL-safe base64, padded or not. Raises NotBase64."""
    plain = text.rstrip("=")
    for character in plain:
        if character not in _ALPHABET:
            code = f"{ord(character):x}"
            raise NotBase64(
                f"Illegal base64 character {code}", f"Illegal base64 character 0x{code}"
            )
    if len(plain) % 4 == 1:
        raise NotBase64(
            "Input byte[] should at least have 2 bytes for base64 bytes"
            if len(plain) == 1
            else "Last unit does not have enough valid bits",
            "Base64 stream has one un-decoded dangling byte.",
        )
    return base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
