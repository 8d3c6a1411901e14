"""multi_match: one text in several fields, each by itself or all as one.

`on_fields` is what it does once the fields are known; the queries with a syntax use it too.
"""

import tantivy
from tantivy import Occur

from sealane.engine.embedded.search.blend import blended_term
from sealane.engine.embedded.search.fielddata import check_searchable
from sealane.engine.embedded.search.match import (
    OnField,
    TextOptions,
    analysed,
    bool_prefix_on,
    check_rewrite,
    named_analyzer,
    phrase_on,
    phrase_prefix_on,
    required_of,
    words_on,
)
from sealane.engine.embedded.search.scope import EVERYTHING, NOTHING, Compiled, Scope, scoring
from sealane.engine.mapping import Field, FieldType
from sealane.errors import ApiError
from sealane.model import dsl
from sealane.model.patterns import pattern

MAX_FIELDS = 1024
Boosted = tuple[Field, float]
"""A field with its boost."""

_TYPES = dsl.MultiMatchType
_BY_TYPE: dict[dsl.MultiMatchType, OnField] = {
    _TYPES.BEST_FIELDS: words_on,
    _TYPES.MOST_FIELDS: words_on,
    _TYPES.PHRASE: phrase_on,
    _TYPES.PHRASE_PREFIX: phrase_prefix_on,
    _TYPES.BOOL_PREFIX: bool_prefix_on,
}
_TIE_BREAKERS = {_TYPES.MOST_FIELDS: 1.0, _TYPES.BOOL_PREFIX: 1.0}


def compile_multi(query: dsl.MultiMatch, scope: Scope) -> Compiled:
    analyzer = named_analyzer(query.analyzer, "multi_match", scope)
    if query.fuzzy_rewrite is not None:
        check_rewrite(query.fuzzy_rewrite, scope)
    fields = fields_of(query.fields or (("*", 1.0),), scope)
    options = TextOptions(
        operator=query.operator,
        minimum_should_match=query.minimum_should_match,
        analyzer=analyzer,
        fuzzing=query.fuzzing,
        zero_terms=query.zero_terms_query,
        lenient=everywhere(query.fields) if query.lenient is None else query.lenient,
        slop=query.slop,
        max_expansions=query.max_expansions,
    )
    return on_fields(fields, query.query, query.type, options, query.tie_breaker, scope)


def on_fields(
    fields: list[Boosted],
    value: dsl.Scalar,
    kind: dsl.MultiMatchType,
    options: TextOptions,
    tie_breaker: float | None,
    scope: Scope,
) -> Compiled:
    """`tie_breaker` None is the type's own. Raises QueryShardError."""
    if not fields:
        return NOTHING
    tie = _TIE_BREAKERS.get(kind, 0.0) if tie_breaker is None else tie_breaker
    if kind is _TYPES.CROSS_FIELDS:
        return _cross_fields(fields, value, options, tie, scope)
    on_field = _BY_TYPE[kind]
    found = []
    for mapped, boost in fields:
        try:
            found.append(on_field(mapped, value, options, scope).boosted(boost))
        except ApiError:
            if not options.lenient:
                raise
    return best_of(found, tie)


def best_of(queries: list[Compiled], tie_breaker: float) -> Compiled:
    """Any of the queries; the best score, and the others' by `tie_breaker`."""
    alive = [each for each in queries if each is not NOTHING]
    if not alive:
        return NOTHING
    if len(alive) == 1:
        return alive[0]
    return Compiled(
        tantivy.Query.disjunction_max_query([scoring(each) for each in alive], tie_breaker), None
    )


def _cross_fields(
    fields: list[Boosted], value: dsl.Scalar, options: TextOptions, tie: float, scope: Scope
) -> Compiled:
    """Each word may be found in any of the fields that are analysed alike, as if they were one."""
    groups = alike(fields, options)
    return best_of([_as_one(group, value, options, tie, scope) for group in groups], tie)


def alike(fields: list[Boosted], options: TextOptions) -> list[list[Boosted]]:
    """The fields in groups of the same analyzer."""
    if options.analyzer is not None:
        return [fields]
    text = [each for each in fields if each[0].type is FieldType.TEXT]
    others = [each for each in fields if each[0].type is not FieldType.TEXT]
    return [group for group in (text, others) if group]


def _as_one(
    fields: list[Boosted], value: dsl.Scalar, options: TextOptions, tie: float, scope: Scope
) -> Compiled:
    if len(fields) == 1:
        mapped, boost = fields[0]
        return words_on(mapped, value, options, scope).boosted(boost)
    per_word = as_one_by_word(fields, value, options, tie, scope)
    if not per_word:
        return EVERYTHING if options.zero_terms == "all" else NOTHING
    if len(per_word) == 1:
        return per_word[0]
    required = required_of(options, len(per_word), scope)
    if required > len(per_word):
        return NOTHING
    clauses = [(Occur.Should, scoring(each)) for each in per_word]
    return Compiled(tantivy.Query.boolean_query(clauses, required), None)


def as_one_by_word(
    fields: list[Boosted], value: dsl.Scalar, options: TextOptions, tie: float, scope: Scope
) -> list[Compiled]:
    """Each word in fields that are analysed alike; the best of them scores."""
    words = [word for _, word in analysed(fields[0][0], value, options.analyzer)]
    return [best_of(blended_term(fields, word, options.lenient, scope), tie) for word in words]


def everywhere(fields: "tuple[tuple[str, float], ...]") -> bool:
    """Whether all fields are asked for: those that cannot take the text are then left out, unless it is said."""
    return not fields or any(name == "*" for name, _ in fields)


def fields_of(named: "tuple[tuple[str, float], ...]", scope: Scope) -> list[Boosted]:
    """The mapped fields of these names and patterns, each with its boost; of a name given twice the last one counts,
    boosts of a field that several patterns match multiply.

    Raises QueryShardError for more than `MAX_FIELDS`.
    """
    boosts: dict[str, float] = {}
    for name, boost in dict(named).items():
        if "*" not in name:
            boosts[name] = boosts.get(name, 1.0) * boost
            continue
        wanted = pattern(name)
        for path, mapped in scope.state.view.mapping.fields.items():
            if wanted.fullmatch(path) and _searchable(mapped):
                boosts[path] = boosts.get(path, 1.0) * boost
    found = [(scope.mapped(path), boost) for path, boost in boosts.items()]
    fields = [(each, boost) for each, boost in found if each is not None]
    if len(fields) > MAX_FIELDS:
        raise scope.shard_error(
            f"field expansion matches too many fields, limit: {MAX_FIELDS}, got: {len(fields)}"
        )
    return fields


def _searchable(mapped: Field) -> bool:
    try:
        check_searchable(mapped)
    except ApiError:
        return False
    return True
