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
    """uint64 hashes of byte strings (UTF-8 for keywords, 16 bytes for ips)."""
    import numpy as np

    return np.fromiter((murmur3_h1(value) for value in values), dtype=np.uint64)


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
