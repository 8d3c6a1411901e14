"""weighted_avg of one shard."""

from dataclasses import replace

import tantivy

from sealane.engine.embedded.search.aggs.columns import Column, column_of, exact_missing
from sealane.engine.embedded.search.aggs.rows import number_rows
from sealane.engine.embedded.search.aggs.run import Node, Run
from sealane.engine.embedded.search.scope import Scope
from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.reduce.kahan import compensated_sum
from sealane.reduce.metric_states import WeightedPartial
from sealane.reduce.partial import AggPartial


def source_column(source: dsl.FieldSource, scope: Scope) -> Column:
    """The column of one of several fields. Raises IllegalArgument where it holds no numbers."""
    column = column_of(source.field, source.missing, scope)
    mapped = column.mapped
    if mapped is not None and not column.is_number:
        raise IllegalArgument(
            f"Expected numeric type on field [{source.field}], but got [{mapped.type.value}]"
        )
    return replace(column, missing=exact_missing(column, source.missing))


class WeightedAvgNode(Node):
    def __init__(self, agg: dsl.WeightedAvgAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.columns: list[Column] = []
        for name, source in (("value", agg.value), ("weight", agg.weight)):
            if source is None:
                raise IllegalArgument(f"Could not find field name [{name}] in multiValuesSource")
            self.columns.append(source_column(source, run.scope))

    def collect(self, query: tantivy.Query) -> AggPartial:
        values, weights = number_rows(query, self.columns, self.run)
        products: list[float] = []
        counted: list[float] = []
        for of_document, weight in zip(values, weights, strict=True):
            if not of_document or not weight:
                continue
            if len(weight) > 1:
                raise IllegalArgument(
                    "Encountered more than one weight for a single document. Use a script to "
                    "combine multiple weights-per-doc into a single value."
                )
            products += [value * weight[0] for value in of_document]
            counted += weight * len(of_document)
        return WeightedPartial(compensated_sum(products), compensated_sum(counted))
