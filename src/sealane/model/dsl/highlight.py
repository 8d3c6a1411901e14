"""`highlight` of a search body as plain data."""

from dataclasses import dataclass

from sealane.model.dsl.queries import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class HighlightOptions:
    """How matches are shown. Sizes and positions count characters of the text.

    `tags` are what stands before and behind a match; of several pairs the first is used, as the reference's
    highlighters of unindexed offsets do. `fragment_size` 0 does not bound sentences, `number_of_fragments` 0 shows
    whole values.
    """

    tags: tuple[str, str] = ("<em>", "</em>")
    type: str = "unified"
    fragment_size: int = 100
    number_of_fragments: int = 5
    no_match_size: int = 0
    by_score: bool = False
    require_field_match: bool = True
    escape_html: bool = False
    boundary_scanner: str = "sentence"
    fragmenter: str = "span"
    max_analyzed_offset: int | None = None
    highlight_query: Query | None = None
    matched_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HighlightField:
    """`name` may hold `*`: then only fields of text are meant."""

    name: str
    options: HighlightOptions


@dataclass(frozen=True, slots=True)
class Highlight:
    """Fields in the order of the request."""

    fields: tuple[HighlightField, ...]
