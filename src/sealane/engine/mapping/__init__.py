"""Mappings: which fields an index has, of which type, and how new ones come about."""

from sealane.engine.mapping.infer import may_grow
from sealane.engine.mapping.merge import merge_mapping
from sealane.engine.mapping.parse import check_references, parse_mapping
from sealane.engine.mapping.render import render_mapping
from sealane.engine.mapping.types import (
    DEFAULT_DATE_FORMAT,
    Dynamic,
    Field,
    FieldType,
    Mapping,
    MappingLimits,
    ObjectOptions,
)

__all__ = [
    "DEFAULT_DATE_FORMAT",
    "Dynamic",
    "Field",
    "FieldType",
    "Mapping",
    "MappingLimits",
    "ObjectOptions",
    "check_references",
    "may_grow",
    "merge_mapping",
    "parse_mapping",
    "render_mapping",
]
