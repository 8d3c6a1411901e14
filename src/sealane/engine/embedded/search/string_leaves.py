"""The leaves of a query_string: words, phrases, patterns and ranges, on the fields that they name or on all defaults.

Patterns and near spellings are folded as the field's analyzer folds its words: text fields to lower case.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sealane.engine.embedded.analyzers import KEYWORD, STANDARD, Analyzer, keeps_case
from sealane.engine.embedded.search.existence import compile_exists
from sealane.engine.embedded.search.leaves import compile_term
from sealane.engine.embedded.search.match import (
    TextOptions,
    analysed,
    bool_prefix_clauses,
    combined,
    word_on,
)
from sealane.engine.embedded.search.multi_match import (
    Boosted,
    alike,
    as_one_by_word,
    best_of,
    fields_of,
    on_fields,
)
from sealane.engine.embedded.search.multi_terms import (
    compile_prefix,
    fuzzy_on,
    prefix_on,
    regexp_on,
    textual,
    wildcard_on,
)
from sealane.engine.embedded.search.ranges import compile_range
from sealane.engine.embedded.search.scope import EVERYTHING, NOTHING, Compiled, Scope
from sealane.engine.mapping import Field, FieldType
from sealane.errors import ApiError
from sealane.model import dsl
from sealane.query.fuzziness import fuzziness_of
from sealane.query.lucene_syntax import Leaf, Span, unescaped
from sealane.query.lucene_tokens import SyntaxProblem

EXISTS = "_exists_"
_SLOP_MAX = 2**31 - 1
_METADATA = ("_id", "_index")
_WORDS = (
    dsl.MultiMatchType.BEST_FIELDS,
    dsl.MultiMatchType.MOST_FIELDS,
    dsl.MultiMatchType.CROSS_FIELDS,
)


class NoTerms(Exception):
    """The analyzer left no word of the text: there is no clause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaves:
    """Makes queries of leaves. `everywhere` says that the defaults are all fields."""

    query: dsl.QueryString
    scope: Scope
    defaults: list[Boosted]
    everywhere: bool
    lenient: bool
    analyzer: Analyzer | None
    quote_analyzer: Analyzer | None

    def leaf(self, leaf: Leaf) -> "Compiled | list[Compiled]":
        """One query, or the queries of several words of one field. Raises NoTerms, SyntaxProblem, ApiError."""
        text = unescaped(leaf.text) if leaf.kind != "regexp" else leaf.text
        match leaf.kind:
            case "quoted":
                return self._quoted(leaf, text)
            case "wildcard":
                return self._wildcard(leaf.field, leaf.text)
            case "prefix":
                start = unescaped(leaf.text[:-1])
                if leaf.field == "_index":
                    return compile_prefix(dsl.Prefix(field=leaf.field, value=start), self.scope)
                return self._each(leaf.field, lambda mapped: self._prefix_on(mapped, start))
            case "regexp":
                return self._each(
                    leaf.field,
                    lambda mapped: self._regexp_on(mapped, text),
                )
        if leaf.kind == "term" and leaf.fuzzy is not None:
            return self._near(leaf, text)
        return self._words(leaf.field, text)

    def span(self, span: Span) -> Compiled:
        return self._range(span.field, span.low, span.high, span.with_low, span.with_high)

    # -- fields ----------------------------------------------------------------------------------------------------

    def _fields(self, name: str | None, *, quoted: bool = False) -> list[Boosted]:
        suffix = self.query.quote_field_suffix if quoted else None
        if name is None or (name == "*" and self.everywhere):
            fields = self.defaults
        else:
            fields = fields_of(((name, 1.0),), self.scope)
        if suffix is None:
            return fields
        return [
            (self.scope.mapped(mapped.path + suffix) or mapped, boost) for mapped, boost in fields
        ]

    def _each(self, name: str | None, on_field: Callable[[Field], Compiled]) -> Compiled:
        """The best of the fields."""
        found = []
        for mapped, boost in self._fields(name):
            try:
                found.append(on_field(mapped).boosted(boost))
            except ApiError:
                if not self.lenient:
                    raise
        return best_of(found, self._tie())

    def _tie(self) -> float:
        if self.query.tie_breaker is not None:
            return self.query.tie_breaker
        kinds = (dsl.MultiMatchType.MOST_FIELDS, dsl.MultiMatchType.BOOL_PREFIX)
        return 1.0 if self.query.type in kinds else 0.0

    def _textual(self, mapped: Field, kind: str) -> Field:
        textual(mapped.path, kind, self.scope)
        return mapped

    def _folded(self, mapped: Field, text: str) -> str:
        """Patterns are not cut into words, only folded."""
        if self.analyzer is not None:
            return text if keeps_case(self.analyzer) else text.lower()
        return text.lower() if mapped.type is FieldType.TEXT else text

    def _spelled(self, mapped: Field, pattern: str) -> str:
        """A prefix or wildcard: of keywords, only `analyze_wildcard` lets a named analyzer fold it."""
        if mapped.type is not FieldType.TEXT and not self.query.analyze_wildcard:
            return pattern
        return self._folded(mapped, pattern)

    # -- words -----------------------------------------------------------------------------------------------------

    def _options(self, analyzer: Analyzer | None, slop: int = 0) -> TextOptions:
        return TextOptions(
            operator=self.query.default_operator,
            analyzer=analyzer,
            lenient=self.lenient,
            slop=slop,
        )

    def _words(self, name: str | None, text: str) -> "Compiled | list[Compiled]":
        if name == EXISTS:
            return compile_exists(text, self.scope)
        if name in _METADATA:
            return compile_term(dsl.Term(field=name, value=text), self.scope)
        default = self.query.default_field
        if name is None and default is not None and "*" not in default:
            name = default
        if name is not None:
            bounds = _one_sided(text)
            if bounds is not None:
                return self._range(name, *bounds)
            only = self.scope.mapped(name)
            if only is not None and only.type is FieldType.DATE and self.query.time_zone:
                return self._range(name, text, text, True, True)
        fields = self._fields(name)
        if not fields:
            return NOTHING
        options = self._options(self.analyzer)
        self._refuse_nothing(fields, text, self.analyzer)
        words = self._apart(fields, text, options)
        if words is not None:
            return words
        return on_fields(fields, text, self.query.type, options, self.query.tie_breaker, self.scope)

    def _apart(
        self, fields: list[Boosted], text: str, options: TextOptions
    ) -> list[Compiled] | None:
        """The words as clauses of their own: those of one field, or of fields taken as one. None for anything else."""
        mapped, boost = fields[0]
        if len(analysed(mapped, text, self.analyzer)) < 2:
            return None
        alone = len(fields) == 1 and boost == 1.0
        if alone and self.query.type is dsl.MultiMatchType.BOOL_PREFIX:
            return bool_prefix_clauses(mapped, text, options, self.scope)
        if alone and self.query.type in _WORDS:
            words = [word for _, word in analysed(mapped, text, self.analyzer)]
            return [word_on(mapped, word, options, self.scope) for word in words]
        cross = self.query.type is dsl.MultiMatchType.CROSS_FIELDS
        if cross and len(fields) > 1 and len(alike(fields, options)) == 1:
            return as_one_by_word(fields, text, options, self._tie(), self.scope)
        return None

    def _refuse_nothing(self, fields: list[Boosted], text: str, analyzer: Analyzer | None) -> None:
        """Raises NoTerms where no field's analyzer finds a word."""
        if not any(analysed(mapped, text, analyzer) for mapped, _ in fields):
            raise NoTerms

    def _quoted(self, leaf: Leaf, text: str) -> Compiled:
        if leaf.field == EXISTS:
            return compile_exists(text, self.scope)
        if leaf.field in _METADATA:
            return compile_term(dsl.Term(field=leaf.field or "", value=text), self.scope)
        fields = self._fields(leaf.field, quoted=True)
        if not fields:
            return NOTHING
        self._refuse_nothing(fields, text, self.quote_analyzer)
        options = self._options(self.quote_analyzer, slop_of(leaf.fuzzy, self.query.phrase_slop))
        return on_fields(
            fields, text, dsl.MultiMatchType.PHRASE, options, self.query.tie_breaker, self.scope
        )

    # -- patterns --------------------------------------------------------------------------------------------------

    def _near(self, leaf: Leaf, text: str) -> Compiled:
        fuzzing = self.query.fuzzing
        asked = fuzzing.fuzziness if not leaf.fuzzy else fuzziness_of(leaf.fuzzy)
        edits = dsl.Fuzziness(edits=asked.distance(text))
        # The reference reads `fuzzy_rewrite`, and does not use it for words that are marked by a `~`.
        fuzzing = replace(fuzzing, fuzziness=edits, rewrite=None)
        return self._each(
            leaf.field,
            lambda mapped: fuzzy_on(
                self._textual(mapped, "fuzzy"), self._folded(mapped, text), fuzzing, self.scope
            ),
        )

    def _wildcard(self, name: str | None, text: str) -> Compiled:
        if text == "*":
            if name == "*" or (name is None and self.everywhere):
                return EVERYTHING
            if name is not None:
                return compile_exists(name, self.scope)
            return self._each(None, lambda mapped: compile_exists(mapped.path, self.scope))
        if text[0] in "*?" and not self.query.allow_leading_wildcard:
            raise SyntaxProblem("'*' or '?' not allowed as first character in WildcardQuery")
        if name == "_index":
            return NOTHING  # as the reference, which takes prefixes of this field but no other patterns here
        return self._each(
            name,
            lambda mapped: wildcard_on(
                self._textual(mapped, "wildcard"),
                self._spelled(mapped, text),
                self.scope,
                rewrite=self.query.rewrite,
            ),
        )

    def _regexp_on(self, mapped: Field, text: str) -> Compiled:
        if self.analyzer is not None:
            # As the reference: an analyzer that was named folds the pattern, and no field's type is asked then.
            if mapped.type not in (FieldType.TEXT, FieldType.KEYWORD):
                return NOTHING
            text = text if keeps_case(self.analyzer) else text.lower()
        self._textual(mapped, "regexp")
        return regexp_on(mapped, text, self.scope, rewrite=self.query.rewrite)

    def _prefix_on(self, mapped: Field, start: str) -> Compiled:
        self._textual(mapped, "prefix")
        if not self.query.analyze_wildcard:
            folded = self._spelled(mapped, start)
            return prefix_on(mapped, folded, self.scope, rewrite=self.query.rewrite)
        analyzer = self.analyzer or (STANDARD if mapped.type is FieldType.TEXT else KEYWORD)
        words = [word for _, word in analyzer.terms(start)]
        if not words:
            return NOTHING
        options = self._options(analyzer)
        clauses = [word_on(mapped, word, options, self.scope) for word in words[:-1]]
        clauses.append(prefix_on(mapped, words[-1], self.scope, rewrite=self.query.rewrite))
        return combined(clauses, options, self.scope)

    # -- ranges ----------------------------------------------------------------------------------------------------

    def _range(
        self, name: str | None, low: str | None, high: str | None, with_low: bool, with_high: bool
    ) -> Compiled:
        def on_field(mapped: Field) -> Compiled:
            first = low if low is None else self._folded(mapped, low)
            last = high if high is None else self._folded(mapped, high)
            return compile_range(
                dsl.Range(
                    field=mapped.path,
                    gte=first if with_low else None,
                    gt=None if with_low else first,
                    lte=last if with_high else None,
                    lt=None if with_high else last,
                    time_zone=self.query.time_zone,
                ),
                self.scope,
            )

        return self._each(name, on_field)


def _one_sided(text: str) -> tuple[str | None, str | None, bool, bool] | None:
    """`>=5` and its kin behind the name of a field."""
    for mark, inclusive in ((">=", True), (">", False)):
        if text.startswith(mark) and len(text) > len(mark):
            return text[len(mark) :], None, inclusive, True
    for mark, inclusive in (("<=", True), ("<", False)):
        if text.startswith(mark) and len(text) > len(mark):
            return None, text[len(mark) :], True, inclusive
    return None


def slop_of(written: str | None, default: int) -> int:
    """What is written behind a phrase, as the reference takes it: whole, and never more than 31 bits."""
    if not written:
        return default
    try:
        return max(0, int(min(float(written), _SLOP_MAX)))
    except ValueError:
        return default
