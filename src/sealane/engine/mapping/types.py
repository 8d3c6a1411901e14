"""What a mapping is: its leaves, its objects and what it says of fields not yet known. Plain, immutable data.

Parsing is in parse.py, merging in merge.py, the JSON form in render.py.
"""

from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

DEFAULT_DATE_FORMAT = "strict_date_optional_time||epoch_millis"
DEFAULT_DYNAMIC_DATE_FORMATS = (
    "strict_date_optional_time",
    "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis",
)

METADATA_FIELDS = frozenset(
    (
        "_doc",
        "_doc_count",
        "_field_names",
        "_id",
        "_ignored",
        "_index",
        "_nested_path",
        "_routing",
        "_seq_no",
        "_source",
        "_tier",
        "_type",
        "_version",
    )
)
"""Names that no document and no mapping may use: the reference's, and `_doc`, a column of ours."""


class FieldType(StrEnum):
    TEXT = "text"
    KEYWORD = "keyword"
    LONG = "long"
    INTEGER = "integer"
    SHORT = "short"
    BYTE = "byte"
    DOUBLE = "double"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    IP = "ip"
    HALF_FLOAT = "half_float"
    SCALED_FLOAT = "scaled_float"
    DATE_NANOS = "date_nanos"
    BINARY = "binary"
    GEO_POINT = "geo_point"
    CONSTANT_KEYWORD = "constant_keyword"
    WILDCARD = "wildcard"
    DENSE_VECTOR = "dense_vector"
    COMPLETION = "completion"
    ALIAS = "alias"
    OBJECT = "object"
    NESTED = "nested"

    @property
    def is_integral(self) -> bool:
        return self in (FieldType.LONG, FieldType.INTEGER, FieldType.SHORT, FieldType.BYTE)

    @property
    def is_floating(self) -> bool:
        return self in _FLOATING

    @property
    def is_date(self) -> bool:
        return self in (FieldType.DATE, FieldType.DATE_NANOS)


_WITHOUT_COLUMN = frozenset((FieldType.BINARY, FieldType.ALIAS))
_KEYWORDS = frozenset((FieldType.WILDCARD, FieldType.CONSTANT_KEYWORD))
_FLOATING = frozenset(
    (FieldType.DOUBLE, FieldType.FLOAT, FieldType.HALF_FLOAT, FieldType.SCALED_FLOAT)
)


class Dynamic(StrEnum):
    """What becomes of a field that the mapping does not know."""

    TRUE = "true"
    FALSE = "false"
    STRICT = "strict"
    RUNTIME = "runtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One leaf. `path` is its full name (`host.name`, `title.keyword`); `source_path` where its values come from.

    A multi-field is a leaf whose `source_path` is its parent's path. `null_value` has the type of the field (text for
    dates and ips). `explicit` names parameters that are shown although they have their default value.
    """

    path: str
    type: FieldType
    source_path: str
    index: bool = True
    doc_values: bool = True
    ignore_above: int | None = None
    format: str | None = None
    locale: str | None = None
    null_value: "str | int | float | bool | MappingABC[str, float] | None" = None
    ignore_malformed: bool = False
    coerce: bool = True
    analyzer: str = "standard"
    store: bool = False
    norms: bool = True
    eager_global_ordinals: bool = False
    copy_to: tuple[str, ...] = ()
    target: str | None = None
    """Of an alias: the field it stands for."""
    value: str | None = None
    """Of a constant_keyword, once it is known."""
    scaling_factor: float = 1.0
    ignore_z_value: bool = True
    dims: int | None = None
    element_type: str = "float"
    similarity: str | None = None
    index_options: MappingABC[str, Any] | None = None
    preserve_separators: bool = True
    preserve_position_increments: bool = True
    max_input_length: int = 50
    meta: MappingABC[str, str] = field(default_factory=dict)
    explicit: frozenset[str] = frozenset()

    @property
    def is_indexed(self) -> bool:
        """Whether anything of it can be searched, sorted or aggregated at all."""
        if self.type is FieldType.TEXT:
            return self.index
        if self.type in _WITHOUT_COLUMN:
            return False
        return self.index or self.doc_values

    @property
    def as_searched(self) -> "Field":
        """The field as queries see it: what is kept as a keyword is one."""
        return replace(self, type=FieldType.KEYWORD) if self.type in _KEYWORDS else self

    @property
    def is_multi_field(self) -> bool:
        return self.path != self.source_path


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectOptions:
    """What an object says beside its properties. `dynamic` None inherits; `enabled` None is the default, true.

    The objects of a `nested` one are documents of their own; the others say whether their fields are in the documents
    around them as well.
    """

    dynamic: Dynamic | None = None
    enabled: bool | None = None
    nested: bool = False
    include_in_parent: bool = False
    include_in_root: bool = False


NO_OPTIONS = ObjectOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """An immutable mapping. `fields` are the leaves by path, multi-fields included; `objects` the paths of objects.

    None means "not said", so that merging changes only what an update says.
    """

    fields: MappingABC[str, Field] = field(default_factory=dict)
    objects: frozenset[str] = frozenset()
    object_options: MappingABC[str, ObjectOptions] = field(default_factory=dict)
    """By path, only where an object says something. The root is the empty path."""
    date_detection: bool | None = None
    numeric_detection: bool | None = None
    dynamic_date_formats: tuple[str, ...] | None = None
    dynamic_templates: tuple[()] | None = None
    routing_required: bool | None = None
    data_stream_timestamp: bool | None = None
    """Whether each document must have one `@timestamp`, as those of data streams do."""
    meta: MappingABC[str, Any] | None = None

    def get(self, path: str) -> Field | None:
        return self.fields.get(path)

    def multi_fields(self, path: str) -> tuple[Field, ...]:
        """The multi-fields of the leaf at `path`."""
        return tuple(
            leaf for leaf in self.fields.values() if leaf.source_path == path and leaf.path != path
        )

    def dynamic_at(self, path: str) -> Dynamic:
        """What holds for unknown fields directly below the object `path`."""
        while True:
            options = self.object_options.get(path)
            if options is not None and options.dynamic is not None:
                return options.dynamic
            if not path:
                return Dynamic.TRUE
            path = path.rpartition(".")[0]

    def is_enabled(self, path: str) -> bool:
        options = self.object_options.get(path)
        return options is None or options.enabled is not False

    @property
    def nested(self) -> frozenset[str]:
        """The paths of nested objects."""
        return frozenset(path for path, each in self.object_options.items() if each.nested)

    def nested_at(self, path: str) -> str:
        """The innermost nested object that holds the field or object at `path`, itself included; "" for the root."""
        while path:
            options = self.object_options.get(path)
            if options is not None and options.nested:
                return path
            path = path.rpartition(".")[0]
        return ""

    @property
    def total_fields(self) -> int:
        """What `index.mapping.total_fields.limit` counts: leaves, multi-fields and objects."""
        return len(self.fields) + len(self.objects)


_IGNORE_BEYOND = "index.mapping.total_fields.ignore_dynamic_beyond_limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingLimits:
    """How large a mapping may grow."""

    total_fields: int = 1000
    depth: int = 20
    nested_fields: int = 50
    nested_objects: int = 10_000
    """Of one document."""
    ignore_dynamic_beyond: bool = False
    """Whether a new field beyond `total_fields` that a document shows is left out rather than refused."""

    @classmethod
    def from_settings(cls, settings: MappingABC[str, Any]) -> Self:
        """From flat index settings; what is not set has its default."""
        return cls(
            total_fields=int(settings.get("index.mapping.total_fields.limit", 1000)),
            depth=int(settings.get("index.mapping.depth.limit", 20)),
            nested_fields=int(settings.get("index.mapping.nested_fields.limit", 50)),
            nested_objects=int(settings.get("index.mapping.nested_objects.limit", 10_000)),
            ignore_dynamic_beyond=str(settings.get(_IGNORE_BEYOND, "false")).lower() == "true",
        )


DEFAULT_LIMITS = MappingLimits()
