"""The pipeline aggregations: what each takes. Where they may stand and what they may read is in `pipeline_order`."""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument, XContentParseError
from sealane.model import dsl
from sealane.model.dsl import SeriesKind
from sealane.model.expressions import BadExpression, Expression, parse_expression
from sealane.query.cursor import (
    NUMBER,
    OBJECT_ARRAY,
    STRING,
    STRING_ARRAY,
    Cursor,
    Member,
    as_int,
    plain,
    read_members,
    text_of,
)
from sealane.query.metric_aggs import AggReader
from sealane.query.pipeline_tokens import (
    TOKEN_PIPELINES,
    Members,
    Reader,
    gap_policy,
    path_list,
)

_PATH = Member(STRING_ARRAY, path_list)
_FORMAT = Member(STRING, plain)
_GAPS = Member(STRING, gap_policy)


def _declared(
    cursor: Cursor,
    container: Members,
    kind: str,
    known: Mapping[str, Member],
    required: tuple[str, ...] = ("buckets_path",),
) -> dict[str, Any]:
    """The members, with `buckets_path` as `paths`. Raises IllegalArgument where a required one is missing."""
    found = read_members(cursor, kind, container[kind], known)
    missing = [name for name in required if name not in found]
    if missing:
        raise IllegalArgument(f"Required [{', '.join(missing)}]")
    paths = found.pop("buckets_path", ())
    found["paths"] = paths if paths and isinstance(paths[0], tuple) else _unnamed(paths)
    return found


def _unnamed(paths: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(("", path) for path in paths)


def _series(
    kind: SeriesKind, known: Mapping[str, Member], required: tuple[str, ...] = ()
) -> AggReader:
    def read(cursor: Cursor, agg: str, container: Members, name: str) -> dict[str, Any]:
        found = _declared(
            cursor, container, name, {"buckets_path": _PATH, **known}, ("buckets_path", *required)
        )
        if "window" in found:
            _built(cursor, container[name], name, found)
        return {"build": dsl.SeriesAgg, "kind": kind, **_unpacked(found)}

    return read


def _unpacked(found: dict[str, Any]) -> dict[str, Any]:
    """A script and its parameters as arguments of their own."""
    script = found.pop("script", None)
    if script is not None:
        found["script"], found["params"] = script
    return found


def _built(cursor: Cursor, members: Members, kind: str, found: dict[str, Any]) -> None:
    """Refuses a window that is none, as the reference does: when the last required member has arrived."""
    if found["window"] > 0:
        return
    last = next(name for name in reversed(list(members)) if name in _WINDOWED)
    cursor.value(members, last)
    problem = IllegalArgument("[window] must be a positive, non-zero integer.")
    building = XContentParseError(
        f"Failed to build [{kind}] after last required field arrived", caused_by=problem
    )
    raise cursor.content_error(f"[{kind}] failed to parse field [{last}]", caused_by=building)


_WINDOWED = ("buckets_path", "script", "window")


_METHODS = ("rescale_0_1", "rescale_0_100", "percent_of_sum", "mean", "z-score", "softmax")


def _method(_: Cursor, members: Members, name: str) -> str:
    if members[name] not in _METHODS:
        raise IllegalArgument(f"invalid method [{members[name]}]")
    return str(members[name])


_SCRIPT_HELP = (
    "scripts are expressions here: numbers, params, + - * / %, comparisons, && || !, ?: and "
    "named functions"
)


def _script(cursor: Cursor, members: Members, name: str) -> tuple[Expression, Members | None]:
    """The source, and the parameters beside it."""
    value = members[name]
    params: Members | None = None
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("source", "lang", "params", "inline"):
                cursor.value(value, key)
                raise cursor.content_error(f"[script] unknown field [{key}]")
            if key == "params":
                params = inner
        source = value.get("source", value.get("inline"))
        if not isinstance(source, str):
            raise IllegalArgument(
                "must specify either [source] for an inline script or [id] for a stored script"
            )
    else:
        source = value
    try:
        return parse_expression(source), params
    except BadExpression as problem:
        raise IllegalArgument(
            f"script [{source}] is not supported by this version: {problem}; {_SCRIPT_HELP}"
        ) from None


_SCRIPT = Member(("VALUE_STRING", "START_OBJECT"), _script)
_SHIFT = Member(NUMBER, as_int)


def _named_paths(cursor: Cursor, members: Members, name: str) -> tuple[tuple[str, str], ...]:
    """What a script reads: by its own names, or by the position of each path."""
    value = members[name]
    if isinstance(value, dict):
        return tuple((key, text_of(path)) for key, path in value.items())
    if isinstance(value, list):
        return tuple((f"_value{at}", text_of(path)) for at, path in enumerate(value))
    return (("_value", value),)


def _bucket_script(cursor: Cursor, agg: str, container: Members, kind: str) -> dict[str, Any]:
    known = {
        "buckets_path": Member(("START_OBJECT", "START_ARRAY", "VALUE_STRING"), _named_paths),
        "script": _SCRIPT,
        "gap_policy": _GAPS,
    }
    if kind == "bucket_script":
        known["format"] = _FORMAT
    missing = [name for name in ("buckets_path", "script") if name not in container[kind]]
    if missing and kind == "bucket_selector":
        cursor.end(container[kind])
        raise cursor.error(
            f"Missing required field [{missing[0]}] for bucket_selector aggregation [{agg}]"
        )
    found = _declared(cursor, container, kind, known, ("buckets_path", "script"))
    return {
        "build": dsl.BucketScriptAgg,
        "selects": kind == "bucket_selector",
        **_unpacked(found),
    }


def _sort(cursor: Cursor, members: Members, name: str) -> tuple[dsl.BucketSortKey, ...]:
    value = members[name]
    keys: list[dsl.BucketSortKey] = []
    items: list[Any] = value if isinstance(value, list) else [value]
    for at, item in enumerate(items):
        cursor.value(items, at)
        if isinstance(item, str):
            keys.append(dsl.BucketSortKey(item))
        elif isinstance(item, dict):
            keys += [_sort_key(cursor, item, path) for path in item]
        else:
            raise IllegalArgument(
                "malformed sort format, within the sort array, an object, or an actual string are allowed"
            )
    return tuple(keys)


def _sort_key(cursor: Cursor, members: Members, path: str) -> dsl.BucketSortKey:
    cursor.value(members, path)
    order = members[path]
    if isinstance(order, dict):
        order = order.get("order", "asc")
    text = str(order).lower()
    if text not in ("asc", "desc"):
        raise IllegalArgument(
            f"No enum constant org.elasticsearch.search.sort.SortOrder.{text.upper()}"
        )
    return dsl.BucketSortKey(path, text == "asc")


def _limit(least: int, wanted: str) -> Reader:
    def read(cursor: Cursor, members: Members, name: str) -> int:
        value = as_int(cursor, members, name)
        if value >= least:
            return value
        problem = IllegalArgument(f"[{name}] must be a {wanted} integer: [{value}]")
        raise _LateError(
            cursor.content_error(f"[bucket_sort] failed to parse field [{name}]", caused_by=problem)
        )

    return read


class _LateError(Exception):
    """What the reference finds only when it builds what it has read. `error` is what it says."""

    def __init__(self, error: XContentParseError) -> None:
        self.error = error


def _bucket_sort(cursor: Cursor, agg: str, container: Members, kind: str) -> dict[str, Any]:
    known = {
        "sort": Member(OBJECT_ARRAY, _sort),
        "from": Member(NUMBER, _limit(0, "non-negative")),
        "size": Member(NUMBER, _limit(1, "positive")),
        "gap_policy": _GAPS,
    }
    try:
        found = _declared(cursor, container, kind, known, ())
    except _LateError as late:
        raise cursor.content_error(
            f"failed to build [{kind}] after last required field arrived", caused_by=late.error
        ) from None
    if "from" in found:
        found["from_"] = found.pop("from")
    found["paths"] = _unnamed(tuple(key.path for key in found.get("sort", ())))
    return {"build": dsl.BucketSortAgg, **found}


def _moving_percentiles(cursor: Cursor, agg: str, container: Members, kind: str) -> dict[str, Any]:
    known = {
        "buckets_path": _PATH,
        "window": Member(NUMBER, as_int),
        "shift": _SHIFT,
    }
    found = _declared(cursor, container, kind, known, ("buckets_path", "window"))
    _built(cursor, container[kind], kind, found)
    return {"build": dsl.MovingPercentilesAgg, **found}


_FORMATTED = {"format": _FORMAT}
_WITH_GAPS = {"format": _FORMAT, "gap_policy": _GAPS}

PIPELINES: dict[str, AggReader] = {
    **TOKEN_PIPELINES,
    "cumulative_sum": _series(SeriesKind.CUMULATIVE_SUM, _FORMATTED),
    "cumulative_cardinality": _series(SeriesKind.CUMULATIVE_CARDINALITY, _FORMATTED),
    "normalize": _series(
        SeriesKind.NORMALIZE, {**_FORMATTED, "method": Member(STRING, _method)}, ("method",)
    ),
    "moving_fn": _series(
        SeriesKind.MOVING_FN,
        {
            **_WITH_GAPS,
            "script": _SCRIPT,
            "window": Member(NUMBER, as_int),
            "shift": _SHIFT,
        },
        ("script", "window"),
    ),
    "moving_percentiles": _moving_percentiles,
    "bucket_script": _bucket_script,
    "bucket_selector": _bucket_script,
    "bucket_sort": _bucket_sort,
}
