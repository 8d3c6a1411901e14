"""simple_query_string: a text in the syntax that is never wrong, made queries by the mapping."""

from dataclasses import replace

import tantivy

from sealane.engine.embedded.analyzers import KEYWORD, STANDARD, Analyzer, keeps_case
from sealane.engine.embedded.search.match import TextOptions, analysed, named_analyzer, word_on
from sealane.engine.embedded.search.minimum import minimum_should_match
from sealane.engine.embedded.search.multi_match import (
    Boosted,
    best_of,
    everywhere,
    fields_of,
    on_fields,
)
from sealane.engine.embedded.search.multi_terms import fuzzy_on, prefix_on, textual
from sealane.engine.embedded.search.scope import (
    EVERYTHING,
    NOTHING,
    Compiled,
    Scope,
    any_of,
    scoring,
)
from sealane.engine.mapping import Field, FieldType
from sealane.errors import ApiError
from sealane.model import dsl
from sealane.query.simple_syntax import All, Kind, Not, Occurs, Tree, parse_simple

_TYPES = dsl.MultiMatchType
_OCCURS = {"must": tantivy.Occur.Must, "should": tantivy.Occur.Should}


def compile_simple_query_string(query: dsl.SimpleQueryString, scope: Scope) -> Compiled:
    """Raises QueryShardError for a value that does not fit a field, unless it is lenient."""
    pieces = _Pieces(query, scope)
    if query.query.strip() == "*":
        return EVERYTHING
    try:
        default: Occurs = "must" if query.default_operator == "and" else "should"
        tree = parse_simple(query.query, query.flags, default, pieces.make)
        if tree is None:
            return NOTHING
        if query.minimum_should_match is not None and not isinstance(tree, All | Not):
            pieces.of_one = query.minimum_should_match
            tree = parse_simple(query.query, query.flags, default, pieces.make)
            assert tree is not None
        return _compiled(tree, query.minimum_should_match)
    except ApiError as error:
        raise scope.failed(error) from None


def _compiled(tree: "Tree[Compiled]", spec: str | None = None) -> Compiled:
    if isinstance(tree, Not):
        if spec is not None and minimum_should_match(spec, 1) > 1:
            return NOTHING
        spared = tantivy.Query.boolean_query(
            [
                (tantivy.Occur.Should, scoring(EVERYTHING)),
                (tantivy.Occur.MustNot, _compiled(tree.part).query),
            ]
        )
        return Compiled(spared, 1.0)
    if not isinstance(tree, All):
        return tree
    parts = [(occurs, _compiled(part)) for occurs, part in tree.parts]
    should = sum(occurs == "should" for occurs, _ in parts)
    required = 1 if should == len(parts) else 0
    if spec is not None:
        required = max(required, minimum_should_match(spec, should))
    if required > should:
        return NOTHING
    clauses = [(_OCCURS[occurs], scoring(part)) for occurs, part in parts]
    return Compiled(tantivy.Query.boolean_query(clauses, required), None)


class _Pieces:
    """What the pieces of the text become, on the fields of the query."""

    def __init__(self, query: dsl.SimpleQueryString, scope: Scope) -> None:
        self._query = query
        self._scope = scope
        self.of_one: str | None = None
        """How many words of the only piece of the text must match, where that piece is the whole query."""
        self._analyzer = named_analyzer(query.analyzer, "simple_query_string", scope)
        self._fields = fields_of(query.fields or (("*", 1.0),), scope)
        self._lenient = everywhere(query.fields) if query.lenient is None else query.lenient

    def _options(self, slop: int = 0) -> TextOptions:
        alone = len(self._fields) == 1 and self._fields[0][1] == 1.0
        return TextOptions(
            minimum_should_match=self.of_one if alone else None,
            operator=self._query.default_operator,
            analyzer=self._analyzer,
            lenient=self._lenient,
            slop=slop,
        )

    def make(self, kind: Kind, text: str, amount: int) -> Compiled | None:
        """Raises ApiError; None where the analyzer left nothing."""
        if kind in ("words", "phrase"):
            return self._text(kind, text, amount)
        found = []
        for mapped, boost in self._fields:
            try:
                each = self._near(mapped, text, amount) if kind == "near" else None
                each = self._prefix(mapped, text) if each is None else each
                found.append(each.boosted(boost))
            except ApiError:
                if not self._lenient:
                    raise
        return best_of(found, 1.0)

    def _text(self, kind: Kind, text: str, slop: int) -> Compiled | None:
        fields = self._quoted_fields() if kind == "phrase" else self._fields
        if not fields:
            return NOTHING
        if not any(analysed(mapped, text, self._analyzer) for mapped, _ in fields):
            return None
        shape = _TYPES.PHRASE if kind == "phrase" else _TYPES.MOST_FIELDS
        return on_fields(fields, text, shape, self._options(slop), None, self._scope)

    def _quoted_fields(self) -> list[Boosted]:
        suffix = self._query.quote_field_suffix
        if suffix is None:
            return self._fields
        mapped = self._scope.mapped
        return [(mapped(each.path + suffix) or each, boost) for each, boost in self._fields]

    def _near(self, mapped: Field, text: str, edits: int) -> Compiled:
        textual(mapped.path, "fuzzy", self._scope)
        fuzzing = replace(self._query.fuzzing, fuzziness=dsl.Fuzziness(edits=edits))
        return fuzzy_on(mapped, self._folded(mapped, text), fuzzing, self._scope)

    def _folded(self, mapped: Field, text: str) -> str:
        if self._analyzer is not None:
            return text if keeps_case(self._analyzer) else text.lower()
        return text.lower() if mapped.type is FieldType.TEXT else text

    def _own(self, mapped: Field) -> Analyzer:
        return self._analyzer or (STANDARD if mapped.type is FieldType.TEXT else KEYWORD)

    def _prefix(self, mapped: Field, text: str) -> Compiled:
        if not self._query.analyze_wildcard:
            textual(mapped.path, "prefix", self._scope)
            return prefix_on(mapped, self._folded(mapped, text), self._scope)
        if mapped.type not in (FieldType.TEXT, FieldType.KEYWORD):
            return NOTHING
        words = [word for _, word in self._own(mapped).terms(text)]
        if not words:
            return NOTHING
        last = prefix_on(mapped, words[-1], self._scope)
        if len(words) == 1:
            return last
        options = self._options()
        clauses = [word_on(mapped, word, options, self._scope) for word in words[:-1]]
        return Compiled(any_of([scoring(each) for each in (*clauses, last)]), None)
