"""The hashes by which the reference puts keys into partitions. All results are signed, as its arithmetic is."""

import struct

_MASK32, _MASK64 = (1 << 32) - 1, (1 << 64) - 1


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def mix64(value: int) -> int:
    """A 64-bit number, its bits mixed."""
    z = value & _MASK64
    z = (z ^ z >> 32) * 0x4CD6944C5CC20B6D & _MASK64
    z = (z ^ z >> 29) * 0xFC12C5B19D3259E9 & _MASK64
    return _signed(z ^ z >> 32, 64)


def sortable_long(value: float) -> int:
    """The bits of a double, turned so that they sort as it does."""
    bits: int = struct.unpack("<q", struct.pack("<d", value))[0]
    return bits ^ (bits >> 63) & 0x7FFF_FFFF_FFFF_FFFF


def murmur3_32(data: bytes, seed: int) -> int:
    """MurmurHash3, 32 bits for x86."""
    state = seed
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        state ^= _scrambled(int.from_bytes(data[at : at + 4], "little"))
        state = ((state << 13 | state >> 19) & _MASK32) * 5 + 0xE6546B64 & _MASK32
    if whole < len(data):
        state ^= _scrambled(int.from_bytes(data[whole:], "little"))
    state ^= len(data)
    state = (state ^ state >> 16) * 0x85EBCA6B & _MASK32
    state = (state ^ state >> 13) * 0xC2B2AE35 & _MASK32
    return _signed(state ^ state >> 16, 32)


def _scrambled(block: int) -> int:
    block = block * 0xCC9E2D51 & _MASK32
    block = (block << 15 | block >> 17) & _MASK32
    return block * 0x1B873593 & _MASK32
