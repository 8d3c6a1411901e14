"""Mappings: which fields an index has, of which type, and how new ones come about."""

from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field
from enum import StrEnum


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
    OBJECT = "object"

    @property
    def is_integral(self) -> bool:
        return self in (FieldType.LONG, FieldType.INTEGER, FieldType.SHORT, FieldType.BYTE)

    @property
    def is_floating(self) -> bool:
        return self in (FieldType.DOUBLE, FieldType.FLOAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One leaf. `path` is its full name (`host.name`, `title.keyword`); `source_path` where its values come from."""

    path: str
    type: FieldType
    source_path: str
    index: bool = True
    doc_values: bool = True
    ignore_above: int | None = None
    format: str | None = None
    null_value: str | int | float | bool | None = None
    ignore_malformed: bool = False
    coerce: bool = True
    analyzer: str = "standard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """An immutable mapping. `fields` are the leaves by path; `objects` the paths of objects."""

    fields: MappingABC[str, Field] = field(default_factory=dict)
    objects: frozenset[str] = frozenset()

    def get(self, path: str) -> Field | None:
        return self.fields.get(path)
