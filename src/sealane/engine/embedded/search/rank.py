"""The best hits under several sort keys, out of an engine that sorts by one.

`rank` collects by the first key. Where equal values cross the end of the page, the documents that share that value are
ranked by the remaining keys in a search of their own, so nothing is lost and nothing is collected twice. Documents
without a value are a group of their own, put where their `missing` value belongs. Ties end in document order.

Keys whose values differ from the first one of the column (several values, the score) need `table`.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import msgspec
import tantivy
from tantivy import Occur, Order

from sealane.engine.embedded.search.late import best_by
from sealane.engine.embedded.search.ranges import text_range
from sealane.engine.embedded.search.scope import Scope, any_of, both
from sealane.engine.embedded.search.sort_numbers import signed
from sealane.engine.embedded.search.sorting import SortKey
from sealane.engine.embedded.search.state import Best
from sealane.engine.embedded.search.values import LONG_MAX, LONG_MIN
from sealane.engine.embedded.view import SEQ_NO
from sealane.reduce.partial import SortValue

# The best documents of a whole view by one column are known after the first such sort. Later ones look among them
# alone where that should give enough hits; the smallest tier that does is the fastest.
THRESHOLD_TIERS = (256, 2_048)
THRESHOLD_MIN_DOCS = 20_000
# Of the best documents so many are kept with their values, for sorts by the column that a range is on.
BEST_KEPT = 2_048
# How many times more hits a tier must promise than are wanted.
THRESHOLD_MARGIN = 2


class Row(msgspec.Struct):
    """A hit to be: the values it is sorted by, and where it is."""

    values: list[SortValue]
    address: tantivy.DocAddress
    seq_no: int = -1
    score: float | None = None
    group: SortValue = None
    """What the search collapses by."""
    rescored: int | None = None
    """Which rescorers had it in their window, a bit for each; None where that is not known any more."""


@dataclass(frozen=True, slots=True)
class Ranker:
    """`share` is the part of the view's documents that the query matches, 0 when unknown."""

    scope: Scope
    share: float = 0.0

    def rank(
        self,
        query: tantivy.Query,
        keys: list[SortKey],
        limit: int,
        after: list[SortValue] | None = None,
    ) -> list[Row]:
        """At most `limit` rows in their order, strictly after `after`."""
        if limit <= 0:
            return []
        if not keys:
            return [] if after is not None else self._in_document_order(query, limit)
        key, rest = keys[0], keys[1:]
        if after is None:
            return self._all_parts(query, key, rest, limit)
        return self._after(query, key, rest, limit, after)

    def _in_document_order(self, query: tantivy.Query, limit: int) -> list[Row]:
        return [
            Row([], address, int(value or 0))
            for value, address in self.ordered(query, SEQ_NO, False, limit)
        ]

    def _all_parts(
        self, query: tantivy.Query, key: SortKey, rest: list[SortKey], limit: int
    ) -> list[Row]:
        if key.column is None:
            return self._group(query, key.missing, rest, limit)
        if self.scope.state.has_all(key.column):
            return self._values(query, key, rest, limit)
        before, after = self._around_missing(query, key)
        rows = self._values(before, key, rest, limit) if before is not None else []
        if len(rows) < limit:
            without = self._lacking(query, key)
            rows += self._group(without, key.missing, rest, limit - len(rows))
        if after is not None and len(rows) < limit:
            rows += self._values(after, key, rest, limit - len(rows))
        return rows

    def _around_missing(
        self, query: tantivy.Query, key: SortKey
    ) -> tuple[tantivy.Query | None, tantivy.Query | None]:
        """The documents with a value that come before those without one, and those that come after."""
        if key.missing is None:
            return (None, query) if key.missing_first else (query, None)
        first = self._beyond(key, key.missing, better=True)
        last = self._beyond(key, key.missing, better=False)
        return (
            None if first is None else both(query, first),
            None if last is None else both(query, last),
        )

    def _lacking(self, query: tantivy.Query, key: SortKey) -> tantivy.Query:
        """Documents that sort by the key's missing value, be it their own or not."""
        assert key.column is not None
        everything = tantivy.Query.all_query()
        lacking = tantivy.Query.boolean_query(
            [
                (Occur.Must, everything),
                (Occur.MustNot, tantivy.Query.exists_query(key.column)),
            ]
        )
        if key.missing is not None and key.missing not in (float("inf"), float("-inf")):
            lacking = any_of([lacking, self._equal(key, key.missing)])
        return both(query, lacking)

    def _group(
        self,
        query: tantivy.Query,
        value: SortValue,
        rest: list[SortKey],
        limit: int,
        after: list[SortValue] | None = None,
    ) -> list[Row]:
        """The rows of documents that share a value of the key before `rest`."""
        rows = Ranker(self.scope).rank(query, rest, limit, after)
        for row in rows:
            row.values.insert(0, value)
        return rows

    def _values(
        self, query: tantivy.Query, key: SortKey, rest: list[SortKey], limit: int
    ) -> list[Row]:
        """Of documents that have a value, by it."""
        assert key.column is not None
        found = self.ordered(query, key.column, key.descending, limit + 1)
        crossing = len(found) > limit and found[limit][0] == found[limit - 1][0]
        if not crossing:
            return self._complete(found[:limit], key, rest)
        edge = found[limit][0]
        inside = [(value, address) for value, address in found if value != edge]
        rows = self._complete(inside, key, rest)
        for value in _told_apart(edge, key.descending):
            if len(rows) < limit:
                tied = both(query, self._equal(key, value))
                rows += self._group(tied, value, rest, limit - len(rows))
        return rows

    def _complete(
        self,
        found: list[tuple[SortValue, tantivy.DocAddress]],
        key: SortKey,
        rest: list[SortKey],
    ) -> list[Row]:
        """Rows of these documents with the values of all keys, in order."""
        if not found:
            return []
        addresses = [address for _, address in found]
        seq_nos = self.scope.state.view.searcher.fast_field_values(SEQ_NO, addresses)
        rows = [
            Row([value], address, int(seq_no or 0))
            for (value, address), seq_no in zip(found, seq_nos, strict=True)
        ]
        for other in rest:
            for row, value in zip(rows, self.read(other, rows), strict=True):
                row.values.append(value)
        return sort_rows(rows, [key, *rest])

    def read(self, key: SortKey, rows: list[Row]) -> list[SortValue]:
        """The value of a single-valued key for each row."""
        searcher = self.scope.state.view.searcher
        if key.column is None:
            return [key.missing] * len(rows)
        if not key.is_text:
            found = searcher.fast_field_values(key.column, [row.address for row in rows])
            return [key.missing if value is None else value for value in found]
        chosen = tantivy.Query.term_set_query(
            self.scope.schema, SEQ_NO, [row.seq_no for row in rows]
        )
        hits = searcher.search(chosen, len(rows), False, key.column, 0, Order.Asc).hits
        by_place = {(at.segment_ord, at.doc): value for value, at in hits}
        values = [by_place[(row.address.segment_ord, row.address.doc)] for row in rows]
        return [key.missing if value is None else value for value in values]

    def _after(
        self,
        query: tantivy.Query,
        key: SortKey,
        rest: list[SortKey],
        limit: int,
        after: list[SortValue],
    ) -> list[Row]:
        edge, after_rest = after[0], after[1:]
        if key.column is None:
            place = key.compare(key.missing, edge)
            if place < 0:
                return []
            return self._group(query, key.missing, rest, limit, after_rest if place == 0 else None)
        lacks = not self.scope.state.has_all(key.column)
        rows: list[Row] = []
        if lacks and key.compare(key.missing, edge) == 0:
            rows = self._group(self._lacking(query, key), edge, rest, limit, after_rest)
        elif edge is not None:
            tied = both(query, self._equal(key, edge))
            rows = self._group(tied, edge, rest, limit, after_rest)
        if len(rows) < limit:
            rows += self._beyond_edge(query, key, rest, limit - len(rows), edge, lacks)
        return rows

    def _beyond_edge(
        self,
        query: tantivy.Query,
        key: SortKey,
        rest: list[SortKey],
        limit: int,
        edge: SortValue,
        lacks: bool,
    ) -> list[Row]:
        assert key.column is not None
        beyond: tantivy.Query | None
        if edge is None:
            beyond = tantivy.Query.exists_query(key.column) if key.missing_first else None
        else:
            beyond = self._beyond(key, edge, better=False)
        if lacks and key.compare(key.missing, edge) > 0:
            lacking = tantivy.Query.boolean_query(
                [
                    (Occur.Must, tantivy.Query.all_query()),
                    (Occur.MustNot, tantivy.Query.exists_query(key.column)),
                ]
            )
            beyond = lacking if beyond is None else any_of([beyond, lacking])
        if beyond is None:
            return []
        return self._all_parts(both(query, beyond), key, rest, limit)

    def within(self, span: tuple[str, float, float], key: SortKey, limit: int) -> list[Row] | None:
        """The best documents whose sort value is in a range of its own column; None where they are not known."""
        path, first, last = span
        state = self.scope.state
        if key.column != path or state.num_docs < THRESHOLD_MIN_DOCS:
            return None
        best = state.best.get((path, key.descending))
        if best is None:
            best = state.best[path, key.descending] = self._find_best(key)
        sign = -1 if key.descending else 1
        ends = (-last, -first) if key.descending else (first, last)
        start = bisect_left(best.places, signed(ends[0]), key=signed)
        stop = bisect_right(best.places, signed(ends[1]), key=signed)
        if stop - start < limit and stop == len(best.places) and not best.complete:
            return None
        chosen = range(start, min(stop, start + limit))
        return [
            Row([sign * best.places[at]], best.addresses[at], best.seq_nos[at]) for at in chosen
        ]

    def _find_best(self, key: SortKey) -> Best:
        assert key.column is not None
        everything = tantivy.Query.all_query()
        hits = best_by(self.scope.state, everything, key.column, key.descending, BEST_KEPT)
        found = [(value, address) for value, address in hits if value is not None]
        complete = len(found) < BEST_KEPT
        if not complete:
            # There may be more documents with the last value.
            edge = found[-1][0]
            found = [each for each in found if each[0] != edge]
        rows = self._complete(list(found), key, [])
        sign = -1 if key.descending else 1
        return Best(
            [sign * _number(row.values[0]) for row in rows],
            [row.address for row in rows],
            [row.seq_no for row in rows],
            complete,
        )

    # -- by one column -------------------------------------------------------------------------------------------

    def ordered(
        self, query: tantivy.Query, column: str, descending: bool, limit: int
    ) -> list[tuple[SortValue, tantivy.DocAddress]]:
        """The best `limit` documents that have a value of the column, ties in no particular order."""
        state = self.scope.state
        best = self._threshold(column, descending, limit)
        if best is not None:
            hits = best_by(state, both(query, best), column, descending, limit)
            if len(hits) >= limit:
                return hits
        hits = best_by(state, query, column, descending, max(limit, 1))
        return [(value, address) for value, address in hits if value is not None]

    def _threshold(self, column: str, descending: bool, limit: int) -> tantivy.Query | None:
        """A range that holds only the best documents of the view by a numeric column, but enough of them."""
        state = self.scope.state
        if state.num_docs < THRESHOLD_MIN_DOCS:
            return None
        for tier in THRESHOLD_TIERS:
            if tier * self.share >= limit * THRESHOLD_MARGIN:
                break
        else:
            return None
        place = (column, descending, tier)
        if place not in state.thresholds:
            state.thresholds[place] = self._find_threshold(column, descending, tier)
        found: tantivy.Query | None = state.thresholds[place]
        return found

    def _find_threshold(self, column: str, descending: bool, tier: int) -> tantivy.Query | None:
        mapped = self.scope.state.view.mapping.get(column)
        if mapped is not None and mapped.type.value in ("keyword", "ip"):
            return None
        everything = tantivy.Query.all_query()
        hits = best_by(self.scope.state, everything, column, descending, tier)
        edge = hits[-1][0] if len(hits) == tier else None
        if edge is None:
            return None
        span = (edge, None) if descending else (None, edge)
        kind = tantivy.FieldType.Float if isinstance(edge, float) else tantivy.FieldType.Integer
        return tantivy.Query.range_query(
            self.scope.schema,
            column,
            kind,
            span[0],
            span[1],
            True,
            True,
            # So many documents hold as many terms at most; beyond a few hundred the column is scanned sooner.
            tier <= THRESHOLD_TIERS[0],
        )

    def _equal(self, key: SortKey, value: SortValue) -> tantivy.Query:
        assert key.column is not None
        if key.is_text or not isinstance(value, float):
            return tantivy.Query.term_query(self.scope.schema, key.column, value, "basic")
        return tantivy.Query.range_query(
            self.scope.schema, key.column, tantivy.FieldType.Float, value, value
        )

    def _beyond(self, key: SortKey, value: SortValue, *, better: bool) -> tantivy.Query | None:
        """Documents with a value strictly better, or strictly worse; None when there can be none."""
        assert key.column is not None
        upwards = key.descending if better else not key.descending
        if key.is_text:
            assert isinstance(value, str)
            low, high = (value, None) if upwards else (None, value)
            return text_range(key.column, low, high, (False, False), self.scope)
        assert not isinstance(value, str)
        assert value is not None
        if key.type == "double":
            kind, limit = tantivy.FieldType.Float, float("inf") if upwards else -float("inf")
        else:
            kind, limit = tantivy.FieldType.Integer, LONG_MAX if upwards else LONG_MIN
        if value == limit:
            return None
        span = (value, None) if upwards else (None, value)
        return tantivy.Query.range_query(
            self.scope.schema, key.column, kind, span[0], span[1], not upwards, upwards
        )


def _told_apart(value: SortValue, descending: bool) -> tuple[SortValue, ...]:
    """What tantivy's order takes for this value: the two zeros are one to it, but not to the reference."""
    if not isinstance(value, float) or value != 0.0:
        return (value,)
    return (0.0, -0.0) if descending else (-0.0, 0.0)


def _number(value: SortValue) -> float:
    assert isinstance(value, (int, float))
    return value


def sort_rows(rows: list[Row], keys: list[SortKey]) -> list[Row]:
    """By the keys, ties in document order."""
    if len(keys) == 1:
        key = keys[0]
        return sorted(rows, key=lambda row: (key.order(row.values[0]), row.seq_no))

    def place(row: Row) -> tuple[object, ...]:
        order = [key.order(value) for key, value in zip(keys, row.values, strict=True)]
        return (*order, row.seq_no)

    return sorted(rows, key=place)
