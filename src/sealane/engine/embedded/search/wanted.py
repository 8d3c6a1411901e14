"""Which terms of which fields a query looks for: what highlighting marks.

`wanted_terms(query, scope) -> dict[str, list[WantedWords]]` gives them for each field path: one word or a phrase of
several, each place of which tells the terms that it takes. What must not match wants nothing, nor do queries without
terms (ranges, ids, geo), as in the reference. Only the mapping and the dictionary are looked at, never documents.

    for words in wanted_terms(body.query, scope).get("title", ()):
        words.is_phrase, words.slop, [place.matches("fox") for place in words.places]

Every query that the package compiles is to be found in `_collect`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sealane.engine.embedded.analyzers import Analyzer, analyzer_named
from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.match import analysed
from sealane.engine.embedded.search.multi_match import fields_of
from sealane.engine.embedded.search.multi_terms import near_spellings
from sealane.engine.embedded.search.scope import Scope
from sealane.engine.embedded.search.string_leaves import slop_of
from sealane.engine.embedded.search.wildcards import wildcard
from sealane.engine.mapping import Field, FieldType
from sealane.errors import ApiError
from sealane.model import dsl
from sealane.model.dsl.joined import Nested
from sealane.model.dsl.scored import FunctionScore
from sealane.model.lucene_regexp import regexp
from sealane.query.fuzziness import fuzziness_of
from sealane.query.lucene_syntax import Group, Leaf, Node, parse_syntax, unescaped
from sealane.query.simple_syntax import All, Kind, Not, Tree, parse_simple

_TEXTUAL = (FieldType.TEXT, FieldType.KEYWORD)
_TYPES = dsl.MultiMatchType


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a phrase, or a single word. `text` is its only term, None where it takes several."""

    matches: Callable[[str], bool]
    text: str | None = None
    offset: int = 0
    """How many words behind the first of the phrase it stands."""


@dataclass(frozen=True, slots=True)
class WantedWords:
    """One word, or several that stand together."""

    places: tuple[Place, ...]
    slop: int = 0

    @property
    def is_phrase(self) -> bool:
        return len(self.places) > 1


Wanted = dict[str, list[WantedWords]]


def wanted_terms(query: dsl.Query, scope: Scope, *, likes: bool = True) -> Wanted:
    """By field path. A part of the query that does not fit the mapping wants nothing: the search has said so.

    `likes` is whether what documents are to be like is wanted: the plain highlighter does not know such a query.
    """
    found = _Collected(scope, likes)
    found.collect(query)
    return found.wanted


def _exactly(text: str, offset: int = 0) -> Place:
    return Place(text.__eq__, text, offset)


def _beginning(text: str, offset: int = 0) -> Place:
    return Place(lambda term: term.startswith(text), None, offset)


@dataclass(slots=True)
class _Collected:
    scope: Scope
    likes: bool = True
    wanted: Wanted = field(default_factory=dict)

    def add(self, path: str, *places: Place, slop: int = 0) -> None:
        self.wanted.setdefault(path, []).append(WantedWords(places, slop))

    def collect(self, query: dsl.Query) -> None:
        match query:
            case dsl.Bool():
                for each in (*query.must, *query.should, *query.filter):
                    self.collect(each)
            case dsl.DisMax():
                for each in query.queries:
                    self.collect(each)
            case dsl.Boosting():
                self.collect(query.positive)
            case FunctionScore() | Nested():
                self.collect(query.query)
            case dsl.QueryString():
                self._query_string(query)
            case dsl.SimpleQueryString():
                self._simple_query_string(query)
            case dsl.MultiMatch():
                self._multi_match(query)
            case dsl.MoreLikeThis():
                for path in query.fields[:1] if self.likes else ():
                    for text in query.texts:
                        self._words(path, text, query.analyzer)
            case _:
                self._on_one_field(query)

    def _on_one_field(self, query: dsl.Query) -> None:
        match query:
            case dsl.Term():
                self._value(query.field, query.value, ignore_case=query.case_insensitive)
            case dsl.Terms() | dsl.TermsSet():
                for value in query.values:
                    self._value(query.field, value)
            case dsl.Match():
                self._words(query.field, query.query, query.analyzer, query.fuzzing)
            case dsl.MatchPhrase():
                self._phrase(query.field, query.query, query.analyzer, query.slop)
            case dsl.MatchPhrasePrefix():
                self._phrase(query.field, query.query, query.analyzer, query.slop, begun=True)
            case dsl.MatchBoolPrefix():
                self._words(query.field, query.query, query.analyzer, query.fuzzing, begun=True)
            case dsl.Prefix():
                text = query.value.lower() if query.case_insensitive else query.value
                place = _beginning(text)
                if query.case_insensitive:
                    place = Place(lambda term: term.lower().startswith(text))
                self._pattern(query.field, place)
            case dsl.Wildcard():
                pattern = wildcard(query.value, ignore_case=query.case_insensitive)
                self._pattern(query.field, Place(pattern.fullmatch))
            case dsl.Regexp():
                self._regexp(query.field, query.value, query.flags, query.case_insensitive)
            case dsl.Fuzzy():
                self._near(query.field, values.text_of(query.value), query.fuzzing)

    # -- one field -------------------------------------------------------------------------------------------------

    def _mapped(self, path: str) -> Field | None:
        return self.scope.mapped(path)

    def _value(self, path: str, value: dsl.Scalar, *, ignore_case: bool = False) -> None:
        if self._mapped(path) is None:
            return
        text = values.text_of(value)
        if ignore_case:
            lowered = text.lower()
            self.add(path, Place(lambda term: term.lower() == lowered))
        else:
            self.add(path, _exactly(text))

    def _pattern(self, path: str, place: Place) -> None:
        mapped = self._mapped(path)
        if mapped is not None and mapped.type in _TEXTUAL:
            self.add(path, place)

    def _regexp(self, path: str, text: str, flags: int = 0xFF, ignore_case: bool = False) -> None:
        try:
            self._pattern(path, Place(regexp(text, flags, ignore_case=ignore_case).fullmatch))
        except ApiError:
            return

    def _near(self, path: str, text: str, fuzzing: dsl.Fuzzing) -> None:
        mapped = self._mapped(path)
        if mapped is None or mapped.type not in _TEXTUAL or fuzzing.max_expansions <= 0:
            return
        near = near_spellings(path, text, fuzzing, self.scope)
        near.sort(key=lambda each: (-each.boost, each.text))
        terms = frozenset(each.text for each in near[: fuzzing.max_expansions])
        self.add(path, Place(terms.__contains__))

    def _terms(self, path: str, value: dsl.Scalar, name: str | None) -> list[tuple[int, str]]:
        mapped = self._mapped(path)
        if mapped is None:
            return []
        analyzer: Analyzer | None = None if name is None else analyzer_named(name)
        return analysed(mapped, value, analyzer)

    def _words(
        self,
        path: str,
        value: dsl.Scalar,
        analyzer: str | None,
        fuzzing: dsl.Fuzzing | None = None,
        *,
        begun: bool = False,
    ) -> None:
        terms = self._terms(path, value, analyzer)
        for index, (_, word) in enumerate(terms):
            if begun and index == len(terms) - 1:
                self._pattern(path, _beginning(word))
            elif fuzzing is not None:
                self._near(path, word, fuzzing)
            else:
                self.add(path, _exactly(word))

    def _phrase(
        self,
        path: str,
        value: dsl.Scalar,
        analyzer: str | None,
        slop: int = 0,
        *,
        begun: bool = False,
    ) -> None:
        terms = self._terms(path, value, analyzer)
        if not terms:
            return
        first = terms[0][0]
        places = [_exactly(word, at - first) for at, word in terms]
        if begun:
            places[-1] = _beginning(terms[-1][1], terms[-1][0] - first)
        self.add(path, *places, slop=slop)

    # -- several fields --------------------------------------------------------------------------------------------

    def _paths(self, fields: tuple[tuple[str, float], ...]) -> list[str]:
        try:
            return [mapped.path for mapped, _ in fields_of(fields or (("*", 1.0),), self.scope)]
        except ApiError:
            return []

    def _multi_match(self, query: dsl.MultiMatch) -> None:
        for path in self._paths(query.fields):
            self._typed(path, query.query, query.type, query.analyzer, query.slop, query.fuzzing)

    def _typed(
        self,
        path: str,
        value: dsl.Scalar,
        kind: dsl.MultiMatchType,
        analyzer: str | None,
        slop: int = 0,
        fuzzing: dsl.Fuzzing | None = None,
    ) -> None:
        if kind in (_TYPES.PHRASE, _TYPES.PHRASE_PREFIX):
            self._phrase(path, value, analyzer, slop, begun=kind is _TYPES.PHRASE_PREFIX)
        else:
            begun = kind is _TYPES.BOOL_PREFIX
            self._words(path, value, analyzer, fuzzing, begun=begun)

    def _simple_query_string(self, query: dsl.SimpleQueryString) -> None:
        paths = self._paths(query.fields)

        def make(kind: Kind, text: str, amount: int) -> Callable[[str], None]:
            def wanted_on(path: str) -> None:
                if kind == "phrase":
                    self._phrase(path, text, query.analyzer, amount)
                elif kind == "prefix":
                    self._pattern(path, _beginning(self._folded(path, text)))
                elif kind == "near":
                    near = dsl.Fuzzing(fuzziness=dsl.Fuzziness(edits=amount))
                    self._near(path, self._folded(path, text), near)
                else:
                    self._words(path, text, query.analyzer)

            return wanted_on

        tree = parse_simple(query.query, query.flags, "should", make)
        for piece in _pieces(tree):
            for path in paths:
                piece(path)

    def _folded(self, path: str, text: str) -> str:
        mapped = self._mapped(path)
        return text.lower() if mapped is not None and mapped.type is FieldType.TEXT else text

    def _query_string(self, query: dsl.QueryString) -> None:
        defaults = query.fields or ((query.default_field or "*", 1.0),)
        try:
            self._node(parse_syntax(query.query), query, defaults)
        except ApiError:
            return

    def _node(
        self, node: Node, query: dsl.QueryString, defaults: tuple[tuple[str, float], ...]
    ) -> None:
        if isinstance(node, Group):
            for clause in node.clauses:
                if clause.mark != "-":
                    self._node(clause.node, query, defaults)
        elif isinstance(node, Leaf):
            named = defaults if node.field is None else ((unescaped(node.field), 1.0),)
            for path in self._paths(named):
                self._leaf(path, node, query)

    def _leaf(self, path: str, leaf: Leaf, query: dsl.QueryString) -> None:
        if leaf.kind == "regexp":
            self._regexp(path, leaf.text)
        elif leaf.kind == "wildcard":
            if leaf.text != "*":
                pattern = wildcard(self._folded(path, leaf.text))
                self._pattern(path, Place(pattern.fullmatch))
        elif leaf.kind == "prefix":
            self._pattern(path, _beginning(self._folded(path, unescaped(leaf.text[:-1]))))
        elif leaf.kind == "quoted":
            analyzer = query.quote_analyzer or query.analyzer
            slop = slop_of(leaf.fuzzy, query.phrase_slop)
            self._phrase(path, unescaped(leaf.text), analyzer, slop)
        elif leaf.fuzzy is not None and leaf.kind == "term":
            text = unescaped(leaf.text)
            asked = fuzziness_of(leaf.fuzzy) if leaf.fuzzy else query.fuzzing.fuzziness
            self._near(path, self._folded(path, text), dsl.Fuzzing(fuzziness=asked))
        else:
            self._typed(path, unescaped(leaf.text), query.type, query.analyzer)


def _pieces(tree: "Tree[Callable[[str], None]] | None") -> Iterator[Callable[[str], None]]:
    """The leaves that may match."""
    if isinstance(tree, All):
        for _, part in tree.parts:
            yield from _pieces(part)
    elif tree is not None and not isinstance(tree, Not):
        yield tree
