"""Aggregations: JSON objects to `model.dsl` aggregations.

Names, nesting and what every kind has are here; the kinds themselves in `metric_aggs` and `bucket_aggs`.
"""

from collections.abc import Mapping
from typing import Any

from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.query.analytics_aggs import ANALYTICS
from sealane.query.bucket_aggs import BUCKETS
from sealane.query.composite_agg import COMPOSITE
from sealane.query.cursor import Cursor
from sealane.query.geo_aggs import GEO
from sealane.query.keyed_aggs import KEYED
from sealane.query.located import token
from sealane.query.members import NamedObjectNotFound
from sealane.query.metric_aggs import METRICS as _SIMPLE_METRICS
from sealane.query.names import AGGREGATIONS
from sealane.query.pipeline_aggs import PIPELINES
from sealane.query.ranged_aggs import RANGED
from sealane.query.sketch_aggs import SKETCHES
from sealane.query.suggest import did_you_mean
from sealane.query.value_aggs import VALUES

_BUCKETS = {**BUCKETS, **COMPOSITE, **GEO, **KEYED, **RANGED}

METRICS = {**_SIMPLE_METRICS, **SKETCHES, **VALUES, **ANALYTICS}

MAX_DEPTH = 100
"""How deep aggregations may nest."""


def read_aggs(cursor: Cursor, members: Mapping[str, Any], depth: int = 1) -> tuple[dsl.Agg, ...]:
    """The aggregations of `{"name": {"kind": {...}, "aggs": {...}}}`, in order.

    Raises ParsingError, XContentParseError or IllegalArgument.
    """
    if depth > MAX_DEPTH:
        cursor.begin(members)
        raise cursor.error(f"aggregations may not be nested deeper than [{MAX_DEPTH}]")
    return tuple(_named(cursor, members, name, depth) for name in members)


def _named(cursor: Cursor, members: Mapping[str, Any], name: str, depth: int) -> dsl.Agg:
    if not name or any(char in name for char in "[]>"):
        cursor.key(members, name)
        raise cursor.error(
            f"Invalid aggregation name [{name}]. Aggregation names can contain any character except '[', ']', and '>'"
        )
    body = members[name]
    if not isinstance(body, dict):
        cursor.value(members, name)
        raise cursor.error(
            f"Aggregation definition for [{name} starts with a [{token(body)}], expected a [START_OBJECT]."
        )
    kind: str | None = None
    meta: Mapping[str, Any] | None = None
    subs: tuple[dsl.Agg, ...] | None = None
    own: dict[str, Any] = {}
    for key, value in body.items():
        cursor.value(body, key)
        if not isinstance(value, dict):
            raise cursor.error(
                f"Expected [START_OBJECT] under [{key}], but got a [{token(value)}] in [{name}]"
            )
        if key == "meta":
            meta = value
        elif key in ("aggs", "aggregations"):
            if subs is not None:
                raise cursor.error(f"Found two sub aggregation definitions under [{name}]")
            subs = read_aggs(cursor, value, depth + 1)
        else:
            if kind is not None:
                raise cursor.error(
                    f"Found two aggregation type definitions in [{name}]: [{kind}] and [{key}]"
                )
            kind = key
            own = _read_kind(cursor, name, key, body)
    if kind is None:
        cursor.end(body)
        raise cursor.error(f"Missing definition for aggregation [{name}]")
    if subs and (kind in METRICS or kind == "significant_text"):
        raise IllegalArgument(
            f"Aggregator [{name}] of type [{kind}] cannot accept sub-aggregations"
        )
    if subs and kind in PIPELINES:
        raise IllegalArgument(f"Aggregation [{name}] cannot define sub-aggregations")
    build = own.pop("build")
    agg: dsl.Agg = build(name=name, meta=_plain(meta), subs=subs or (), **own)
    return agg


def _read_kind(cursor: Cursor, name: str, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    reader = METRICS.get(kind) or _BUCKETS.get(kind) or PIPELINES.get(kind)
    if reader is not None:
        return reader(cursor, name, body, kind)
    if kind in AGGREGATIONS:
        raise cursor.error(f"[{kind}] aggregation is not supported by this version")
    missing = NamedObjectNotFound(f"[{cursor.place}] unknown field [{kind}]")
    raise cursor.error(
        f"Unknown aggregation type [{kind}]{did_you_mean(kind, AGGREGATIONS)}", caused_by=missing
    )


def _plain(value: Any) -> Any:
    """The value in ordinary containers, whichever reading it came from."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value
