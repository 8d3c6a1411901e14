"""How a document came by its score, in the reference's words.

Every value is a score that was computed as it is for hits, so an explanation adds up to what is shown. Below a word
stand the numbers of its formula: boost, idf, tf and what these are made of.
"""

import math
from dataclasses import replace
from typing import Any

import tantivy

from sealane.engine.embedded.search.compile import compile_query
from sealane.engine.embedded.search.described import constant_clause, describe, tokens_of
from sealane.engine.embedded.search.distances import single
from sealane.engine.embedded.search.rank import Row
from sealane.engine.embedded.search.rescore import Rescorer
from sealane.engine.embedded.search.scope import Scope
from sealane.engine.embedded.search.scored import row_scores
from sealane.engine.embedded.search.term_counts import told_of
from sealane.engine.mapping import Field, FieldType
from sealane.model import dsl
from sealane.model.dsl.scored import FunctionScore

_WORDS = (FieldType.TEXT, FieldType.KEYWORD)
_K1, _B = 1.2, 0.75
_SUM = "sum of:"
_IDF = "idf, computed as log(1 + (N - n + 0.5) / (n + 0.5)) from:"
_TF = "tf, computed as freq / (freq + k1 * (1 - b + b * dl / avgdl)) from:"

Explanation = dict[str, Any]


def explain(
    body: dsl.SearchBody, row: Row, rescorers: tuple[Rescorer, ...], scope: Scope
) -> Explanation:
    """The explanation of one row of a search's hits."""
    explainer = _Explainer(scope, row)
    found = explainer.node(body.query, 1.0)
    for number, each in enumerate(rescorers):
        inside = row.rescored is None or bool(row.rescored >> number & 1)
        found = explainer.rescored(found, each, inside=inside)
    return found


class _Explainer:
    """Explains one document."""

    def __init__(self, scope: Scope, row: Row) -> None:
        # A scope of its own: queries that are compiled again must not be named again.
        self._scope = Scope(scope.state, scope.index_name, scope.now_ms, size=scope.size)
        self._scope.restriction, self._scope.visible = scope.restriction, scope.visible
        self._row = row

    def node(self, query: dsl.Query, boost: float) -> Explanation:
        """`boost` is that of the queries around."""
        score = self._score(query, boost)
        if score is None:
            return _node(0.0, "no matching clause")
        boosted = replace(query, boost=query.boost * boost)
        match query:
            case dsl.Term() if self._words(query.field):
                return self._word(query.field, str(query.value), boosted.boost, score)
            case dsl.Match() if query.fuzzing is None and self._words(query.field):
                return self._match(query, boosted.boost, score)
            case dsl.MatchPhrase() if self._words(query.field):
                return self._phrase(query, boosted.boost, score)
            case dsl.Bool():
                return self._bool(query, boosted.boost, score)
            case dsl.DisMax():
                return self._best(query, boosted.boost, score)
            case dsl.MultiMatch() if self._is_by_field(query):
                return self._by_field(query, boosted.boost, score)
            case FunctionScore():
                inner = self.node(query.query, 1.0)
                return _node(score, "function score, product of:", inner)
        return _node(score, describe(boosted, self._scope).text)

    def rescored(self, first: Explanation, rescorer: Rescorer, *, inside: bool) -> Explanation:
        """What a rescorer makes of a score; of one outside its window, the first weight alone."""
        spec = rescorer.spec
        primary = _product(first, spec.query_weight, "primaryWeight")
        second = self._score(spec.query, 1.0) if inside else None
        if second is None:
            return primary
        found = self.node(spec.query, 1.0)
        secondary = _product(found, spec.rescore_query_weight, "secondaryWeight")
        return _node(self._row.score or 0.0, _MODES[spec.score_mode], primary, secondary)

    def _score(self, query: dsl.Query, boost: float) -> float | None:
        compiled = compile_query(query, self._scope).boosted(boost)
        (score,) = row_scores(compiled, [self._row], self._scope)
        return None if math.isnan(score) else score

    def _words(self, field: str) -> bool:
        mapped = self._scope.mapped(field)
        return mapped is not None and mapped.type in _WORDS and self._scope.has_column(mapped.path)

    def _match(self, query: dsl.Match, boost: float, score: float) -> Explanation:
        words = tokens_of(query.field, query.query, query.analyzer, self._scope)
        if len(words) == 1 and query.fuzzing is None:
            return self._word(query.field, words[0], boost, score)
        parts: list[Explanation] = []
        for word in words:
            clause = dsl.Term(field=query.field, value=word)
            own = self._score(clause, boost)
            if own is not None:
                parts.append(self._word(query.field, word, boost, own))
        return _node(score, _SUM, *parts)

    def _bool(self, query: dsl.Bool, boost: float, score: float) -> Explanation:
        scoring = [
            each for each in (*query.must, *query.should) if self._score(each, boost) is not None
        ]
        clauses = len(query.must) + len(query.should) + len(query.filter) + len(query.must_not)
        if clauses == 1 and len(scoring) == 1:
            return self.node(scoring[0], boost)
        if constant_clause(query) is not None:
            boosted = replace(query, boost=boost)
            return _node(score, describe(boosted, self._scope).text)
        if not query.must and not query.should:
            inner = describe(replace(query, boost=1.0), self._scope).text
            if len(query.filter) == 1 and not query.must_not:
                inner = describe(query.filter[0], self._scope).text
            return _node(0.0, f"ConstantScore({inner})^0.0")
        parts: list[Explanation] = []
        for each in scoring:
            part = self.node(each, boost)
            # A choice within a choice is one: the engine of the reference makes it so.
            parts += part["details"] if _is_choice(each) and part["description"] == _SUM else [part]
        for each in query.filter:
            text = describe(each, self._scope).text
            parts.append(
                _node(
                    0.0,
                    "match on required clause, product of:",
                    _node(0.0, "# clause"),
                    _node(1.0, text),
                )
            )
        return _node(score, _SUM, *parts)

    def _best(self, query: dsl.DisMax, boost: float, score: float) -> Explanation:
        matching = [each for each in query.queries if self._score(each, boost) is not None]
        parts = [self.node(each, boost) for each in matching]
        parts.sort(key=lambda part: -part["value"])
        return _best_node(score, query.tie_breaker, parts)

    def _is_by_field(self, query: dsl.MultiMatch) -> bool:
        plain = query.type in (dsl.MultiMatchType.BEST_FIELDS, dsl.MultiMatchType.MOST_FIELDS)
        return plain and bool(query.fields) and all(self._words(name) for name, _ in query.fields)

    def _by_field(self, query: dsl.MultiMatch, boost: float, score: float) -> Explanation:
        """A match for each field, of which the best counts, or all."""
        parts = []
        for name, weight in query.fields:
            clause = dsl.Match(
                field=name,
                query=query.query,
                operator=query.operator,
                minimum_should_match=query.minimum_should_match,
                analyzer=query.analyzer,
            )
            if self._score(clause, boost * weight) is not None:
                parts.append(self.node(clause, boost * weight))
        if len(query.fields) == 1 and len(parts) == 1:
            return parts[0]
        every = query.type is dsl.MultiMatchType.MOST_FIELDS
        tie = query.tie_breaker if query.tie_breaker is not None else 1.0 if every else 0.0
        return _best_node(score, tie, parts)

    # -- words -------------------------------------------------------------------------------------------------

    def _word(self, field: str, word: str, boost: float, score: float) -> Explanation:
        mapped = self._scope.mapped(field)
        assert mapped is not None
        schema = self._scope.schema
        query = tantivy.Query.term_query(schema, mapped.path, word, "freq")
        return self._weighed(mapped, f"{field}:{word}", [word], query, boost, score)

    def _phrase(self, query: dsl.MatchPhrase, boost: float, score: float) -> Explanation:
        words = tokens_of(query.field, query.query, query.analyzer, self._scope)
        mapped = self._scope.mapped(query.field)
        assert mapped is not None
        if len(words) == 1 or mapped.type is not FieldType.TEXT:
            return self._word(query.field, words[0] if words else "", boost, score)
        phrase = tantivy.Query.phrase_query(
            self._scope.schema, mapped.path, list(words), query.slop
        )
        text = describe(replace(query, boost=1.0), self._scope).text
        return self._weighed(mapped, text, words, phrase, boost, score)

    def _weighed(
        self,
        mapped: Field,
        text: str,
        words: list[str],
        query: tantivy.Query,
        boost: float,
        score: float,
    ) -> Explanation:
        state = self._scope.state
        told = {"freq": 1.0, "dl": 1.0, "avgdl": 1.0}
        if mapped.type is FieldType.TEXT:
            searcher, address = state.view.searcher, self._row.address
            told = told_of(query, searcher, address)
            word = tantivy.Query.term_query(self._scope.schema, mapped.path, words[0], "freq")
            having = max(state.having_tokens(mapped.path), 1)
            # tantivy's average is over all documents, the reference's over those with the field.
            all_docs = told_of(word, searcher, address).get("N", having)
            told["avgdl"] = told.get("avgdl", 1.0) * all_docs / having
        else:
            having = state.column(mapped.path).docs
        length, average = told.get("dl", 1.0), told["avgdl"]
        idfs = [self._idf(mapped.path, word, having) for word in words]
        idf = (
            idfs[0]
            if len(idfs) == 1
            else _node(sum(e["value"] for e in idfs), "idf, sum of:", *idfs)
        )
        norm = _K1 * (1 - _B + _B * length / average)
        is_phrase = len(words) > 1
        freq = told.get("freq", 1.0)
        if is_phrase:
            freq = _frequency(score / (boost * (_K1 + 1) * idf["value"]), norm, freq)
        tf = _tf(freq, length, average)
        occurrences = (
            f"phraseFreq={freq}" if is_phrase else "freq, occurrences of term within document"
        )
        parts = (
            _node(boost * (_K1 + 1), "boost"),
            idf,
            _node(
                tf,
                _TF,
                _node(freq, occurrences),
                _node(_K1, "k1, term saturation parameter"),
                _node(_B, "b, length normalization parameter"),
                _node(length, "dl, length of field"),
                _node(average, "avgdl, average length of field"),
            ),
        )
        formula = _node(score, f"score(freq={freq}), computed as boost * idf * tf from:", *parts)
        place = f"weight({text} in {self._row.address.doc}) [PerFieldSimilarity], result of:"
        return _node(score, place, formula)

    def _idf(self, path: str, word: str, having: int) -> Explanation:
        docs = int(self._scope.state.view.searcher.doc_freq(path, word))
        return _node(
            math.log(1 + (having - docs + 0.5) / (docs + 0.5)),
            _IDF,
            {"value": docs, "description": "n, number of documents containing term", "details": []},
            {
                "value": having,
                "description": "N, total number of documents with field",
                "details": [],
            },
        )


def _best_node(score: float, tie_breaker: float, parts: list[Explanation]) -> Explanation:
    """The best of several; where the others count in full, they are a choice of clauses."""
    if tie_breaker != 1.0:
        how = f"max plus {float(tie_breaker)} times others of:" if tie_breaker else "max of:"
        return _node(score, how, *parts)
    flat = [
        each
        for part in parts
        for each in (part["details"] if part["description"] == _SUM else [part])
    ]
    return _node(score, _SUM, *flat)


def _is_choice(query: dsl.Query) -> bool:
    """Whether a query is of clauses of which any will do, and nothing else."""
    if isinstance(query, dsl.Match):
        return query.operator == "or" and query.minimum_should_match is None
    if isinstance(query, dsl.Bool):
        others = query.must or query.filter or query.must_not
        return not others and query.minimum_should_match is None
    return False


def _node(value: float, description: str, *details: Explanation) -> Explanation:
    return {
        "value": single(value),
        "description": description,
        "details": list(details),
    }


def _tf(freq: float, length: float, average: float) -> float:
    """In 32 bits, step by step, as the reference computes it."""
    lengths = single(single(1 - _B) + single(single(_B * length) / single(average)))
    inverse = single(1 / single(single(_K1) * lengths))
    return single(1 - single(1 / single(1 + single(freq * inverse))))


def _frequency(tf: float, norm: float, told: float) -> float:
    """How often a phrase counts: its words may be apart, and then it is less than once."""
    return round(tf * norm / (1 - tf), 4) if 0 < tf < 1 else told


def _product(first: Explanation, weight: float, name: str) -> Explanation:
    value = single(first["value"] * single(weight))
    return _node(value, "product of:", first, _node(weight, name))


_MODES = {
    dsl.RescoreMode.TOTAL: "sum of:",
    dsl.RescoreMode.MULTIPLY: "product of:",
    dsl.RescoreMode.AVG: "avg of:",
    dsl.RescoreMode.MAX: "max of:",
    dsl.RescoreMode.MIN: "min of:",
}
