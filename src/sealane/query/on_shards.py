"""Search bodies as the shards of a point in time or a scroll are asked them. They are JSON again: they cross as it."""

from typing import Any

import orjson

from sealane.model import dsl
from sealane.query.body import parse_search_body
from sealane.query.json_text import decode


def without_point_in_time(body: dsl.SearchBody) -> dsl.SearchBody:
    """The same search as its shards are asked it: they know it by their contexts, and it need not cross with its id."""
    members = decode(body.raw)
    del members["pit"]
    if body.sort and body.sort[-1] == dsl.SortField(field="_shard_doc"):
        keys = _keys(members["sort"])
        if len(keys) < len(body.sort):
            keys.append("_shard_doc")
        members["sort"] = keys
    return parse_search_body(orjson.dumps(members))


def for_scroll(body: dsl.SearchBody) -> dsl.SearchBody:
    """The search as the shards of a scroll are asked it: sorted to the last document, so that a page has an end, and
    counted to the last. The key that is added is not the client's to see.
    """
    members = decode(body.raw)
    members["sort"] = [*(_keys(members["sort"]) if body.sort else ["_score"]), "_doc"]
    members["track_total_hits"] = True
    if not body.sort:
        members["track_scores"] = True
    if body.slice is not None and body.slice.field is None:
        members["slice"] = {**members["slice"], "field": "_id"}
    return parse_search_body(orjson.dumps(members))


def shows_no_sort(body: dsl.SearchBody) -> bool:
    """Whether the client of a scroll did not ask for the sort that `for_scroll` has given it."""
    return [each.field for each in body.sort] == ["_score", "_doc"]


def _keys(sort: Any) -> list[Any]:
    """A sort, one member a key, in any of its forms."""
    given = sort if isinstance(sort, list) else [sort]
    return [
        part
        for each in given
        for part in (
            [{name: order} for name, order in each.items()] if isinstance(each, dict) else [each]
        )
    ]
