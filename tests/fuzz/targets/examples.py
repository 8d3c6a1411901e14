"""A valid message of any msgspec type, made from the type alone."""

from typing import Any

import msgspec
from msgspec import inspect

_DEPTH_MAX = 7


def example(kind: Any) -> bytes:
    """msgpack that a decoder of `kind` takes; optional members are there as far as the depth allows."""
    return msgspec.msgpack.encode(_value(inspect.type_info(kind), 0))


def _value(kind: inspect.Type, depth: int) -> Any:
    match kind:
        case inspect.IntType() | inspect.FloatType():
            return 1
        case inspect.StrType():
            return "a"
        case inspect.BytesType():
            return b'{"query":{"match_all":{}}}'
        case inspect.BoolType():
            return True
        case inspect.EnumType():
            return next(iter(kind.cls)).value
        case inspect.NoneType():
            return None
        case inspect.AnyType():
            return {"a": [1, "b", None]}
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType():
            return [] if depth > _DEPTH_MAX else [_value(kind.item_type, depth + 1)]
        case inspect.TupleType():
            return [_value(each, depth + 1) for each in kind.item_types]
        case inspect.DictType():
            if depth > _DEPTH_MAX:
                return {}
            return {_value(kind.key_type, depth + 1): _value(kind.value_type, depth + 1)}
        case inspect.UnionType():
            if kind.includes_none and depth > _DEPTH_MAX:
                return None
            return next(
                _value(each, depth + 1)
                for each in kind.types
                if not isinstance(each, inspect.NoneType)
            )
        case inspect.StructType():
            members = {each.encode_name: _value(each.type, depth + 1) for each in kind.fields}
            return list(members.values()) if kind.array_like else members
    raise TypeError(f"no example of {kind}")
