"""function_score: its functions, each with its weight and filter.

The parameters of a decay mean something only beside the field's type, so they stay JSON until a shard reads them.
"""

from collections.abc import Callable, Mapping
from typing import Any, get_args

import orjson

from sealane.errors import IllegalArgument, ParsingError
from sealane.model import dsl
from sealane.model.dsl import scored
from sealane.model.java_hash import text_hash
from sealane.query.cursor import (
    OBJECT_ARRAY,
    STRING,
    Cursor,
    Member,
    as_float,
    plain,
    text_of,
)
from sealane.query.located import token
from sealane.query.members import NamedObjectNotFound, common, declared, read_common
from sealane.query.suggest import did_you_mean

InnerParser = Callable[[Cursor, Any, "str | int"], dsl.Query]
_NAME = "function_score"
_DECAYS = ("exp", "gauss", "linear")
_FUNCTIONS = (*_DECAYS, "field_value_factor", "random_score", "script_score", "weight")
_JAVA = "org.elasticsearch.common.lucene.search.function"


def function_score_parser(parse_inner: InnerParser) -> Callable[..., dsl.Query]:
    """The parser of the query; `parse_inner` reads the queries inside."""

    def parse(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
        return _Reader(cursor, parse_inner).read(members)

    return parse


def distance_feature(cursor: Cursor, members: Mapping[str, Any]) -> dsl.Query:
    found = _read_feature(cursor, members)
    for name in ("origin", "pivot", "field"):
        if name not in found:
            raise IllegalArgument(f"Required [{name}]")
    origin = found["origin"]
    is_json = isinstance(origin, dict | list)
    return scored.DistanceFeature(
        field=found["field"],
        origin=orjson.dumps(origin).decode() if is_json else text_of(origin),
        pivot=found["pivot"],
        is_json=is_json,
        **common(found),
    )


_read_feature = declared(
    "distance_feature",
    {
        "field": Member(STRING, plain),
        "origin": Member(("VALUE_STRING", "VALUE_NUMBER", *OBJECT_ARRAY), plain),
        "pivot": Member(STRING, plain),
    },
)


class _Reader:
    def __init__(self, cursor: Cursor, parse_inner: InnerParser) -> None:
        self._cursor = cursor
        self._parse_inner = parse_inner
        self._found: dict[str, Any] = {}
        self._query: dsl.Query | None = None
        self._functions: list[scored.FunctionClause] = []
        self._single: str | None = None
        self._has_array = False

    def read(self, members: Mapping[str, Any]) -> dsl.Query:
        for name, value in members.items():
            self._cursor.value(members, name)
            if isinstance(value, dict):
                self._read_object(members, name)
            elif isinstance(value, list):
                self._read_array(members, name)
            elif value is not None:
                self._read_value(members, name)
        found = self._found
        return scored.FunctionScore(
            query=self._query or dsl.MatchAll(),
            functions=tuple(self._functions),
            **{name: found[name] for name in _OPTIONS if name in found},
            **common(found),
        )

    def _read_object(self, members: Mapping[str, Any], name: str) -> None:
        if name == "query":
            self._query = self._parse_inner(self._cursor, members, name)
            return
        self._take_single(name)
        function = self._function(members, name)
        self._functions.append(scored.FunctionClause(function=function))

    def _read_array(self, members: Mapping[str, Any], name: str) -> None:
        if name != "functions":
            raise self._failed(f"array [{name}] is not supported")
        if self._single is not None:
            raise self._both(f"[{self._single}]", name)
        self._has_array = True
        entries = members[name]
        for place, entry in enumerate(entries):
            if not isinstance(entry, dict):
                self._cursor.value(entries, place)
                raise self._cursor.error(
                    "failed to parse [START_OBJECT]. malformed query, expected a "
                    f"[{token(entry)}] while parsing functions but got a [{_NAME}] instead"
                )
            self._functions.append(self._entry(entry))

    def _read_value(self, members: Mapping[str, Any], name: str) -> None:
        cursor, found = self._cursor, self._found
        value = members[name]
        if name == "score_mode":
            found[name] = _choice(
                text_of(value), scored.ScoreMode, f"{_JAVA}.FunctionScoreQuery.ScoreMode"
            )
        elif name == "boost_mode":
            found[name] = _choice(text_of(value), scored.BoostMode, f"{_JAVA}.CombineFunction")
        elif name in ("max_boost", "min_score"):
            found[name] = as_float(cursor, members, name)
        elif not read_common(cursor, members, name, found):
            if self._single is not None or self._has_array:
                self._take_single(name)
            if name != "weight":
                raise self._failed(f"field [{name}] is not supported")
            self._single = name
            self._functions.append(scored.FunctionClause(weight=self._weight(members)))

    def _take_single(self, name: str) -> None:
        if self._single is not None:
            raise self._failed(
                f"already found function [{self._single}], now encountering [{name}]. use "
                "[functions] array if you want to define several functions."
            )
        if self._has_array:
            raise self._both("[functions] array", name)
        self._single = name

    def _both(self, before: str, name: str) -> ParsingError:
        return self._failed(
            "[you can either define [functions] array or a single function, not both. already "
            f"found {before}, now encountering [{name}].]"
        )

    def _failed(self, why: str) -> ParsingError:
        return self._cursor.error(f"failed to parse [{_NAME}] query. {why}")

    def _weight(self, members: Mapping[str, Any]) -> float:
        weight = as_float(self._cursor, members, "weight")
        if weight < 0:
            raise IllegalArgument("[weight] cannot be negative for a filtering function")
        return weight

    def _entry(self, entry: Mapping[str, Any]) -> scored.FunctionClause:
        query: dsl.Query | None = None
        function: scored.ScoreFunction | None = None
        weight: float | None = None
        first: str | None = None
        for name, value in entry.items():
            self._cursor.value(entry, name)
            if isinstance(value, dict):
                if name == "filter":
                    query = self._parse_inner(self._cursor, entry, name)
                    continue
                if first is not None:
                    raise self._cursor.error(
                        f"failed to parse function_score functions. already found [{first}], now "
                        f"encountering [{name}]."
                    )
                first, function = name, self._function(entry, name)
            elif isinstance(value, str | int | float):
                if name != "weight":
                    raise self._failed(f"field [{name}] is not supported")
                weight = self._weight(entry)
        if function is None and weight is None:
            self._cursor.end(entry)
            raise self._failed("an entry in functions list is missing a function.")
        return scored.FunctionClause(filter=query, function=function, weight=weight)

    def _function(self, container: Mapping[str, Any], name: str) -> scored.ScoreFunction:
        cursor, body = self._cursor, container[name]
        if name == "field_value_factor":
            return _field_value_factor(cursor, body)
        if name == "random_score":
            return _random_score(cursor, body)
        if name in _DECAYS:
            return _decay(cursor, body, name)
        if name == "script_score":
            raise IllegalArgument(
                "[script_score] is not supported: scripts cannot be run here. Use "
                "[field_value_factor], a decay function or [weight] with a [filter] instead"
            )
        missing = NamedObjectNotFound(f"[{cursor.place}] unknown field [{name}]")
        suggestion = did_you_mean(_NAME, _FUNCTIONS)
        raise cursor.error(f"unknown query [{_NAME}]{suggestion}", caused_by=missing)


_OPTIONS = ("score_mode", "boost_mode", "max_boost", "min_score")


def _choice(text: str, choices: Any, java_name: str) -> str:
    if text.lower() not in get_args(choices):
        raise IllegalArgument(f"No enum constant {java_name}.{text.upper()}")
    return text.lower()


def _field_value_factor(cursor: Cursor, body: Mapping[str, Any]) -> scored.FieldValueFactor:
    found: dict[str, Any] = {}
    for name in body:
        value = body[name]
        if isinstance(value, list) and name == "field" and value:
            value = value[-1]
        if isinstance(value, list | dict):
            cursor.value(body, name)
            raise cursor.error(
                f"[field_value_factor] field '{name}' does not support lists or objects"
            )
        if value is None:
            continue
        if name == "field":
            found[name] = text_of(value)
        elif name in ("factor", "missing"):
            found[name] = as_float(cursor, body, name)
        elif name == "modifier":
            java_name = f"{_JAVA}.FieldValueFactorFunction.Modifier"
            found[name] = _choice(text_of(value), scored.Modifier, java_name)
        else:
            cursor.value(body, name)
            raise cursor.error(f"field_value_factor query does not support [{name}]")
    if "field" not in found:
        cursor.end(body)
        raise cursor.error("[field_value_factor] required field 'field' missing")
    return scored.FieldValueFactor(**found)


def _random_score(cursor: Cursor, body: Mapping[str, Any]) -> scored.RandomScore:
    seed: int | None = None
    field: str | None = None
    for name, value in body.items():
        if value is None:
            continue
        if name == "seed":
            seed = _seed(cursor, body, value)
        elif name == "field" and not isinstance(value, list | dict):
            field = text_of(value)
        else:
            cursor.value(body, name)
            raise cursor.error(f"random_score query does not support [{name}]")
    return scored.RandomScore(seed=seed, field=field)


def _seed(cursor: Cursor, body: Mapping[str, Any], value: Any) -> int:
    """32 bits of a number, or of a text's hash as the reference's language has it."""
    if isinstance(value, int) and not isinstance(value, bool):
        if -(2**31) <= value < 2**31:
            return value & 0xFFFF_FFFF
        if -(2**63) <= value < 2**63:
            return (value ^ (value & 2**64 - 1) >> 32) & 0xFFFF_FFFF
    if isinstance(value, str):
        return text_hash(value)
    cursor.value(body, "seed")
    raise cursor.error(f"random_score seed must be an int, long or string, not '{token(value)}'")


def _decay(cursor: Cursor, body: Mapping[str, Any], kind: str) -> scored.Decay:
    field: str | None = None
    parameters = "{}"
    mode = "min"
    for name, value in body.items():
        if isinstance(value, dict):
            field, parameters = name, orjson.dumps(value).decode()
        elif name == "multi_value_mode" and isinstance(value, str):
            mode = value.lower()
            if mode not in get_args(scored.ValueMode):
                raise IllegalArgument(f"Illegal sort mode: {value}")
        else:
            cursor.value(body, name)
            raise cursor.error("malformed score function score parameters.")
    if field is None:
        cursor.end(body)
        raise cursor.error("malformed score function score parameters.")
    return scored.Decay(kind=kind, field=field, parameters=parameters, mode=mode)  # type: ignore[arg-type]
