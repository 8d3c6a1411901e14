"""The query DSL: request bodies to the plain data of `model.dsl`. Pure."""

from sealane.query.body import parse_aggs, parse_query, parse_search_body
from sealane.query.count import parse_count_body
from sealane.query.json_text import decode, strip_comments
from sealane.query.located import XContentEnd

__all__ = [
    "XContentEnd",
    "decode",
    "parse_aggs",
    "parse_count_body",
    "parse_query",
    "parse_search_body",
    "strip_comments",
]
