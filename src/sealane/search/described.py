"""Queries in the notation of Lucene, for the explanations of `_validate/query`.

Queries of other kinds than these are described by their name alone.
"""

from collections.abc import Callable, Iterable

from sealane.engine.embedded.analyzers import KEYWORD, STANDARD, analyzer_named
from sealane.model import dsl

KindOf = Callable[[str], str | None]
"""The type of a field by its path; None where it is not mapped."""

_WHOLE = ("long", "integer", "short", "byte")


def described(query: dsl.Query, kind_of: KindOf) -> str:
    """One line; what boosts and what is optional as Lucene marks it."""
    text = _bare(query, kind_of)
    return text if query.boost == 1.0 else f"({text})^{query.boost}"


def _bare(query: dsl.Query, kind_of: KindOf) -> str:
    match query:
        case dsl.MatchAll():
            return "*:*"
        case dsl.MatchNone():
            return 'MatchNoDocsQuery("User requested "match_none" query.")'
        case dsl.Bool():
            return _bool(query, kind_of)
        case dsl.DisMax():
            return _either([described(each, kind_of) for each in query.queries], query.tie_breaker)
        case dsl.Exists():
            return f"ConstantScore(FieldExistsQuery [field={query.field}])"
        case dsl.Term() | dsl.Match() | dsl.MatchPhrase() | dsl.Terms():
            kind = kind_of(query.field)
            return _nowhere(query) if kind is None else _on_field(query, kind)
        case dsl.Prefix():
            return f"{query.field}:{query.value}*"
        case dsl.Wildcard():
            return f"{query.field}:{query.value}"
        case dsl.Regexp():
            return f"{query.field}:/{query.value}/"
        case dsl.Fuzzy():
            return _near(query.field, str(query.value), query.fuzzing)
    return _name_of(query)


def _name_of(query: dsl.Query) -> str:
    name = type(query).__name__
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")


def _nowhere(query: dsl.Query) -> str:
    return (
        f'MatchNoDocsQuery("The "{_name_of(query)}" query is against a field that does not exist")'
    )


def _near(field: str, text: str, fuzzing: dsl.Fuzzing) -> str:
    return f"{field}:{text}~{fuzzing.fuzziness.distance(text)}"


def _on_field(query: "dsl.Term | dsl.Terms | dsl.Match | dsl.MatchPhrase", kind: str) -> str:
    field = query.field
    match query:
        case dsl.Term():
            return _value(field, query.value, kind)
        case dsl.Terms():
            return _values(field, query.values, kind)
        case dsl.MatchPhrase() if kind == "text":
            words = _words(query.query, kind, query.analyzer)
            slop = f"~{query.slop}" if query.slop else ""
            phrase = f'{field}:"{" ".join(words)}"{slop}'
            return _value(field, words[0], kind) if len(words) == 1 else phrase
        case dsl.MatchPhrase():
            return _value(field, query.query, kind)
    words = _words(query.query, kind, query.analyzer)
    if query.fuzzing is not None:
        shown = [_near(field, word, query.fuzzing) for word in words]
    else:
        shown = [_value(field, word, kind) for word in words]
    if len(shown) > 1 and query.operator == "and":
        return " ".join(f"+{each}" for each in shown)
    if len(shown) > 1 and query.minimum_should_match is not None:
        return f"({' '.join(shown)})~{query.minimum_should_match}"
    return " ".join(shown)


def _words(value: dsl.Scalar, kind: str, name: str | None) -> list[str]:
    analyzer = STANDARD if kind == "text" else KEYWORD
    if name is not None:
        analyzer = analyzer_named(name) or analyzer
    return [word for _, word in analyzer.terms(str(value))]


def _value(field: str, value: dsl.Scalar, kind: str) -> str:
    if kind in _WHOLE:
        return f"{field}:[{value} TO {value}]"
    if kind == "boolean":
        return f"{field}:{'T' if value in (True, 'true') else 'F'}"
    return f"{field}:{value}"


def _values(field: str, values: Iterable[dsl.Scalar], kind: str) -> str:
    if kind in _WHOLE:
        return f"{field}:{{{' '.join(str(each) for each in sorted(values, key=_number))}}}"
    return f"{field}:({' '.join(sorted(str(each) for each in values))})"


def _number(value: dsl.Scalar) -> float:
    try:
        return float(value)
    except ValueError:
        return 0.0


def _either(shown: list[str], tie_breaker: float) -> str:
    return f"({' | '.join(shown)})" + (f"~{tie_breaker}" if tie_breaker else "")


def _bool(query: dsl.Bool, kind_of: KindOf) -> str:
    if len(query.filter) == 1 and query.must == (dsl.MatchAll(),):
        return f"ConstantScore({described(query.filter[0], kind_of)})"
    parts = []
    marked = (("+", query.must), ("-", query.must_not), ("", query.should), ("#", query.filter))
    for mark, clauses in marked:
        for each in clauses:
            text = described(each, kind_of)
            parts.append(f"{mark}({text})" if " " in text and ":[" not in text else mark + text)
    whole = " ".join(parts)
    if query.minimum_should_match is None:
        return whole
    return f"({whole})~{query.minimum_should_match}"
