"""MurmurHash3, 128 bits for x64 with seed 0, its first half: the hash under the reference's cardinality.

numpy is imported inside the functions: it costs memory that a node without cardinality aggregations does not need.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MASK = (1 << 64) - 1
_C1 = 0x87C37B91114253D5
_C2 = 0x4CF5AD432745937F


def _rotate(value: int, by: int) -> int:
    return ((value << by) | (value >> (64 - by))) & _MASK


def _final_mix(value: int) -> int:
    value ^= value >> 33
    value = value * 0xFF51AFD7ED558CCD & _MASK
    value ^= value >> 33
    value = value * 0xC4CEB9FE1A85EC53 & _MASK
    return value ^ (value >> 33)


def murmur3_h1(data: bytes) -> int:
    """The first 64 bits, unsigned."""
    h1 = h2 = 0
    length = len(data)
    whole = length & ~15
    for at in range(0, whole, 16):
        k1 = int.from_bytes(data[at : at + 8], "little")
        k2 = int.from_bytes(data[at + 8 : at + 16], "little")
        h1 ^= _rotate(k1 * _C1 & _MASK, 31) * _C2 & _MASK
        h1 = ((_rotate(h1, 27) + h2) * 5 + 0x52DCE729) & _MASK
        h2 ^= _rotate(k2 * _C2 & _MASK, 33) * _C1 & _MASK
        h2 = ((_rotate(h2, 31) + h1) * 5 + 0x38495AB5) & _MASK
    tail = data[whole:]
    if len(tail) > 8:
        k2 = int.from_bytes(tail[8:], "little")
        h2 ^= _rotate(k2 * _C2 & _MASK, 33) * _C1 & _MASK
    if tail:
        k1 = int.from_bytes(tail[:8], "little")
        h1 ^= _rotate(k1 * _C1 & _MASK, 31) * _C2 & _MASK
    h1 ^= length
    h2 ^= length
    h1 = (h1 + h2) & _MASK
    h2 = (h2 + h1) & _MASK
    return (_final_mix(h1) + _final_mix(h2)) & _MASK


def hash_strings(values: Iterable[bytes]) -> "NDArray[Any]":
    """uint64 hashes of byte strings (UTF-8 for keywords, 16 bytes for ips), in no particular order."""
    import numpy as np

    by_length: dict[int, list[bytes]] = {}
    for value in values:
        by_length.setdefault(len(value), []).append(value)
    hashes = [
        _hash_equally_long(same, length)
        if length and len(same) >= _TOGETHER_FROM
        else np.fromiter(map(murmur3_h1, same), dtype=np.uint64)
        for length, same in by_length.items()
    ]
    return np.concatenate(hashes) if hashes else np.empty(0, dtype=np.uint64)


# Fewer strings of one length are hashed sooner one by one.
_TOGETHER_FROM = 16


def _hash_equally_long(values: list[bytes], length: int) -> "NDArray[Any]":
    """`murmur3_h1` of all at once: the same steps, on arrays."""
    import numpy as np

    # Blocks of 16 bytes, the last filled up with zeros: the same as the shorter reads of the scalar form.
    blocks = -(-length // 16)
    table = np.zeros((len(values), blocks * 16), dtype=np.uint8)
    table[:, :length] = np.frombuffer(b"".join(values), dtype=np.uint8).reshape(-1, length)
    words = table.view("<u8").astype(np.uint64, copy=False)
    c1, c2 = np.uint64(_C1), np.uint64(_C2)

    def rotate(array: "NDArray[Any]", by: int) -> "NDArray[Any]":
        rotated: NDArray[Any] = (array << np.uint64(by)) | (array >> np.uint64(64 - by))
        return rotated

    def final_mix(array: "NDArray[Any]") -> "NDArray[Any]":
        array = (array ^ (array >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
        array = (array ^ (array >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
        mixed: NDArray[Any] = array ^ (array >> np.uint64(33))
        return mixed

    h1 = np.zeros(len(values), dtype=np.uint64)
    h2 = np.zeros(len(values), dtype=np.uint64)
    five = np.uint64(5)
    for block in range(blocks):
        h1 = h1 ^ rotate(words[:, 2 * block] * c1, 31) * c2
        if length >= (block + 1) * 16:
            h1 = (rotate(h1, 27) + h2) * five + np.uint64(0x52DCE729)
        h2 = h2 ^ rotate(words[:, 2 * block + 1] * c2, 33) * c1
        if length >= (block + 1) * 16:
            h2 = (rotate(h2, 31) + h1) * five + np.uint64(0x38495AB5)
    h1 = h1 ^ np.uint64(length)
    h2 = h2 ^ np.uint64(length)
    h1 = h1 + h2
    h2 = h2 + h1
    hashes: NDArray[Any] = final_mix(h1) + final_mix(h2)
    return hashes


def hash_longs(values: Any) -> "NDArray[Any]":
    """uint64 hashes of an array of int64: longs, dates as milliseconds, booleans as 0 and 1."""
    import numpy as np

    # The reference mixes a long's bits (Stafford's variant 9) instead of hashing its bytes.
    mixed = np.ascontiguousarray(values, dtype=np.int64).view(np.uint64).copy()
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(0x4CD6944C5CC20B6D)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xFC12C5B19D3259E9)
    mixed ^= mixed >> np.uint64(32)
    return mixed


def hash_doubles(values: Any) -> "NDArray[Any]":
    """uint64 hashes of an array of float64, by their bits."""
    import numpy as np

    return hash_longs(np.ascontiguousarray(values, dtype=np.float64).view(np.int64))
