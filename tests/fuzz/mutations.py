"""Changed inputs without a fuzzing engine: seeded, so that a run can be repeated."""

import random
from collections.abc import Sequence

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF)
_INTS = (-(1 << 31), -1, 0, 1, 0x7FFFFFFF, 1 << 16)


def mutated(chance: random.Random, inputs: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """One of `inputs` with a few changes: bytes set, added, removed, repeated, joined with another input."""
    data = bytearray(chance.choice(inputs))
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(8):
            case 0 if data:
                data[at % len(data)] = chance.randrange(256)
            case 1 if data:
                data[at % len(data)] = chance.choice(_NUMBERS)
            case 2:
                data[at:at] = chance.randbytes(chance.randint(1, 8))
            case 3:
                del data[at : at + chance.randint(1, 16)]
            case 4:
                data[at:at] = data[at : at + chance.randint(1, 32)] * chance.randint(1, 8)
            case 5:
                other = chance.choice(inputs)
                data[at:] = other[chance.randrange(len(other) + 1) :]
            case 6 if words:
                data[at:at] = chance.choice(words)
            case _:
                data[at : at + 4] = chance.choice(_INTS).to_bytes(4, "big", signed=True)
    return bytes(data)
