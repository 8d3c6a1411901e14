"""A document's bytes into the flat values that tantivy takes, by a plan compiled once per mapping.

The plan is a tree of closures, one per field, each of which takes its commonest value first: this is the hottest code
of a bulk. What is rare (arrays, coercions, errors) is in coercion.py; explaining an error in document_errors.py.
"""

from collections.abc import Callable
from typing import Any

import orjson

from sealane.engine.embedded.analysis import prepare
from sealane.engine.embedded.coercion import (
    BadField,
    Flat,
    Put,
    coercer,
    count_keys,
    put_all,
)
from sealane.engine.embedded.document_errors import (
    explain_bad_field,
    explain_misplaced,
    explain_too_much,
    not_an_object,
    read_carefully,
    read_exactly,
    too_deep,
)
from sealane.engine.embedded.field_puts import NotKnownYet, copying, special_put
from sealane.engine.embedded.nested_documents import (
    TooManyObjects,
    flat_maker,
    nested_put,
    too_many_objects,
)
from sealane.engine.embedded.timestamps import check_timestamp
from sealane.engine.mapping import (
    DEFAULT_DATE_FORMAT,
    Dynamic,
    Field,
    FieldType,
    Mapping,
    MappingLimits,
    merge_mapping,
)
from sealane.engine.mapping.infer import TooMuch, infer_update
from sealane.engine.mapping.types import METADATA_FIELDS
from sealane.engine.mapping.values import (
    BadValue,
    NeedsRawNumbers,
    instant_from,
    round_to_float,
)
from sealane.errors import ApiError

_LONG = (-(2**63), 2**63 - 1)
_RANGES = {
    FieldType.LONG: _LONG,
    FieldType.INTEGER: (-(2**31), 2**31 - 1),
    FieldType.SHORT: (-(2**15), 2**15 - 1),
    FieldType.BYTE: (-128, 127),
}
# A code point takes four bytes at most, so a shorter text is never over the limit of 32,766.
_SURELY_SHORT = 32_766 // 4


class Unmapped(Exception):
    """The document has a field that the plan does not know and that may be added."""


class Misplaced(Exception):
    """A value where the mapping's shape does not allow it: `kind` says how."""

    def __init__(self, kind: str, path: str, name: str) -> None:
        super().__init__(kind)
        self.kind = kind
        self.path = path
        self.name = name


class DocumentParser:
    """Parses documents under one mapping, which it may find too narrow: then `mapping` grows.

    Not shared between threads.
    """

    def __init__(self, mapping: Mapping, limits: MappingLimits) -> None:
        self.mapping = mapping
        self._limits = limits
        self._new_flat = flat_maker(mapping, limits.nested_objects)
        self._root = compile_plan(mapping)
        self._ignoring_root: Put | None = None
        """The plan that leaves out what is not mapped; made when a document needs it."""

    def parse(self, source: bytes, doc_id: str) -> Flat:
        """Raises ApiError, with the reference's text and place, where the document does not fit."""
        try:
            return self._parse(source, doc_id)
        except RecursionError as exc:
            raise too_deep(source) from exc

    def _parse(self, source: bytes, doc_id: str) -> Flat:
        try:
            document = orjson.loads(source)
        except orjson.JSONDecodeError:
            document = read_carefully(source)
        if type(document) is not dict:
            raise not_an_object()
        if self.mapping.data_stream_timestamp:
            check_timestamp(document, self.mapping, source, doc_id)
        flat = self._new_flat()
        try:
            self._root(document, flat)
        except (Unmapped, NotKnownYet):
            return self._parse_dynamic(source, doc_id)
        except NeedsRawNumbers:
            try:
                return self._parse_whole(read_exactly(source), source, doc_id, self._root)
            except (Unmapped, NotKnownYet):
                return self._parse_dynamic(source, doc_id)
        except TooManyObjects:
            raise self._too_many_objects(source) from None
        except (BadField, Misplaced) as exc:
            raise self._explained(exc, source, doc_id) from exc
        self._check_duplicates(source, flat)
        return flat

    def _parse_dynamic(self, source: bytes, doc_id: str) -> Flat:
        """Adds what the document shows, and keeps the addition only if the document then fits."""
        document = read_exactly(source)
        try:
            update, ignored = infer_update(document, self.mapping, self._limits)
        except TooMuch as exc:
            raise explain_too_much(source, exc) from exc
        mapping = merge_mapping(self.mapping, update, self._limits)
        if mapping is self.mapping:
            if self._ignoring_root is None:
                self._ignoring_root = compile_plan(mapping, ignore_unknown=True)
            parsed = self._parse_whole(document, source, doc_id, self._ignoring_root)
        else:
            root = compile_plan(mapping, ignore_unknown=True)
            self._new_flat = flat_maker(mapping, self._limits.nested_objects)
            parsed = self._parse_whole(document, source, doc_id, root)
            self.mapping = mapping
            self._root, self._ignoring_root = compile_plan(mapping), root
        parsed.ignored += ignored
        return parsed

    def _parse_whole(self, document: dict[str, Any], source: bytes, doc_id: str, root: Put) -> Flat:
        flat = self._new_flat()
        try:
            root(document, flat)
        except TooManyObjects:
            raise self._too_many_objects(source) from None
        except (BadField, Misplaced) as exc:
            raise self._explained(exc, source, doc_id) from exc
        self._check_duplicates(source, flat)
        return flat

    def _explained(self, exc: "BadField | Misplaced", source: bytes, doc_id: str) -> ApiError:
        if isinstance(exc, BadField):
            return explain_bad_field(source, exc, doc_id)
        return explain_misplaced(source, exc.kind, exc.path, exc.name, doc_id)

    def _too_many_objects(self, source: bytes) -> ApiError:
        return too_many_objects(source, self.mapping.nested, self._limits.nested_objects)

    def _check_duplicates(self, source: bytes, flat: Flat) -> None:
        """The JSON parser keeps the last of two equal keys; the reference refuses them.

        More key marks than keys means a duplicate, or text that looks like one: only then the bytes are read again.
        """
        if source.count(b'":') + source.count(b'" :') > flat.key_count:
            read_exactly(source)


def parse_ignoring_unknown(mapping: Mapping) -> Callable[[bytes], Flat]:
    """For operations that were accepted before: what cannot be indexed now is left out, never an error."""
    root = compile_plan(mapping, ignore_unknown=True)
    new_flat = flat_maker(mapping)

    def parse(source: bytes) -> Flat:
        flat = new_flat()
        try:
            try:
                root(orjson.loads(source), flat)
            except (NeedsRawNumbers, orjson.JSONDecodeError):
                flat = new_flat()
                root(read_exactly(source), flat)
        except (BadField, Misplaced, NotKnownYet, TooManyObjects, RecursionError, ApiError):
            return Flat()
        return flat

    return parse


# -- the plan ----------------------------------------------------------------------------------------------------


def compile_plan(mapping: Mapping, *, ignore_unknown: bool = False) -> Put:
    """One closure for the whole document."""
    by_source: dict[str, list[Field]] = {}
    for leaf in mapping.fields.values():
        by_source.setdefault(leaf.source_path, []).append(leaf)
    puts: dict[str, Put] = {path: _leaf_put(leaves) for path, leaves in by_source.items()}
    copying(mapping, puts, grows=not ignore_unknown)
    # Deepest first: an object's closure needs those of the objects in it.
    for path in sorted(mapping.objects, key=lambda each: -each.count(".")):
        puts[path] = _object_put(mapping, path, puts, ignore_unknown)
        options = mapping.object_options.get(path)
        if options is not None and options.nested:
            puts[path] = nested_put(path, options, puts[path])
    for name in METADATA_FIELDS:
        puts[name] = _metadata_put(name)
    return _object_put(mapping, "", puts, ignore_unknown)


def _object_put(mapping: Mapping, path: str, puts: dict[str, Put], ignore_unknown: bool) -> Put:
    if not mapping.is_enabled(path):
        return _skip
    prefix = f"{path}." if path else ""
    # Dotted keys are children too: `{"host.name": ...}` finds its leaf at the first look.
    children = {each[len(prefix) :]: put for each, put in puts.items() if each.startswith(prefix)}
    find = children.get
    unknown = _unknown_put(mapping, path, children, ignore_unknown)
    name = path.rpartition(".")[2]

    def put(value: Any, flat: Flat) -> None:
        if type(value) is dict:
            flat.key_count += len(value)
            for key, item in value.items():
                child = find(key)
                if child is not None:
                    child(item, flat)
                else:
                    unknown(key, item, flat)
        elif type(value) is list:
            for each in value:
                if type(each) is dict or type(each) is list:
                    put(each, flat)
                elif each is not None:
                    raise Misplaced("object in array", path, "null")
        elif value is not None:
            raise Misplaced("object", path, name)

    return put


def _unknown_put(
    mapping: Mapping, path: str, children: dict[str, Put], ignore_unknown: bool
) -> Callable[[str, Any, Flat], None]:
    dynamic = mapping.dynamic_at(path)

    def unknown(key: str, value: Any, flat: Flat) -> None:
        _check_name(path, key)
        head, dot, rest = key.strip(".").partition(".")
        while dot and head not in children:
            more, dot, rest = rest.partition(".")
            head = f"{head}.{more}"
        if head != key and head in children:
            # A dotted key whose beginning is known: go on below, where the object's own rule holds.
            flat.key_count -= 1
            children[head]({rest: value} if rest else value, flat)
            return
        if dynamic is Dynamic.STRICT:
            raise Misplaced("strict", path, key)
        if dynamic is Dynamic.FALSE or ignore_unknown:
            count_keys(value, flat)
            return
        if not _adds_nothing(value):
            raise Unmapped

    return unknown


def _adds_nothing(value: Any) -> bool:
    """Null and empty arrays say nothing of a field's type."""
    return value is None or (type(value) is list and all(_adds_nothing(each) for each in value))


def _check_name(path: str, key: str) -> None:
    if not key:
        raise Misplaced("empty name", path, key)
    if not key.strip(" \t\r\n"):
        raise Misplaced("blank name", path, key)
    if "." in key:
        if not key.strip("."):
            raise Misplaced("only dots", path, key)
        if any(not part.strip() for part in key.rstrip(".").split(".")):
            raise Misplaced("blank part", path, key)


def _skip(value: Any, flat: Flat) -> None:
    count_keys(value, flat)


def _metadata_put(name: str) -> Put:
    def put(value: Any, flat: Flat) -> None:
        raise Misplaced("metadata", name, name)

    return put


def _leaf_put(leaves: list[Field]) -> Put:
    """All that one source path feeds: the field itself and its multi-fields."""
    puts = [_single_put(leaf) for leaf in sorted(leaves, key=lambda leaf: leaf.is_multi_field)]
    if len(puts) == 1:
        return puts[0]
    if len(puts) == 2:
        first, second = puts
        if all(leaf.is_indexed for leaf in leaves) and {FieldType.TEXT, FieldType.KEYWORD} == {
            leaf.type for leaf in leaves
        }:
            return _text_and_keyword_put(leaves, first, second)

        def both(value: Any, flat: Flat) -> None:
            first(value, flat)
            second(value, flat)

        return both

    def each_of(value: Any, flat: Flat) -> None:
        for put in puts:
            put(value, flat)

    return each_of


def _text_and_keyword_put(leaves: list[Field], first: Put, second: Put) -> Put:
    """The commonest pair in one step: a text and a keyword of the same source."""
    (text,) = (leaf.path for leaf in leaves if leaf.type is FieldType.TEXT)
    (keyword,) = (leaf for leaf in leaves if leaf.type is FieldType.KEYWORD)
    raw, limit = keyword.path, _sure_limit(keyword)

    def put(value: Any, flat: Flat) -> None:
        if type(value) is str and len(value) <= limit and text not in flat and raw not in flat:
            flat[text] = prepare(value)
            flat.note_text(text)
            flat[raw] = value
            return
        first(value, flat)
        second(value, flat)

    return put


def _sure_limit(keyword: Field) -> int:
    """Up to how many characters a value surely fits."""
    limit = keyword.ignore_above
    return _SURELY_SHORT if limit is None else min(limit, _SURELY_SHORT)


def _single_put(leaf: Field) -> Put:
    special = special_put(leaf)
    if special is not None:
        return special
    coerce = coercer(leaf)
    if leaf.type is FieldType.TEXT:
        return _text_put(leaf, coerce)
    if leaf.type is FieldType.KEYWORD:
        return _keyword_put(leaf, coerce)
    if leaf.type.is_integral and leaf.is_indexed:
        return _integral_put(leaf, coerce)
    if leaf.type in (FieldType.DOUBLE, FieldType.FLOAT) and leaf.is_indexed:
        return _floating_put(leaf, coerce)
    if leaf.type is FieldType.DATE and leaf.is_indexed and _takes_instants(leaf):
        return _date_put(leaf, coerce)
    if leaf.type in (FieldType.DATE, FieldType.IP) and leaf.is_indexed:
        return _from_text_put(leaf, coerce)

    def put(value: Any, flat: Flat) -> None:
        put_all(leaf, coerce, value, flat)

    return put


def _from_text_put(leaf: Field, coerce: Callable[[Any], Any]) -> Put:
    path = leaf.path

    def put(value: Any, flat: Flat) -> None:
        if type(value) is str and path not in flat:
            try:
                flat[path] = coerce(value)
                return
            except BadValue:
                pass  # put_all meets it again, and knows what to do with it
        put_all(leaf, coerce, value, flat)

    return put


def _takes_instants(leaf: Field) -> bool:
    return (leaf.format or DEFAULT_DATE_FORMAT).split("||")[0] == "strict_date_optional_time"


def _date_put(leaf: Field, coerce: Callable[[Any], Any]) -> Put:
    path = leaf.path
    otherwise = _from_text_put(leaf, coerce)

    def put(value: Any, flat: Flat) -> None:
        if type(value) is str and path not in flat:
            instant = instant_from(value)
            if instant is not None:
                flat[path] = instant
                return
        otherwise(value, flat)

    return put


def _text_put(leaf: Field, coerce: Callable[[Any], Any]) -> Put:
    path = leaf.path
    indexed = leaf.is_indexed

    def put(value: Any, flat: Flat) -> None:
        if type(value) is str and path not in flat:
            if indexed:
                flat[path] = prepare(value)
                flat.note_text(path)
            return
        put_all(leaf, coerce, value, flat)

    return put


def _keyword_put(leaf: Field, coerce: Callable[[Any], Any]) -> Put:
    path = leaf.path
    limit = _sure_limit(leaf)
    indexed = leaf.is_indexed

    def put(value: Any, flat: Flat) -> None:
        if type(value) is str and len(value) <= limit and path not in flat:
            if indexed:
                flat[path] = value
            return
        put_all(leaf, coerce, value, flat)

    return put


def _integral_put(leaf: Field, coerce: Callable[[Any], Any]) -> Put:
    path = leaf.path
    low, high = _RANGES[leaf.type]

    def put(value: Any, flat: Flat) -> None:
        if type(value) is int and low <= value <= high and path not in flat:
            flat[path] = value
            return
        put_all(leaf, coerce, value, flat)

    return put


def _floating_put(leaf: Field, coerce: Callable[[Any], Any]) -> Put:
    path = leaf.path
    is_float = leaf.type is FieldType.FLOAT

    def put(value: Any, flat: Flat) -> None:
        if type(value) is float and path not in flat:
            number = round_to_float(value) if is_float else value
            if number - number == 0.0:  # neither infinite nor NaN
                flat[path] = number
                return
        put_all(leaf, coerce, value, flat)

    return put
