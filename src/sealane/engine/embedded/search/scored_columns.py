"""The values of a column for given documents, as arrays: what scores and sorts in Python are made of."""

from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from sealane.engine.embedded.search.late import all_values
from sealane.engine.embedded.search.scope import Scope
from sealane.engine.embedded.search.scored import Docs, Doubles, Flags, Keys
from sealane.engine.mapping import Field, FieldType
from sealane.reduce.partial import SortValue


@dataclass(frozen=True, slots=True)
class Values:
    """Of each document, `data[starts[n]:starts[n + 1]]`, ascending."""

    starts: Keys
    data: npt.NDArray[np.float64]

    @property
    def has(self) -> Flags:
        """Which documents have a value."""
        found: Flags = self.starts[1:] > self.starts[:-1]
        return found

    def chosen(self, per_value: Doubles, mode: str, missing: float) -> Doubles:
        """One number a document out of one for each of its values: min, max, sum, avg or median of them."""
        counts = np.diff(self.starts)
        result = np.full(len(counts), missing, np.float64)
        has = counts > 0
        if not has.any():
            return result
        first = self.starts[:-1][has]
        if mode == "median":
            result[has] = [
                np.median(per_value[start : start + count])
                for start, count in zip(first.tolist(), counts[has].tolist(), strict=True)
            ]
            return result
        if mode in ("min", "max"):
            result[has] = (np.minimum if mode == "min" else np.maximum).reduceat(per_value, first)
            return result
        sums = np.add.reduceat(per_value, first)
        result[has] = sums / counts[has] if mode == "avg" else sums
        return result


def raw_values(path: str, docs: Docs, scope: Scope) -> list[list[SortValue]]:
    """The values of a column by document, in no particular order; texts too."""
    if not len(docs) or not scope.has_column(path):
        return [[] for _ in range(len(docs))]
    mapped = scope.state.view.mapping.get(path)
    is_text = mapped is not None and mapped.as_searched.type in (FieldType.KEYWORD, FieldType.IP)
    if not is_text and scope.state.column(path).single_valued:
        found = scope.state.view.searcher.fast_field_values(path, docs.addresses)
        return [[] if value is None else [value] for value in found]
    return all_values(scope.state, docs.query(scope), path, len(docs))


def numbers(path: str, docs: Docs, scope: Scope) -> Values:
    """The values of a numeric column."""
    if not len(docs) or not scope.has_column(path):
        return Values(np.zeros(len(docs) + 1, np.int64), np.empty(0, np.float64))
    if scope.state.column(path).single_valued:
        found = scope.state.view.searcher.fast_field_values(path, docs.addresses)
        flat = np.array([np.nan if value is None else value for value in found], np.float64)
        has = ~np.isnan(flat)
        return Values(np.concatenate(([0], np.cumsum(has))).astype(np.int64), flat[has])
    rows = [sorted(map(_number, row)) for row in raw_values(path, docs, scope)]
    counts = np.fromiter(map(len, rows), np.int64, len(rows))
    data = np.fromiter(chain.from_iterable(rows), np.float64, int(counts.sum()))
    return Values(np.concatenate(([0], np.cumsum(counts))), data)


def whole_numbers(path: str, docs: Docs, scope: Scope) -> tuple[Keys, Keys]:
    """As `numbers`, for columns whose numbers a double does not hold: starts, and 64-bit data."""
    if len(docs) and scope.has_column(path) and scope.state.column(path).single_valued:
        found = scope.state.view.searcher.fast_field_values(path, docs.addresses)
        has = np.fromiter((value is not None for value in found), np.int64, len(found))
        flat = np.array([value for value in found if value is not None], np.int64)
        return np.concatenate(([0], np.cumsum(has))), flat
    rows = [sorted(int(value or 0) for value in row) for row in raw_values(path, docs, scope)]
    counts = np.fromiter(map(len, rows), np.int64, len(rows))
    data = np.fromiter(chain.from_iterable(rows), np.int64, int(counts.sum()))
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64), data


def _number(value: SortValue) -> float:
    assert isinstance(value, (int, float))
    return float(value)


def is_numeric(mapped: Field) -> bool:
    return mapped.type.is_integral or mapped.type.is_floating
