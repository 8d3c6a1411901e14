"""Which terms: `include` and `exclude`, and what type of values they are taken for."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument, ParseError
from sealane.model import dsl
from sealane.query.cursor import STRING, Cursor, Member, as_int

_LONG = dsl.ValueType("long", "byte|short|integer|long")
_DOUBLE = dsl.ValueType("double", "float|double")
_VALUE_TYPES = {
    "string": dsl.ValueType("keyword", "string"),
    "byte": _LONG,
    "short": _LONG,
    "integer": _LONG,
    "long": _LONG,
    "float": _DOUBLE,
    "double": _DOUBLE,
    "number": dsl.ValueType("double", "number"),
    "numeric": dsl.ValueType("double", "numeric"),
    "date": dsl.ValueType("date", "date"),
    "ip": dsl.ValueType("ip", "ip"),
    "boolean": dsl.ValueType("boolean", "boolean"),
}


def _value_type(_: Cursor, members: Mapping[str, Any], name: str) -> dsl.ValueType:
    found = _VALUE_TYPES.get(members[name])
    if found is None:
        raise IllegalArgument(f"Unknown value type [{members[name]}]")
    return found


VALUE_TYPE = Member(STRING, _value_type)


def _values(cursor: Cursor, items: list[Any]) -> tuple[dsl.Scalar, ...]:
    for index, item in enumerate(items):
        cursor.value(items, index)
        if not isinstance(item, str | int | float):
            raise ParseError("Array elements in include/exclude clauses should be string values")
    cursor.end(items)
    return tuple(items)


def _include(cursor: Cursor, members: Mapping[str, Any], name: str) -> dsl.TermRule:
    value = members[name]
    if isinstance(value, dict):
        found = _partition(cursor, value)
        if "exclude" in members and list(members).index("exclude") < list(members).index(name):
            raise IllegalArgument(_NO_EXCLUDES)
        return found
    return value if isinstance(value, str) else _values(cursor, value)


_NO_EXCLUDES = "Cannot specify any excludes when using a partition-based include"


def _partition(cursor: Cursor, members: Mapping[str, Any]) -> dsl.TermPartition:
    found: dict[str, int] = {}
    for name, value in members.items():
        cursor.value(members, name)
        if name not in ("partition", "num_partitions") or not isinstance(value, int | float):
            raise ParseError(f"Unknown parameter in Include/Exclude clause: {name}")
        found[name] = as_int(cursor, members, name)
    cursor.end(members)
    for name in ("partition", "num_partitions"):
        if name not in found:
            raise IllegalArgument(f"Missing [{name}] parameter for partition-based include")
    number, of = found["partition"], found["num_partitions"]
    if not 0 <= number < of:
        raise IllegalArgument(f"Partition must be >=0 and < numPartition which is {of}")
    return dsl.TermPartition(number, of)


def _exclude(cursor: Cursor, members: Mapping[str, Any], name: str) -> dsl.TermRule:
    value = members[name]
    rule = value if isinstance(value, str) else _values(cursor, value)
    if isinstance(members.get("include"), dict) and list(members).index("include") < list(
        members
    ).index(name):
        raise IllegalArgument(_NO_EXCLUDES)
    return rule


TERM_RULES = {
    "include": Member(("VALUE_STRING", "START_ARRAY", "START_OBJECT"), _include),
    "exclude": Member(("VALUE_STRING", "START_ARRAY"), _exclude),
}
