"""significant_text: the words of the found documents, read out of their sources and analysed again.

Meant for a sample of documents: it costs as much as to fetch them all.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
import tantivy

from sealane.engine.embedded.analysis import tokens
from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.aggs.cells import Raw, in_order, slices
from sealane.engine.embedded.search.aggs.columns import Column
from sealane.engine.embedded.search.aggs.run import Run
from sealane.engine.embedded.search.aggs.significant import SignificantNode, SignificantTermsNode
from sealane.engine.embedded.search.aggs.term_filter import TermFilter
from sealane.engine.embedded.search.scope import all_of
from sealane.engine.embedded.stored import decode_stored
from sealane.engine.embedded.view import STORED
from sealane.engine.mapping import FieldType
from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.query.visible_source import visible_source

_REPEATED = 6
"""Words in a row that make a passage one that was seen before."""


def significant_node(agg: dsl.SignificantTermsAgg, run: Run) -> SignificantNode:
    return SignificantTextNode(agg, run) if agg.text else SignificantTermsNode(agg, run)


class SignificantTextNode(SignificantNode):
    def __init__(self, agg: dsl.SignificantTermsAgg, run: Run) -> None:
        super().__init__(agg, run)
        mapped = run.scope.mapped(agg.field)
        if mapped is not None and mapped.type not in (FieldType.TEXT, FieldType.KEYWORD):
            raise IllegalArgument(
                f"Field [{agg.field}] has no analyzer, but SignificantText requires an analyzed field"
            )
        self.mapped = mapped
        if mapped is not None:
            self.key_type = "keyword"
            self.paths = agg.source_fields or (mapped.source_path,)
        self.accepts = TermFilter(
            agg.name, agg.include, agg.exclude, Column(mapped, None, "keyword")
        )

    def here(self, query: tantivy.Query) -> dict[Raw, int]:
        counts: Counter[Raw] = Counter()
        seen: set[tuple[str, ...]] = set()
        for part, total in slices(query, self.run):
            for source in self._sources(part, total):
                words = [word for text in self._texts(source) for word in self._words(text)]
                if self.significant.filter_duplicate_text:
                    words = list(_unseen(words, seen))
                counts.update({word for word in words if self.accepts(word)})
        return dict(counts)

    def _sources(self, query: tantivy.Query, total: int) -> Iterator[Any]:
        searcher = self.run.scope.state.view.searcher
        for at, (_, address) in enumerate(in_order(query, total, self.run)):
            if at % 1_000 == 999:
                self.run.check()
            data = searcher.doc(address).get_first(STORED)
            if not isinstance(data, bytes):
                continue  # a nested object has no source of its own
            source, limits = decode_stored(data)[-1], self.run.scope.state.view.limits
            yield orjson.loads(source if limits is None else visible_source(source, limits))

    def _texts(self, source: Any) -> Iterator[str]:
        for path in self.paths:
            yield from _at(source, path)

    def _words(self, text: str) -> list[str]:
        is_text = self.mapped is not None and self.mapped.type is FieldType.TEXT
        return tokens(text) if is_text else [text]

    def known(self, terms: list[Raw]) -> dict[Raw, int]:
        count = self.run.scope.state.count
        found: dict[Raw, int] = {}
        for at, term in enumerate(terms):
            if at % 1_000 == 999:
                self.run.check()
            found[term] = count(all_of(self.background, self.inside(term)))
        return found

    def inside(self, term: Raw) -> tantivy.Query:
        assert self.mapped is not None
        if not self.run.scope.has_column(self.mapped.path):
            return tantivy.Query.empty_query()
        schema = self.run.scope.schema
        return tantivy.Query.term_query(schema, self.mapped.path, str(term), "basic")


def _unseen(words: list[str], seen: set[tuple[str, ...]]) -> Iterator[str]:
    """The words that are in no passage that an earlier document had."""
    passages = [tuple(words[at : at + _REPEATED]) for at in range(len(words) - _REPEATED + 1)]
    repeated: set[int] = set()
    for at, passage in enumerate(passages):
        if passage in seen:
            repeated.update(range(at, at + _REPEATED))
    seen.update(passages)
    return (word for at, word in enumerate(words) if at not in repeated)


def _at(value: Any, path: str) -> Iterator[str]:
    """The texts at a dotted path, through arrays."""
    if isinstance(value, list):
        for member in value:
            yield from _at(member, path)
    elif not path:
        if isinstance(value, str | int | float):
            yield values.text_of(value)
    elif isinstance(value, dict):
        if path in value:
            yield from _at(value[path], "")
        head, _, rest = path.partition(".")
        if rest and head in value:
            yield from _at(value[head], rest)
