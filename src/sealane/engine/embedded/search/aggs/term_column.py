"""The column of a terms aggregation: what `value_type`, `missing`, `format` and hints have to do with its type."""

from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.aggs.columns import (
    Column,
    check_format,
    check_shows,
    column_of,
    with_fraction,
)
from sealane.engine.embedded.search.aggs.run import not_supported
from sealane.engine.embedded.search.scope import Scope
from sealane.engine.mapping import Field, FieldType
from sealane.errors import IllegalArgument
from sealane.model import dsl

_HINTS = ("map", "global_ordinals")


def terms_column(agg: dsl.TermsAgg, scope: Scope) -> Column:
    """The column with its `missing`, by the rules of terms.

    Without a mapping keys are text unless `value_type` says otherwise. Raises IllegalArgument where the field cannot be
    of that type or have that format.
    """
    column = keyed_column(agg.field, agg.missing, agg.value_type, scope)
    check_keys(column, "terms")
    check_format(column, agg.field, agg.format)
    return column


def keyed_column(
    path: str, missing: dsl.Scalar | None, value_type: dsl.ValueType | None, scope: Scope
) -> Column:
    """As `terms_column`, for any aggregation whose buckets are the values of a field."""
    if path == "_index" or scope.mapped(path) is not None:
        column = column_of(path, missing, scope)
        _check_type(column, value_type)
        return with_fraction(column, missing)
    if missing is None:
        return column_of(path, None, scope)
    type_ = "keyword" if value_type is None else value_type.key_type
    value = _unmapped_value(missing, type_, scope)
    return Column(None, None, "long" if type_ == "double" else type_, value)


def _unmapped_value(missing: dsl.Scalar, type_: str, scope: Scope) -> str | int | float:
    match type_:
        case "keyword":
            return values.text_of(missing)
        case "ip":
            return values.ip_column(values.text_of(missing))
        case "date":
            anything = Field(path="", type=FieldType.DATE, source_path="")
            return values.date(missing, anything, scope.now_ms, round_up=False, fmt=None, zone=None)
        case "boolean":
            return values.boolean(missing)
    number = values.decimal_of(missing, FieldType.DOUBLE)
    return int(number) if values.is_whole(number) else float(number)


def _check_type(column: Column, value_type: dsl.ValueType | None) -> None:
    if value_type is None or column.mapped is None:
        return
    if column.is_text and value_type.key_type not in ("keyword", "ip"):
        raise IllegalArgument(
            f"Field type [{column.mapped.type.value}] is incompatible with specified value_type "
            f"[{value_type.description}]"
        )


def check_keys(column: Column, kind: str) -> None:
    """Raises IllegalArgument, for vectors UnsupportedOperation, where a field's values are no keys.

    `kind` names the aggregation.
    """
    check_shows(column)
    mapped = column.mapped
    if mapped is not None and mapped.type is FieldType.GEO_POINT:
        raise not_supported(kind, mapped.path, mapped.type.value)


def check_numbers(column: Column, path: str, kind: str) -> None:
    """Raises IllegalArgument for a field whose values are no numbers, for an aggregation that computes with them."""
    mapped = column.mapped
    if mapped is not None and not column.is_number:
        raise not_supported(kind, mapped.path, mapped.type.value)
    if path == "_index":
        raise not_supported(kind, path, path)


def check_hint(hint: str | None, column: Column) -> None:
    """`execution_hint` changes nothing here, but must be one. Numbers do not look at it."""
    is_read = column.type == "keyword" and column.mapped is not None
    if is_read and hint not in (None, *_HINTS):
        raise IllegalArgument(
            f"Unknown `execution_hint`: [{hint}], expected any of [{', '.join(_HINTS)}]"
        )
