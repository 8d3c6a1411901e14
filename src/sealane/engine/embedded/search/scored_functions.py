"""function_score: the functions of a document that change its score, and how they combine with it.

All arithmetic is in doubles; the combined score is rounded once, as in the reference.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sealane.engine.embedded.search import scored
from sealane.engine.embedded.search.fielddata import check_fielddata
from sealane.engine.embedded.search.scope import NOTHING, Compiled, Scope
from sealane.engine.embedded.search.scored import Docs, Doubles, Flags, Floats
from sealane.engine.embedded.search.scored_columns import is_numeric, numbers, raw_values
from sealane.engine.embedded.search.scored_decay import bind_decay
from sealane.engine.mapping import FieldType
from sealane.engine.mapping.values import java_float_text
from sealane.errors import ApiError, IllegalArgument, Internal, ParseError, ParsingError
from sealane.model import dsl
from sealane.model.dsl.scored import (
    Decay,
    FieldValueFactor,
    FunctionClause,
    FunctionScore,
    RandomScore,
    ScoreFunction,
)
from sealane.model.java_hash import text_hash
from sealane.reduce.key_hashing import murmur3_32
from sealane.reduce.partial import SortValue

CompileQuery = Callable[[dsl.Query, Scope], Compiled]
Function = Callable[[Docs], Doubles]
"""One number for each document."""


def compile_function_score(
    query: FunctionScore, scope: Scope, compile_query: CompileQuery
) -> Compiled:
    """Raises QueryShardError where a function does not fit its field."""
    inner = compile_query(query.query, scope)
    clauses = tuple(_bind(each, scope, compile_query) for each in query.functions)
    scorer = _FunctionScorer(inner, clauses, query, scope)
    compiled = Compiled(inner.query, None, scorer=scorer)
    if query.min_score is None:
        return compiled
    docs = scored.docs_of(inner.query, scope)
    scores = scorer.boosted(query.boost).scores(docs)
    kept = scores >= np.float32(query.min_score)
    if not kept.any():
        return NOTHING
    return Compiled(docs.where(kept).query(scope), None, scorer=scorer)


@dataclass(frozen=True, slots=True)
class _Clause:
    """`function` is None where only the weight counts."""

    filter: Compiled | None
    function: Function | None
    weight: float | None

    @property
    def share(self) -> float:
        """What it counts in an average."""
        return 1.0 if self.weight is None else self.weight

    def matches(self, docs: Docs, scope: Scope) -> Flags:
        if self.filter is None:
            return np.ones(len(docs), np.bool_)
        return scored.matches_of(self.filter.query, docs, scope)

    def values(self, docs: Docs) -> Doubles:
        with np.errstate(over="ignore", invalid="ignore"):
            weight = np.float64(np.float32(self.share))
            if self.function is None:
                return np.full(len(docs), weight)
            return self.function(docs) * weight


@dataclass(frozen=True, slots=True)
class _FunctionScorer(scored.Scorer):
    inner: Compiled
    clauses: tuple[_Clause, ...]
    query: FunctionScore
    scope: Scope
    boost: float = 1.0

    def boosted(self, boost: float) -> scored.Scorer:
        """The boost is the inner query's alone: a score that replaces it has none."""
        return replace(self, boost=self.boost * boost)

    def scores(self, docs: Docs) -> Floats:
        base = scored.scores_of(self.inner.boosted(self.boost), docs, self.scope)
        result = np.full(len(docs), np.nan, np.float32)
        matched = ~np.isnan(base)
        if not matched.any():
            return result
        kept = docs.where(matched)
        factor = self._factor(kept)
        combined = _combined(base[matched].astype(np.float64), factor, self.query)
        with np.errstate(over="ignore"):
            rounded = combined.astype(np.float32)
        bad = np.flatnonzero(np.isnan(rounded) | (rounded < 0))
        if len(bad):
            raise _invalid(float(rounded[bad[0]]), int(kept.places[bad[0]] & 0xFFFF_FFFF))
        result[matched] = rounded
        return result

    def _factor(self, docs: Docs) -> Doubles:
        if not self.clauses:
            return np.ones(len(docs))
        found = [(each, each.matches(docs, self.scope)) for each in self.clauses]
        table = np.full((len(found), len(docs)), np.nan)
        wanted = np.ones(len(docs), np.bool_)
        for row, (clause, matches) in enumerate(found):
            asked = matches & wanted if self.query.score_mode == "first" else matches
            if asked.any():
                table[row, asked] = clause.values(docs.where(asked))
            if self.query.score_mode == "first":
                wanted &= ~matches
        flags = np.stack([matches for _, matches in found])
        shares = np.array([each.share for each in self.clauses])
        return _merged(table, flags, shares, self.query.score_mode)


def _merged(table: Doubles, flags: Flags, shares: Doubles, mode: str) -> Doubles:
    """The functions' values (by function, then document) as one number a document; 1 where none matches."""
    some = flags.any(axis=0)
    result = np.ones(table.shape[1])
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if mode == "first":
            first = flags.argmax(axis=0)
            merged = table[first, np.arange(table.shape[1])]
        elif mode == "max":
            merged = np.where(flags, table, -np.inf).max(axis=0)
        elif mode == "min":
            merged = np.where(flags, table, np.inf).min(axis=0)
        elif mode == "multiply":
            merged = np.where(flags, table, 1.0).prod(axis=0)
        else:
            merged = np.where(flags, table, 0.0).sum(axis=0)
            weights = (flags * shares[:, None]).sum(axis=0)
            some = weights != 0
            if mode == "avg":
                merged = merged / weights
    result[some] = merged[some]
    return result


def _combined(base: Doubles, factor: Doubles, query: FunctionScore) -> Doubles:
    with np.errstate(invalid="ignore", over="ignore"):
        factor = np.minimum(factor, np.float64(np.float32(query.max_boost)))
        match query.boost_mode if query.functions else "multiply":
            case "multiply":
                return base * factor
            case "replace":
                return factor
            case "sum":
                return base + factor
            case "avg":
                return (base + factor) / 2
            case "min":
                return np.minimum(base, factor)
        return np.maximum(base, factor)


def _invalid(score: float, doc: int) -> ApiError:
    shown = "NaN" if math.isnan(score) else java_float_text(score)
    return Internal(f"function score query returned an invalid score: {shown} for doc: {doc}")


# -- functions ---------------------------------------------------------------------------------------------------


def _bind(clause: FunctionClause, scope: Scope, compile_query: CompileQuery) -> _Clause:
    limit = None if clause.filter is None else compile_query(clause.filter, scope)
    function = None
    if clause.function is not None:
        try:
            function = _function(clause.function, scope)
        except ApiError as error:
            raise _not_created(error, scope) from None
    return _Clause(limit, function, clause.weight)


def _not_created(error: ApiError, scope: Scope) -> ApiError:
    if isinstance(error, ParsingError):
        return error
    failed = scope.failed(error)
    if isinstance(error, ParseError | Internal):
        failed.root_causes = [error]
    return failed


def _function(function: ScoreFunction, scope: Scope) -> Function:
    match function:
        case FieldValueFactor():
            return _value_factor(function, scope)
        case RandomScore():
            return _random(function, scope)
        case Decay():
            return bind_decay(function, scope)


_MODIFIERS: dict[str, Callable[[Doubles], Doubles]] = {
    "none": lambda x: x,
    "log": np.log10,
    "log1p": lambda x: np.log10(x + 1),
    "log2p": lambda x: np.log10(x + 2),
    "ln": np.log,
    "ln1p": np.log1p,
    "ln2p": lambda x: np.log1p(x + 1),
    "square": np.square,
    "sqrt": np.sqrt,
    "reciprocal": lambda x: 1.0 / x,
}
_HINTS = {
    "ln": "; consider using ln1p or ln2p instead of ln to avoid negative scores",
    "log": "; consider using log1p or log2p instead of log to avoid negative scores",
}


def _value_factor(function: FieldValueFactor, scope: Scope) -> Function:
    mapped = scope.mapped(function.field)
    if mapped is None:
        if function.missing is None:
            raise Internal(
                f"Unable to find a field mapper for field [{function.field}]. No 'missing' value defined.",
            )
    else:
        check_fielddata(mapped, scope.index_name)
        if not is_numeric(mapped) and mapped.type not in (FieldType.DATE, FieldType.BOOLEAN):
            raise IllegalArgument(
                f"field [{function.field}] of type [{mapped.type.value}] is not numeric"
            )
    path = function.field if mapped is None else mapped.path
    missing, factor = function.missing, np.float64(np.float32(function.factor))

    def values(docs: Docs) -> Doubles:
        column = numbers(path, docs, scope)
        found = column.chosen(column.data, "min", np.nan if missing is None else missing)
        with np.errstate(all="ignore"):
            result = _MODIFIERS[function.modifier](found * factor)
        lacks = np.isnan(found)
        bad = np.flatnonzero((result < 0) | lacks)
        if len(bad):
            at = int(bad[0])
            if lacks[at]:
                raise Internal(f"Missing value for field [{function.field}]")
            raise IllegalArgument(
                "field value function must not produce negative scores, but got: "
                f"[{java_float_text(float(result[at]))}] for field value: "
                f"[{java_float_text(float(found[at]))}]{_HINTS.get(function.modifier, '')}"
            )
        return result

    return values


# -- random ------------------------------------------------------------------------------------------------------

_LOW_24 = 0xFF_FFFF


def _random(function: RandomScore, scope: Scope) -> Function:
    # Another cluster asks under its alias of this one, which is no part of the index's name.
    salt = text_hash(scope.index_name.rpartition(":")[2]) << 10 | scope.state.view.shard
    seed = scope.present_ms & 0xFFFF_FFFF if function.seed is None else function.seed
    salted = mix(seed ^ salt & 0xFFFF_FFFF)
    if function.field is None:
        if function.seed is not None:
            raise IllegalArgument(
                "Fielddata access on the _id field is disallowed, you can re-enable it by updating "
                "the dynamic cluster setting: indices.id_field_data.enabled"
            )

        def by_place(docs: Docs) -> Doubles:
            numbered = enumerate(docs.keys.tolist())
            return np.array(
                [(mix(key ^ salted & 0xFFFF_FFFF) & _LOW_24) / 2**24 for _, key in numbered]
            )

        return by_place
    path = function.field
    kind = "keyword"
    if path != "_seq_no":
        mapped = scope.mapped(path)
        if mapped is None:
            raise IllegalArgument(
                f"Field [{path}] is not mapped on [[{scope.index_name}/{scope.state.view.index_uuid}]] "
                "and cannot be used as a source of random numbers."
            )
        check_fielddata(mapped, scope.index_name)
        path, kind = mapped.path, mapped.type.value

    def by_value(docs: Docs) -> Doubles:
        rows = raw_values(path, docs, scope)
        return np.array([(_hashed(row, kind, salted) & _LOW_24) / 2**24 for row in rows])

    return by_value


def _hashed(row: Sequence[SortValue], kind: str, seed: int) -> int:
    if not row:
        return seed
    return murmur3_32(min(_text(value, kind).encode() for value in row), seed)


def _text(value: SortValue, kind: str) -> str:
    if kind == "boolean":
        return "1" if value else "0"
    return java_float_text(value) if isinstance(value, float) else str(value)


def mix(value: int) -> int:
    """The finishing steps of murmur3, on 32 bits."""
    value &= 0xFFFF_FFFF
    value = (value ^ value >> 16) * 0x85EBCA6B & 0xFFFF_FFFF
    value = (value ^ value >> 13) * 0xC2B2AE35 & 0xFFFF_FFFF
    return value ^ value >> 16
