"""Nested objects of a document: gathered while it is parsed, as documents of their own beside it.

An object's key is the document's `_seq_no` with the object's number in the low bits: unique in the shard, and in the
order of the document. So a key tells its document, and the index of nested objects has its keys where the index of
documents has sequence numbers.
"""

from collections.abc import Callable
from typing import Any

from sealane.engine.embedded.coercion import Flat, Put
from sealane.engine.embedded.positions import line_and_column, places_of
from sealane.engine.embedded.view import FIELD_NAMES, ID, NESTED_PATH, OFFSET, PARENT, ROOT, SEQ_NO
from sealane.engine.mapping import Mapping, ObjectOptions
from sealane.errors import DocumentParsing

NUMBER_BITS = 20
"""So many nested objects a document may have, as a power of two: more than any limit allows."""


class Family(Flat):
    """A document of an index with nested objects, and all of them in the order of their beginnings."""

    __slots__ = ("limit", "objects")

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.objects: list[NestedFlat] = []
        self.limit = limit


class NestedFlat(Flat):
    """One nested object. `number` counts those of the document, `offset` those of its own array."""

    __slots__ = ("number", "offset", "parent", "path", "root")

    def __init__(self, path: str, parent: "Family | NestedFlat") -> None:
        super().__init__()
        self.path = path
        self.parent = parent
        self.root: Family = parent.root if isinstance(parent, NestedFlat) else parent
        objects = self.root.objects
        if len(objects) >= self.root.limit:
            raise TooManyObjects
        self.number = len(objects)
        self.offset = sum(each.parent is parent and each.path == path for each in objects)
        objects.append(self)

    def keyed(self, doc_id: str, seq_no: int) -> Flat:
        """With the columns that place it."""
        self[ID] = doc_id
        self[SEQ_NO] = key_of(seq_no, self.number)
        self[ROOT] = seq_no
        parent = self.parent
        self[PARENT] = key_of(seq_no, parent.number) if isinstance(parent, NestedFlat) else -1
        self[NESTED_PATH] = self.path
        self[OFFSET] = self.offset
        return self


class TooManyObjects(Exception):
    """More nested objects than `index.mapping.nested_objects.limit`."""


def too_many_objects(source: bytes, paths: frozenset[str], limit: int) -> DocumentParsing:
    """`paths` are those of nested objects."""
    begins = sorted(
        each.start for each in places_of(source) if each.raw == "{" and each.path in paths
    )
    line, column = line_and_column(source, begins[limit] if limit < len(begins) else 0)
    return DocumentParsing(
        f"[{line}:{column}] The number of nested documents has exceeded the allowed limit of [{limit}]. This limit "
        "can be set by changing the [index.mapping.nested_objects.limit] index level setting."
    )


def key_of(seq_no: int, number: int) -> int:
    return seq_no << NUMBER_BITS | number


def flat_maker(mapping: Mapping, limit: int = 1 << NUMBER_BITS) -> Callable[[], Flat]:
    """What makes the empty document under a mapping. Those with constants have them already."""
    plain: Callable[[], Flat] = (lambda: Family(limit)) if mapping.nested else Flat
    constants = {
        path: leaf.value for path, leaf in mapping.fields.items() if leaf.value is not None
    }
    if not constants:
        return plain

    def with_constants() -> Flat:
        flat = plain()
        flat.update(constants)
        return flat

    return with_constants


def nested_put(path: str, options: ObjectOptions, inner: Put) -> Put:
    """The plan of a nested object: `inner` fills a document of its own."""

    def put(value: Any, flat: Flat) -> None:
        if type(value) is list:
            for each in value:
                put(each, flat)
            return
        if type(value) is not dict:
            inner(value, flat)
            return
        assert isinstance(flat, Family | NestedFlat)
        own = NestedFlat(path, flat)
        inner(value, own)
        flat.key_count += own.key_count
        if own.ignored:
            flat.ignored += tuple(each for each in own.ignored if each not in flat.ignored)
        if options.include_in_parent:
            _include(own, flat)
        if options.include_in_root and not (options.include_in_parent and flat is own.root):
            _include(own, own.root)

    return put


def _include(own: Flat, other: Flat) -> None:
    for path, value in own.items():
        values = value if type(value) is list else [value]
        held = other.get(path)
        if path == FIELD_NAMES and held is not None:
            known = held if type(held) is list else [held]
            values = [each for each in values if each not in known]
            if not values:
                continue
        if held is None:
            other[path] = value if type(value) is not list else list(value)
        elif type(held) is list:
            held.extend(values)
        else:
            other[path] = [held, *values]


def reaches_root(mapping: Mapping, path: str) -> bool:
    """Whether the values of the field at `path` are in the document itself."""
    at = mapping.nested_at(path)
    while at:
        options = mapping.object_options[at]
        if options.include_in_root:
            return True
        if not options.include_in_parent:
            return False
        at = mapping.nested_at(at.rpartition(".")[0])
    return True


def holder(flat: Flat, mapping: Mapping, path: str) -> Flat:
    """The document, of `flat` and those around it, that the field at `path` belongs to."""
    wanted = mapping.nested_at(path)
    while isinstance(flat, NestedFlat) and flat.path != wanted:
        flat = flat.parent
    return flat
