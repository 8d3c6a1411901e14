"""query_string: a text in Lucene's syntax, made queries by the mapping.

The tree comes from `query.lucene_syntax`. Here each leaf becomes a query on its fields (`string_leaves`), and clauses
become a bool as Lucene's parser puts them together: marks on clauses instead of precedence, and words that the analyzer
dropped leave no clause.
"""

from dataclasses import dataclass, field
from typing import Literal

import tantivy
from tantivy import Occur

from sealane.engine.embedded.search.match import check_rewrite, named_analyzer
from sealane.engine.embedded.search.minimum import minimum_should_match
from sealane.engine.embedded.search.multi_match import everywhere, fields_of
from sealane.engine.embedded.search.scope import EVERYTHING, NOTHING, Compiled, Scope, scoring
from sealane.engine.embedded.search.string_leaves import Leaves, NoTerms
from sealane.errors import ApiError, QueryValidation
from sealane.model import dsl
from sealane.query.lucene_syntax import (
    Clause,
    Group,
    Node,
    Span,
    parse_syntax,
)
from sealane.query.lucene_tokens import SyntaxProblem

_SPECIAL = frozenset('\\+-!():^[]"{}~*?|&/')
Occurs = Literal["must", "should", "must_not"]


@dataclass(slots=True)
class Clauses:
    """The clauses of a bool that may still be taken into another."""

    parts: list[tuple[Occurs, Compiled]] = field(default_factory=list)

    def finished(self, spec: str | None = None) -> Compiled:
        """As one query. `spec` is a minimum_should_match. Raises NumberFormatError."""
        if not self.parts:
            return NOTHING
        should = [each for occurs, each in self.parts if occurs == "should"]
        must = [each for occurs, each in self.parts if occurs == "must"]
        required = 0 if must or not should else 1
        if spec is not None:
            required = max(required, minimum_should_match(spec, len(should)))
        if required > len(should):
            return NOTHING
        clauses = [(_OCCURS[occurs], scoring(each)) for occurs, each in self.parts]
        if not must and not should:
            silent = tantivy.Query.const_score_query(EVERYTHING.query, 0.0)
            clauses.append((Occur.Must, silent))
        only = self.parts[0][1] if len(self.parts) == 1 and not required > 1 else None
        if only is not None and self.parts[0][0] != "must_not":
            return only
        if not must and not should:
            return Compiled(tantivy.Query.boolean_query(clauses), 0.0)
        return Compiled(tantivy.Query.boolean_query(clauses, required), None)


_OCCURS = {"must": Occur.Must, "should": Occur.Should, "must_not": Occur.MustNot}


def compile_query_string(query: dsl.QueryString, scope: Scope) -> Compiled:
    """Raises QueryShardError, also for a text that is not of the syntax."""
    leaves = _leaves(query, scope)
    text = query.query
    if query.escape:
        text = "".join("\\" + char if char in _SPECIAL else char for char in text)
    if not text.strip():
        return NOTHING
    try:
        found = _node(parse_syntax(text), query, leaves)
        if found is None:
            return NOTHING
        if isinstance(found, Clauses):
            return found.finished(query.minimum_should_match)
        return found
    except SyntaxProblem as error:
        whole = error
        if error.caused_by is None:
            whole = SyntaxProblem(f"Cannot parse '{text}': {error.reason}", caused_by=error)
        reason = f"Failed to parse query [{query.query}]"
        raise scope.shard_error(reason, whole) from None
    except ApiError as error:
        raise scope.failed(error) from None


def _leaves(query: dsl.QueryString, scope: Scope) -> Leaves:
    if query.fields and query.default_field is not None:
        raise scope.failed(
            QueryValidation(
                ["[query_string] cannot use [fields] parameter in conjunction with [default_field]"]
            )
        )
    named = query.fields or ((query.default_field or "*", 1.0),)
    everything = named == (("*", 1.0),)
    for rewrite in (query.fuzzing.rewrite, query.rewrite):
        if rewrite is not None:
            check_rewrite(rewrite, scope)
    analyzer = named_analyzer(query.analyzer, "query_string", scope)
    quote_analyzer = named_analyzer(
        query.quote_analyzer, "query_string", scope, member="quote_analyzer"
    )
    return Leaves(
        query=query,
        scope=scope,
        defaults=fields_of(named, scope),
        everywhere=everything,
        lenient=everywhere(named) if query.lenient is None else query.lenient,
        analyzer=analyzer,
        quote_analyzer=quote_analyzer or analyzer,
    )


def _node(node: Node, query: dsl.QueryString, leaves: Leaves) -> "Compiled | Clauses | None":
    """None where the analyzer left nothing to look for."""
    if isinstance(node, Group):
        return _group(node, query, leaves)
    try:
        if isinstance(node, Span):
            found: Compiled | list[Compiled] = leaves.span(node)
        else:
            found = leaves.leaf(node)
    except NoTerms:
        return None
    default: Occurs = "must" if query.default_operator == "and" else "should"
    if isinstance(found, list):
        whole = Clauses([(default, each) for each in found])
        return whole if node.boost is None else whole.finished().boosted(node.boost)
    return found if node.boost is None else found.boosted(node.boost)


def _group(group: Group, query: dsl.QueryString, leaves: Leaves) -> "Compiled | Clauses | None":
    if len(group.clauses) == 1 and not group.clauses[0].mark and not group.clauses[0].words:
        found = _node(group.clauses[0].node, query, leaves)
    else:
        found = _joined(group.clauses, query, leaves)
    if group.boost is None or found is None:
        return found
    return _whole(found).boosted(group.boost)


def _joined(
    clauses: tuple[Clause, ...], query: dsl.QueryString, leaves: Leaves
) -> "Compiled | Clauses | None":
    parts: list[tuple[Occurs, Compiled]] = []
    by_and = query.default_operator == "and"
    for clause in clauses:
        found = _node(clause.node, query, leaves)
        if clause.words:
            # Words in a row are clauses of this bool, unless they are one query over several fields.
            default: Occurs = "must" if by_and else "should"
            if isinstance(found, Clauses):
                parts += found.parts
            elif found is not None:
                parts.append((default, found))
            if len(clauses) == 1 and not isinstance(found, Clauses):
                return found
            continue
        if parts and parts[-1][0] != "must_not":
            if clause.joined == "and":
                parts[-1] = ("must", parts[-1][1])
            elif clause.joined == "or" and by_and:
                parts[-1] = ("should", parts[-1][1])
        if found is not None:
            parts.append((_occurs(clause, by_and), _whole(found)))
    return Clauses(parts) if parts else None


def _occurs(clause: Clause, by_and: bool) -> Occurs:
    if clause.mark == "-":
        return "must_not"
    if by_and:
        return "should" if clause.joined == "or" else "must"
    return "must" if clause.mark == "+" or clause.joined == "and" else "should"


def _whole(found: Compiled | Clauses) -> Compiled:
    return found.finished() if isinstance(found, Clauses) else found
