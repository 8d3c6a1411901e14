"""Highlighting: which words of a hit's fields the query was about, in fragments of their text.

The text is the source's; it is analysed anew for each hit of a page. What a query looks for is `wanted`'s matter.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sealane.engine.embedded.analyzers import Analyzer, analyzer_named
from sealane.engine.embedded.search.document_cache import Document
from sealane.engine.embedded.search.field_values import values_in
from sealane.engine.embedded.search.highlight.plain import check_plain, highlight_plain
from sealane.engine.embedded.search.highlight.unified import check_unified, highlight_unified
from sealane.engine.embedded.search.scope import Scope
from sealane.engine.embedded.search.wanted import Wanted, WantedWords, wanted_terms
from sealane.engine.mapping import Field, FieldType
from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.model.patterns import pattern
from sealane.query.any_json import loads

MAX_ANALYZED: Final = 1_000_000
"""`index.highlight.max_analyzed_offset`."""
_TEXTUAL = (FieldType.TEXT, FieldType.KEYWORD, FieldType.CONSTANT_KEYWORD, FieldType.WILDCARD)
_TYPES = ("unified", "plain", "fvh")


@dataclass(frozen=True, slots=True)
class _Target:
    """One field to highlight, resolved against the mapping."""

    mapped: Field
    options: dsl.HighlightOptions
    analyzer: Analyzer
    wanted: list[WantedWords]


class Highlighter:
    """What one request wants highlighted, resolved against one view."""

    def __init__(self, highlight: dsl.Highlight, query: dsl.Query, scope: Scope) -> None:
        """Raises IllegalArgument for a highlighter that is not known, or that a field cannot have."""
        self._scope = scope
        known: dict[tuple[int, bool], Wanted] = {}
        self._targets: list[_Target] = []
        for each in highlight.fields:
            asked = each.options.highlight_query or query
            key = id(asked), each.options.type != "plain"
            wanted = known.get(key)
            if wanted is None:
                wanted = known[key] = wanted_terms(asked, scope, likes=key[1])
            self._targets += [
                self._target(mapped, each.options, wanted) for mapped in self._fields(each.name)
            ]

    def _fields(self, name: str) -> Iterator[Field]:
        """A field by its name, or those of text that a pattern means."""
        if "*" not in name:
            mapped = self._scope.mapped(name)
            if mapped is not None:
                yield mapped
            return
        meant = pattern(name).fullmatch
        for path in self._scope.state.view.mapping.fields:
            mapped = self._scope.mapped(path)
            if mapped is not None and mapped.type in _TEXTUAL and meant(path):
                yield mapped

    def _target(self, mapped: Field, options: dsl.HighlightOptions, wanted: Wanted) -> _Target:
        path = mapped.path
        if options.type not in _TYPES:
            raise IllegalArgument(
                f"unknown highlighter type [{options.type}] for the field [{path}]"
            )
        if options.type == "fvh":
            raise IllegalArgument(
                f"the field [{path}] should be indexed with term vector with position offsets to be "
                "used with fast vector highlighter"
            )
        if options.type == "plain":
            check_plain(options, path)
        else:
            check_unified(options)
        paths = {path, *options.matched_fields} if options.require_field_match else wanted.keys()
        words = [each for at in wanted if at in paths for each in wanted[at]]
        name = "standard" if mapped.type is FieldType.TEXT else "keyword"
        analyzer = analyzer_named(name)
        assert analyzer is not None
        return _Target(mapped, options, analyzer, words)

    def highlight(self, document: Document) -> dict[str, list[str]] | None:
        """The fragments of each field that has some; None where none has."""
        source = loads(document.source)
        shown: dict[str, list[str]] = {}
        for target in self._targets:
            fragments = self._one(target, source, document)
            if fragments:
                shown[target.mapped.path] = fragments
        return shown or None

    def _one(self, target: _Target, source: dict[str, Any], document: Document) -> list[str]:
        if not target.wanted and target.options.no_match_size <= 0:
            return []
        if target.mapped.type not in _TEXTUAL:
            return []
        values: list[str] = values_in(source, target.mapped)[0]
        if not values:
            return []
        self._check_length(target, sum(map(len, values)), document)
        run = highlight_plain if target.options.type == "plain" else highlight_unified
        return run(values, target.analyzer, target.wanted, target.options)

    def _check_length(self, target: _Target, length: int, document: Document) -> None:
        if length <= MAX_ANALYZED or target.options.max_analyzed_offset is not None:
            return
        raise IllegalArgument(
            f"The length [{length}] of field [{target.mapped.path}] in "
            f"doc[{document.id}]/index[{self._scope.index_name}] exceeds the "
            f"[index.highlight.max_analyzed_offset] limit [{MAX_ANALYZED}]. To avoid this error, set "
            "the query parameter [max_analyzed_offset] to a value less than index setting value and "
            "this will tolerate long field values by truncating them."
        )
