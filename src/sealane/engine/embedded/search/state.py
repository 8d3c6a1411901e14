"""What is learned about a view and worth keeping while it lives: counts, extremes and compiled plans.

A view never changes, so nothing here is ever invalidated: a refresh brings a new view with a new state. States of past
views fall out of a small LRU.
"""

import itertools
import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

import tantivy

from sealane.engine.embedded.view import FIELD_NAMES, SEQ_NO, ShardView
from sealane.engine.mapping import FieldType

MAX_STATES = 128
MAX_PLANS = 256
# In larger views the documents with a word are not counted one by one.
MAX_WALKED_DOCS = 100_000
# Whole numbers up to here are told apart as doubles.
EXACT_DOUBLES = 2.0**53

_T = TypeVar("_T")
_serials = itertools.count(1)


@dataclass(frozen=True, slots=True)
class ColumnStats:
    """Of one field in one view: documents that have it, values, extremes (None for text and keywords).

    The extremes of whole numbers are integers. Beyond 2^53 they lie a little outside of what there is.
    """

    docs: int
    values: int
    min: float | None = None
    max: float | None = None

    @property
    def single_valued(self) -> bool:
        return self.values <= self.docs


@dataclass(frozen=True, slots=True)
class Best:
    """The best documents of a view by one column, in their order. `places` are their values, negated if descending.

    `complete` says that no other document has a value.
    """

    places: list[float]
    addresses: list[tantivy.DocAddress]
    seq_nos: list[int]
    complete: bool


class Lru:
    """A bounded map, safe to share between threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> Any | None:
        with self._lock:
            value = self._entries.get(key)
            if value is not None:
                self._entries.move_to_end(key)
            return value

    def put(self, key: Hashable, value: object) -> None:
        with self._lock:
            self._entries[key] = value
            self._entries.move_to_end(key)
            while len(self._entries) > self._limit:
                self._entries.popitem(last=False)


def count_of(result: Any) -> int:
    """How many documents a search matched (its stubs lack this member)."""
    return int(result.count)


@dataclass(slots=True)
class ViewState:
    view: ShardView
    columns: dict[str, ColumnStats] = field(default_factory=dict)
    thresholds: dict[tuple[str, bool, int], Any] = field(default_factory=dict)
    best: dict[tuple[str, bool], Best] = field(default_factory=dict)
    plans: Lru = field(default_factory=lambda: Lru(MAX_PLANS))
    tokened: dict[str, int] = field(default_factory=dict)
    everywhere: dict[str, bool] = field(default_factory=dict)
    serial: int = field(default_factory=lambda: next(_serials) << 56)
    """Different for each view: its high bits, above a document's segment and number, make a key of the process."""
    _in_order: bool | None = None

    @property
    def num_docs(self) -> int:
        return self.view.searcher.num_docs

    def column(self, path: str) -> ColumnStats:
        """The statistics of a field that is in the view's columns."""
        known = self.columns.get(path)
        if known is None:
            known = self.columns[path] = self._measure(path)
        return known

    @property
    def in_order(self) -> bool:
        """Whether the segments follow each other as their documents were written: the usual case."""
        if self._in_order is None:
            searcher = self.view.searcher
            first = [tantivy.DocAddress(at, 0) for at in range(searcher.num_segments)]
            numbers = [int(each or 0) for each in searcher.fast_field_values(SEQ_NO, first)]
            self._in_order = numbers == sorted(numbers)
        return self._in_order

    def having_tokens(self, path: str) -> int:
        """Documents with a word in this text field: those with a value, but for empty ones."""
        known = self.tokened.get(path)
        if known is None:
            known = self.column(path).docs
            if self.num_docs <= MAX_WALKED_DOCS:
                known = self.count(tantivy.Query.regex_query(self.view.schema, path, "(?s:.)+"))
            self.tokened[path] = known
        return known

    def is_everywhere(self, path: str) -> bool:
        """Whether every segment has this column, as far as is known: of texts, it has to be told."""
        known = self.everywhere.get(path)
        if known is None:
            try:
                self.view.searcher.search(tantivy.Query.empty_query(), 1, False, path)
                known = True
            except ValueError:
                known = False
            self.everywhere[path] = known
        return known

    def has_all(self, path: str) -> bool:
        """Whether every document has a value of this field."""
        return self.column(path).docs >= self.num_docs

    def count(self, query: tantivy.Query) -> int:
        if self.num_docs == 0:
            return 0
        return count_of(self.view.searcher.search(query, 1))

    def remember(self, key: Hashable, build: Callable[[], _T]) -> _T:
        """The plan under `key`, built at first."""
        plan: _T | None = self.plans.get(key)
        if plan is None:
            plan = build()
            self.plans.put(key, plan)
        return plan

    def _measure(self, path: str) -> ColumnStats:
        view = self.view
        mapped = view.mapping.get(path)
        if mapped is not None and mapped.type is FieldType.TEXT:
            docs = view.searcher.doc_freq(FIELD_NAMES, path)
            return ColumnStats(docs, docs)
        if self.num_docs == 0:
            return ColumnStats(0, 0)
        docs = self.count(tantivy.Query.exists_query(path))
        everything = tantivy.Query.all_query()
        if mapped is not None and mapped.as_searched.type in (FieldType.KEYWORD, FieldType.IP):
            kind = {"value_count": {"field": path}}
            found = view.searcher.aggregate(everything, {"a": kind})["a"]
            return ColumnStats(docs, int(found["value"]))
        found = view.searcher.aggregate(everything, {"a": {"stats": {"field": path}}})["a"]
        least, most = found["min"], found["max"]
        if least is not None and (mapped is None or not mapped.type.is_floating):
            least, most = _whole(least, -math.inf), _whole(most, math.inf)
        return ColumnStats(docs, int(found["count"]), least, most)


def _whole(extreme: float, outwards: float) -> int:
    """An extreme that was rounded to a double: the next one outwards is certainly not inside."""
    if abs(extreme) >= EXACT_DOUBLES:
        extreme = math.nextafter(extreme, outwards)
    return int(extreme)


_states: "OrderedDict[Hashable, ViewState]" = OrderedDict()
_states_lock = Lock()


def state_of(view: ShardView) -> ViewState:
    """The state of a view; the same object for each call with an equal view."""
    key = (view.index_uuid, view.shard, view.generation, view.limits)
    with _states_lock:
        state = _states.get(key)
        if state is None or state.view.searcher is not view.searcher:
            state = _states[key] = ViewState(view)
            while len(_states) > MAX_STATES:
                _states.popitem(last=False)
        _states.move_to_end(key)
        return state
