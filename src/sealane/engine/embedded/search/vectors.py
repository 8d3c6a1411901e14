"""The vectors of a field in one view, as a matrix, and how near they are to another: exactly, of every document.

A matrix is read at the first search after a refresh. The cache keeps the newest of each field of a shard, the ones used
last; it is bounded by their bytes.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import numpy as np
import numpy.typing as npt
import tantivy

from sealane.engine.embedded.search.scope import Scope
from sealane.engine.embedded.search.scored import Docs, Doubles, Flags, Floats, every_doc_of
from sealane.engine.embedded.view import VECTOR
from sealane.engine.mapping import Field

MAX_BYTES = 512 * 1024 * 1024
# Numbers that are compared at a time, in doubles: enough to be fast, few enough to need no memory to speak of.
_AT_A_TIME = 1 << 18
_BYTE_DOT_SCALE = 2**15

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Matrix:
    """One row for each of `docs`."""

    docs: Docs
    rows: Rows


class VectorCache:
    """Matrices by shard and field, each of one generation of the shard's views."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[tuple[str, int, str], tuple[int, Matrix]] = OrderedDict()
        self._lock = Lock()
        self.bytes = 0

    def get(self, key: tuple[str, int, str], generation: int, read: Callable[[], Matrix]) -> Matrix:
        """The matrix of a generation, read where it is not the one that is kept."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept[0] == generation:
                self._kept.move_to_end(key)
                return kept[1]
        matrix = read()
        with self._lock:
            self._drop(key)
            if matrix.rows.nbytes <= self._max_bytes:
                self._kept[key] = (generation, matrix)
                self.bytes += matrix.rows.nbytes
            while self.bytes > self._max_bytes:
                self._drop(next(iter(self._kept)))
        return matrix

    def _drop(self, key: tuple[str, int, str]) -> None:
        dropped = self._kept.pop(key, None)
        if dropped is not None:
            self.bytes -= dropped[1].rows.nbytes


vector_cache = VectorCache()
"""The cache of the process, shared by all shards."""


def matrix_of(mapped: Field, scope: Scope) -> Matrix:
    """All vectors of a field, those of hidden documents too: it is kept for everybody."""
    view = scope.state.view
    key = (view.index_uuid, view.shard, mapped.path)
    return vector_cache.get(key, view.generation, lambda: _read(mapped, scope))


def _read(mapped: Field, scope: Scope) -> Matrix:
    docs = every_doc_of(tantivy.Query.exists_query(mapped.path), scope)
    searcher, name = scope.state.view.searcher, mapped.path + VECTOR
    data = b"".join(searcher.doc(address)[name][0] for address in docs.addresses)
    rows = np.frombuffer(data, "<f4").astype(np.float32)
    width = len(rows) // len(docs) if len(docs) else 0
    # Without the addresses, which nothing needs any more.
    return Matrix(Docs(docs.keys, docs.places), rows.reshape(len(docs), width))


def scores(rows: Rows, chosen: Flags | None, vector: Floats, mapped: Field) -> Floats:
    """The score of each chosen row, by the field's similarity: the nearer the greater, never negative."""
    places = np.arange(len(rows)) if chosen is None else np.flatnonzero(chosen)
    result = np.empty(len(places), np.float32)
    step = max(1, _AT_A_TIME // max(1, rows.shape[1]))
    for start in range(0, len(places), step):
        part = rows[places[start : start + step]]
        result[start : start + step] = _scores(part, vector, mapped)
    return result


def _scores(rows: Rows, vector: Floats, mapped: Field) -> Floats:
    if mapped.element_type == "bit":
        return _bit_scores(rows, vector)
    wide, query = rows.astype(np.float64), vector.astype(np.float64)
    measure = mapped.similarity or "cosine"
    if measure == "l2_norm":
        return of_measure(np.sqrt(((wide - query) ** 2).sum(axis=1)), mapped, measure)
    dots = wide @ query
    if measure == "cosine":
        lengths = np.sqrt((wide**2).sum(axis=1)) * np.sqrt((query**2).sum())
        with np.errstate(invalid="ignore", divide="ignore"):
            dots = np.nan_to_num(dots / lengths)
    return of_measure(dots, mapped, measure)


def of_measure(values: Doubles, mapped: Field, measure: str) -> Floats:
    """Scores of similarities as the field measures them; `l2_norm` has distances."""
    if measure == "l2_norm":
        return (1.0 / (1.0 + values**2)).astype(np.float32)
    if measure == "max_inner_product":
        below = 1.0 / (1.0 - np.minimum(values, 0.0))
        return np.where(values < 0, below, values + 1.0).astype(np.float32)
    if measure == "dot_product" and mapped.element_type == "byte":
        dims = mapped.dims or 1
        return (0.5 + values / (dims * _BYTE_DOT_SCALE)).astype(np.float32)
    return np.maximum((1.0 + values) / 2.0, 0.0).astype(np.float32)


def _bit_scores(rows: Rows, vector: Floats) -> Floats:
    bits, query = _bits(rows), _bits(vector[np.newaxis, :])
    differing = np.unpackbits(bits ^ query, axis=1).sum(axis=1)
    dims = bits.shape[1] * 8
    near: Floats = ((dims - differing) / dims).astype(np.float32)
    return near


def _bits(values: Rows) -> npt.NDArray[np.uint8]:
    return values.astype(np.int8).view(np.uint8)
