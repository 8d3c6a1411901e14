"""Queries as the reference's engine writes them: what explanations and profiles call them by.

For queries that it rewrites into something of its own, the name of the query stands for it.
"""

from dataclasses import dataclass, replace

from sealane.engine.embedded.analyzers import KEYWORD, STANDARD, analyzer_named
from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.scope import Scope
from sealane.engine.mapping import Field, FieldType
from sealane.model import dsl
from sealane.model.dsl.scored import FunctionScore

_WORDS = (FieldType.TEXT, FieldType.KEYWORD)


@dataclass(frozen=True, slots=True)
class Described:
    """`type` is the engine's name for the query, `text` how it writes it, `children` the queries inside."""

    type: str
    text: str
    children: tuple[tuple[dsl.Query, "Described"], ...] = ()


def tokens_of(field: str, text: dsl.Scalar, analyzer: str | None, scope: Scope) -> list[str]:
    """The words that a query on a field looks for."""
    mapped = scope.mapped(field)
    chosen = KEYWORD if mapped is None or mapped.type is not FieldType.TEXT else STANDARD
    if analyzer is not None:
        chosen = analyzer_named(analyzer) or chosen
    return [token for _, token in chosen.terms(values.text_of(text))]


def describe(query: dsl.Query, scope: Scope) -> Described:
    """The query, with its boost."""
    if isinstance(query, dsl.Bool):
        clause = constant_clause(query)
        if clause is not None:
            return _constant(query, clause, scope)
    found = _describe(query, scope)
    if query.boost == 1.0:
        return found
    plain = " " not in found.text and not found.text.startswith(("+", "-", "#"))
    text = found.text if plain or found.text.endswith(("]", ")")) else f"({found.text})"
    return replace(found, text=f"{text}^{float(query.boost)}")


def _describe(query: dsl.Query, scope: Scope) -> Described:
    match query:
        case dsl.MatchAll():
            return Described("MatchAllDocsQuery", "*:*")
        case dsl.MatchNone():
            return Described("MatchNoDocsQuery", 'MatchNoDocsQuery("")')
        case dsl.Term():
            return term(query.field, query.value, scope)
        case dsl.Terms():
            shown = " ".join(values.text_of(each) for each in query.values)
            return Described("TermInSetQuery", f"{query.field}:({shown})")
        case dsl.Ids():
            return Described("TermInSetQuery", f"_id:({' '.join(query.values)})")
        case dsl.Match():
            return _match(query, scope)
        case dsl.MatchPhrase():
            words = tokens_of(query.field, query.query, query.analyzer, scope)
            slop = f"~{query.slop}" if query.slop else ""
            return Described("PhraseQuery", f'{query.field}:"{" ".join(words)}"{slop}')
        case dsl.Range():
            return _range(query)
        case dsl.Exists():
            text = f"ConstantScore(FieldExistsQuery [field={query.field}])"
            return Described("ConstantScoreQuery", text)
        case dsl.Prefix():
            return Described("PrefixQuery", f"{query.field}:{query.value}*")
        case dsl.Wildcard():
            return Described("WildcardQuery", f"{query.field}:{query.value}")
        case dsl.Bool():
            return _bool(query, scope)
        case dsl.DisMax():
            children = tuple((each, describe(each, scope)) for each in query.queries)
            tie = f"~{query.tie_breaker}" if query.tie_breaker else ""
            text = " | ".join(child.text for _, child in children)
            return Described("DisjunctionMaxQuery", f"({text}){tie}", children)
        case FunctionScore():
            inner = describe(query.query, scope)
            text = f"function score ({inner.text}, functions: [])"
            return Described("FunctionScoreQuery", text, ((query.query, inner),))
    name = type(query).__name__
    return Described(f"{name}Query", name)


def term(field: str, value: dsl.Scalar, scope: Scope) -> Described:
    mapped = scope.mapped(field)
    text = values.text_of(value)
    if mapped is None or mapped.type in _WORDS:
        return Described("TermQuery", f"{field}:{text}")
    if mapped.type is FieldType.BOOLEAN:
        return Described("TermQuery", f"{field}:{'T' if text == 'true' else 'F'}")
    if _is_number(mapped):
        return Described("PointRangeQuery", f"{field}:[{text} TO {text}]")
    return Described("TermQuery", f"{field}:{text}")


def _is_number(mapped: Field) -> bool:
    return mapped.type.is_integral or mapped.type.is_floating


def _match(query: dsl.Match, scope: Scope) -> Described:
    words = tokens_of(query.field, query.query, query.analyzer, scope)
    if not words:
        return Described("MatchNoDocsQuery", 'MatchNoDocsQuery("Matching no documents")')
    terms = [dsl.Term(field=query.field, value=word) for word in words]
    described = [
        (each, term(query.field, word, scope)) for each, word in zip(terms, words, strict=True)
    ]
    if len(words) == 1:
        return described[0][1]
    sign = "+" if query.operator == "and" else ""
    text = " ".join(sign + child.text for _, child in described)
    if query.minimum_should_match is not None and not sign:
        text = f"({text})~{query.minimum_should_match}"
    return Described("BooleanQuery", text, tuple(described))


def _range(query: dsl.Range) -> Described:
    low = query.gte if query.gte is not None else query.gt
    high = query.lte if query.lte is not None else query.lt
    opened = "{" if query.gt is not None else "["
    closed = "}" if query.lt is not None else "]"
    shown = [("*" if each is None else values.text_of(each)) for each in (low, high)]
    return Described("PointRangeQuery", f"{query.field}:{opened}{shown[0]} TO {shown[1]}{closed}")


def constant_clause(query: dsl.Bool) -> dsl.Query | None:
    """The filter of what was written as constant_score: everything scores, one clause filters."""
    others = query.should or query.must_not or len(query.filter) != 1 or len(query.must) != 1
    if others or not isinstance(query.must[0], dsl.MatchAll):
        return None
    return query.filter[0]


def _constant(query: dsl.Bool, clause: dsl.Query, scope: Scope) -> Described:
    inner = describe(clause, scope)
    boost = query.boost * query.must[0].boost
    text = f"ConstantScore({inner.text})"
    if boost != 1.0:
        text = f"{text}^{float(boost)}"
    return Described("ConstantScoreQuery", text, ((clause, inner),))


def _bool(query: dsl.Bool, scope: Scope) -> Described:
    signed = (
        ("+", query.must),
        ("-", query.must_not),
        ("", query.should),
        ("#", query.filter),
    )
    children = []
    texts = []
    for sign, clauses in signed:
        for clause in clauses:
            child = describe(clause, scope)
            children.append((clause, child))
            compound = child.type == "BooleanQuery"
            texts.append(sign + (f"({child.text})" if compound else child.text))
    if not children:
        return Described("MatchAllDocsQuery", "*:*")
    text = " ".join(texts)
    if query.minimum_should_match is not None:
        text = f"({text})~{query.minimum_should_match}"
    return Described("BooleanQuery", text, tuple(children))
