"""What a compound query makes of clauses whose scores tantivy cannot compute.

The usual clauses have no scorer, and then the compiled query is returned as it is. numpy, which scorers need, is
imported when the first of them comes.
"""

from collections.abc import Sequence

from sealane.engine.embedded.search.scope import Compiled, Scope


def sum_of(
    compiled: Compiled, must: Sequence[Compiled], should: Sequence[Compiled], scope: Scope
) -> Compiled:
    """`compiled` (a bool's matches) with the scores of its clauses, if any of them needs more than tantivy."""
    if all(each.scorer is None for each in (*must, *should)):
        return compiled
    from sealane.engine.embedded.search.scored import MatchedOnly, SumScorer

    inner = SumScorer(tuple(must), tuple(should), scope)
    return Compiled(compiled.query, None, scorer=MatchedOnly(inner, compiled.query, scope))


def best_of(
    compiled: Compiled, clauses: Sequence[Compiled], tie_breaker: float, scope: Scope
) -> Compiled:
    """`compiled` (a dis_max's matches) with the scores of its clauses, if any of them needs more than tantivy."""
    if all(each.scorer is None for each in clauses):
        return compiled
    from sealane.engine.embedded.search.scored import BestScorer, MatchedOnly

    inner = BestScorer(tuple(clauses), tie_breaker, scope)
    return Compiled(compiled.query, None, scorer=MatchedOnly(inner, compiled.query, scope))
