"""What a query is compiled against, and what comes out of it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import tantivy
from tantivy import Occur

from sealane.engine.embedded.search.state import ViewState
from sealane.engine.mapping import Field
from sealane.errors import ApiError, QueryShardError
from sealane.model import dsl
from sealane.model.dates import no_present

if TYPE_CHECKING:
    from sealane.engine.embedded.search.nested import InnerQuery
    from sealane.engine.embedded.search.scored import Scorer


@dataclass(frozen=True, slots=True)
class Compiled:
    """A tantivy query. `constant` is the score of every document it matches, None where scores differ.

    `span` is set where it is a range of one column and nothing else: its path, lowest and highest value. With a
    `scorer` the scores are that one's, and tantivy's mean nothing (scored.py).
    """

    query: tantivy.Query
    constant: float | None = 1.0
    span: tuple[str, float, float] | None = None
    scorer: "Scorer | None" = None

    def boosted(self, boost: float) -> "Compiled":
        if boost == 1.0:
            return self
        if self.scorer is not None:
            return Compiled(self.query, None, None, self.scorer.boosted(boost))
        constant = None if self.constant is None else self.constant * boost
        return Compiled(tantivy.Query.boost_query(self.query, boost), constant, self.span)


NOTHING = Compiled(tantivy.Query.empty_query())
EVERYTHING = Compiled(tantivy.Query.all_query())


@dataclass(slots=True)
class Scope:
    """What queries are compiled against. `named` collects the queries that have a `_name`."""

    state: ViewState
    index_name: str
    now_ms: int | None
    """None where nothing may depend on the time."""
    named: list[tuple[str, tantivy.Query]] = field(default_factory=list)
    depth: int = 0
    size: int = 10
    """How many hits the search wants of this shard."""
    restriction: dsl.Query | None = None
    """What limits all that the search may find: the filters of aliases."""
    visible: tantivy.Query | None = None
    """The documents that may be seen, or the nested objects of those; None where none is hidden."""
    nested: str = ""
    """The path whose nested objects are searched; "" for documents."""
    documents: ViewState | None = None
    """Where nested objects are searched: the state of the documents that hold them."""
    inner: "list[InnerQuery]" = field(default_factory=list)
    """The nested queries with inner hits."""
    wraps_errors: bool = True
    """Whether an error in building a query is shown as the query's: aggregations show those of their filters bare."""

    @property
    def schema(self) -> tantivy.Schema:
        return self.state.view.schema

    @property
    def present_ms(self) -> int:
        """Raises IllegalArgument where nothing may depend on the time."""
        if self.now_ms is None:
            raise no_present()
        return self.now_ms

    def mapped(self, path: str) -> Field | None:
        """The mapping of a field. One that is hidden has it too, but no column."""
        found = self.state.view.mapping.get(path)
        if found is not None and found.target is not None:
            return self.mapped(found.target)
        return found if found is None else found.as_searched

    def has_column(self, path: str) -> bool:
        return path in self.state.view.columns

    def shard_error(self, reason: str, cause: ApiError | None = None) -> QueryShardError:
        return QueryShardError(
            reason,
            metadata={"index_uuid": self.state.view.index_uuid, "index": self.index_name},
            caused_by=cause,
        )

    def failed(self, cause: ApiError) -> ApiError:
        """What the reference makes of an error in building a query."""
        if isinstance(cause, QueryShardError) or not self.wraps_errors:
            return cause
        return self.shard_error(f"failed to create query: {cause.reason}", cause)


def scoring(clause: Compiled) -> tantivy.Query:
    """tantivy leaves a plain match_all beside other clauses out, and its score with it."""
    if clause.query is EVERYTHING.query:
        return tantivy.Query.const_score_query(clause.query, 1.0)
    return clause.query


def constant(query: tantivy.Query, score: float = 1.0) -> Compiled:
    return Compiled(tantivy.Query.const_score_query(query, score), score)


def all_of(*queries: tantivy.Query) -> tantivy.Query:
    return tantivy.Query.boolean_query([(Occur.Must, each) for each in queries])


def both(query: tantivy.Query, restriction: tantivy.Query) -> tantivy.Query:
    """`query` with its scores, where `restriction` matches too."""
    silent = tantivy.Query.const_score_query(restriction, 0.0)
    return tantivy.Query.boolean_query([(Occur.Must, query), (Occur.Must, silent)])


def without(query: tantivy.Query, excluded: tantivy.Query) -> tantivy.Query:
    return tantivy.Query.boolean_query([(Occur.Must, query), (Occur.MustNot, excluded)])


def any_of(queries: list[tantivy.Query]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, each) for each in queries])
