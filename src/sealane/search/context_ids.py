"""The ids of points in time and scrolls: where their reader contexts are, cluster by cluster.

Nothing is kept on the coordinator, so any node of the cluster that made an id can go on with it.
"""

from collections.abc import Sequence

import msgspec

from sealane.model.opaque import NotAnId, make_id, read_id

_PIT_V1 = 1
_SCROLL_V1 = 2
_encoder = msgspec.msgpack.Encoder()


class HeldIndex(msgspec.Struct, frozen=True, array_like=True):
    """Shards of one index and their contexts, in the same order. A context is its number in the cluster's session."""

    index: str
    uuid: str
    shards: tuple[int, ...]
    contexts: tuple[int, ...]
    filters: tuple[bytes, ...] | None = None
    reached: tuple[str, ...] = ()


class HeldCluster(msgspec.Struct, frozen=True, array_like=True):
    """`session` begins the names of all contexts there; `node` is who holds them."""

    alias: str
    node: str
    session: str
    indices: tuple[HeldIndex, ...]

    def context(self, number: int) -> str:
        return f"{self.session}:{number}"


class ScrolledCluster(msgspec.Struct, frozen=True, array_like=True):
    alias: str
    session: str
    contexts: tuple[int, ...]

    def names(self) -> list[str]:
        return [f"{self.session}:{number}" for number in self.contexts]


_pit_decoder = msgspec.msgpack.Decoder(tuple[HeldCluster, ...])
_scroll_decoder = msgspec.msgpack.Decoder(tuple[ScrolledCluster, ...])


def split_context(context: str) -> tuple[str, int]:
    """(session, number) of a context's name."""
    session, _, number = context.rpartition(":")
    return session, int(number)


def make_pit_id(clusters: Sequence[HeldCluster]) -> str:
    return make_id(_PIT_V1, _encoder.encode(tuple(clusters)))


def read_pit_id(text: str) -> tuple[HeldCluster, ...]:
    """Raises NotBase64, NotAnId for another id."""
    try:
        held = _pit_decoder.decode(read_id(_PIT_V1, text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotAnId(text) from error
    if any(len(index.shards) != len(index.contexts) for each in held for index in each.indices):
        raise NotAnId(text)
    return held


def make_scroll_id(clusters: Sequence[ScrolledCluster]) -> str:
    return make_id(_SCROLL_V1, _encoder.encode(tuple(clusters)))


def read_scroll_id(text: str) -> tuple[ScrolledCluster, ...]:
    """Raises NotBase64, NotAnId for another id."""
    try:
        return _scroll_decoder.decode(read_id(_SCROLL_V1, text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotAnId(text) from error
