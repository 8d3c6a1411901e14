"""Stored documents, decoded, of all shards: a page that is asked for again is not read again.

Bounded by bytes. Documents are in two halves: what is used goes to the younger one; when that is full, it becomes the
older one, and what was there and has not been used since is forgotten. Views never change, so nothing is invalidated.
"""

from threading import Lock

import msgspec

from sealane.engine.embedded.stored import decode_stored

MAX_BYTES = 16 * 1024 * 1024
# What an entry takes beside the document's own bytes.
_OVERHEAD = 250


class Document(msgspec.Struct, frozen=True, gc=False):
    """A stored document as hits need it. Holds nothing that the garbage collector would have to look at."""

    seq_no: int
    term: int
    version: int
    id: str
    routing: str | None
    ignored: tuple[str, ...]
    source: bytes


class DocumentCache:
    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._half = max_bytes // 2
        self._young: dict[int, Document] = {}
        self._old: dict[int, Document] = {}
        self._lock = Lock()
        self.bytes = 0
        """Of the younger half."""

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def find(self, keys: list[int]) -> list[Document | None]:
        """What is known of each key."""
        found = list(map(self._young.get, keys))
        if None in found:
            for at, document in enumerate(found):
                if document is None:
                    older = found[at] = self._old.get(keys[at])
                    if older is not None:
                        self._put(keys[at], older)
        return found

    def keep(self, key: int, data: bytes) -> Document:
        """Decodes a document, to be found again."""
        document = decoded(data)
        self._put(key, document)
        return document

    def _put(self, key: int, document: Document) -> None:
        size = len(document.source) + _OVERHEAD
        if size > self._half // 8:
            return
        with self._lock:
            if key in self._young:
                return
            if self.bytes + size > self._half:
                self._old, self._young, self.bytes = self._young, {}, 0
            self._young[key] = document
            self.bytes += size


def decoded(data: bytes) -> Document:
    """A stored document, not kept."""
    seq_no, term, version, doc_id, routing, ignored, source = decode_stored(data)
    return Document(seq_no, term, version, doc_id, routing, tuple(ignored), source)
