"""The query DSL: request bodies to the plain data of `model.dsl`. Pure."""

from sealane.query.body import parse_aggs, parse_query, parse_search_body, parse_unvalidated
from sealane.query.count import check_query_body, parse_count_body
from sealane.query.json_text import decode, strip_comments
from sealane.query.located import XContentEnd
from sealane.query.on_shards import for_scroll, shows_no_sort, without_point_in_time

__all__ = [
    "XContentEnd",
    "check_query_body",
    "decode",
    "for_scroll",
    "parse_aggs",
    "parse_count_body",
    "parse_query",
    "parse_search_body",
    "parse_unvalidated",
    "shows_no_sort",
    "strip_comments",
    "without_point_in_time",
]
