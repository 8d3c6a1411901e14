"""The shard request cache: answers to `size: 0` searches, until the next refresh.

An entry is keyed by the view's generation, so a refresh makes the old ones unreachable and the LRU drops them.
"""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

import msgspec

from sealane.reduce.partial import Partial

MAX_ENTRIES = 2_048
MAX_BYTES = 32 * 1024 * 1024

_encoder = msgspec.msgpack.Encoder()


class RequestCache:
    """Bounded by entries and by the encoded size of the answers. Entries are shared: nobody may change them."""

    def __init__(self, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._entries: OrderedDict[Hashable, tuple[Partial, int]] = OrderedDict()
        self._lock = Lock()
        self.bytes = 0
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> Partial | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                self.misses += 1
                return None
            self.hits += 1
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: Hashable, partial: Partial) -> None:
        size = len(_encoder.encode(partial))
        if size > self._max_bytes // 8:
            return
        with self._lock:
            replaced = self._entries.pop(key, None)
            if replaced is not None:
                self.bytes -= replaced[1]
            self._entries[key] = (partial, size)
            self.bytes += size
            while len(self._entries) > self._max_entries or self.bytes > self._max_bytes:
                _, (_, dropped) = self._entries.popitem(last=False)
                self.bytes -= dropped

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self.bytes = 0
