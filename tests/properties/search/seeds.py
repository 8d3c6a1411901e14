"""Which seeds a run takes: the first `DEFAULT`, or what `SEALANE_SEEDS` says (`500`, or `17-17` for one again)."""

import os

DEFAULT = 12


def seeds(default: int = DEFAULT) -> range:
    asked = os.environ.get("SEALANE_SEEDS", str(default))
    first, dash, last = asked.partition("-")
    return range(int(first), int(last) + 1) if dash else range(int(asked))
