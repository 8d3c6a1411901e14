"""What may not be asked together in one search: the reference's rules of scrolls, points in time and slices."""

from collections.abc import Mapping, Sequence
from typing import Any

from sealane.model.dsl import TRACK_ALL
from sealane.model.search import IndicesOptions
from sealane.query import decode
from sealane.search.client_search import ClientSearch

_DEFAULT_OPTIONS = IndicesOptions()


def problems_of(search: ClientSearch, params: Mapping[str, Any]) -> Sequence[str]:
    """All that is wrong, in the reference's order."""
    body = search.body
    if search.scroll_ms is None and body.pit is None and body.slice is None:
        return body.problems
    problems = []
    if search.scroll_ms is not None:
        problems += _of_scroll(search)
    elif body.slice is not None and body.pit is None:
        problems.append("[slice] can only be used with [scroll] or [point-in-time] requests")
    problems += body.problems
    if search.scroll_ms is not None and search.request_cache:
        problems.append("[request_cache] cannot be used in a scroll context")
    if body.pit is not None:
        problems += _of_point_in_time(search, params)
    return problems


def _of_scroll(search: ClientSearch) -> list[str]:
    body = search.body
    # What is tracked is only judged where the request says it.
    tracked = body.track_total_hits != TRACK_ALL and "track_total_hits" in decode(body.raw)
    rules = (
        (tracked, "disabling [track_total_hits] is not allowed in a scroll context"),
        (body.from_ > 0, "using [from] is not allowed in a scroll context"),
        (body.size == 0, "[size] cannot be [0] in a scroll context"),
        (bool(body.rescore), "using [rescore] is not allowed in a scroll context"),
        (body.search_after is not None, "[search_after] cannot be used in a scroll context"),
        (body.collapse is not None, "cannot use `collapse` in a scroll context"),
    )
    return [text for broken, text in rules if broken]


def _of_point_in_time(search: ClientSearch, params: Mapping[str, Any]) -> list[str]:
    rules = (
        (search.scroll_ms is not None, "using [point in time] is not allowed in a scroll context"),
        (
            "ccs_minimize_roundtrips" in params,
            "[ccs_minimize_roundtrips] cannot be used with point in time",
        ),
        (
            bool(search.expressions),
            "[indices] cannot be used with point in time. Do not specify any index with point in time.",
        ),
        (
            search.options != _DEFAULT_OPTIONS,
            "[indicesOptions] cannot be used with point in time",
        ),
        (bool(search.routing), "[routing] cannot be used with point in time"),
        (search.preference is not None, "[preference] cannot be used with point in time"),
    )
    return [text for broken, text in rules if broken]
