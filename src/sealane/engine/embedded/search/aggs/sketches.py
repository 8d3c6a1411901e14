"""percentiles, percentile_ranks, boxplot, median_absolute_deviation of one shard: values to sketches."""

from sealane.engine.embedded.search.aggs.counted import CountedNode, Counts
from sealane.engine.embedded.search.aggs.run import Run, not_supported
from sealane.engine.mapping import FieldType
from sealane.errors import ApiError
from sealane.model import dsl
from sealane.reduce.hdr import counted
from sealane.reduce.metric_states import HdrPartial
from sealane.reduce.partial import AggPartial
from sealane.reduce.percentiles import digest_partial


def _name_of(agg: dsl.PercentilesAgg | dsl.HdrPercentilesAgg) -> str:
    return "percentile_ranks" if agg.ranks else "percentiles"


class DigestNode(CountedNode):
    """Everything that is read out of a t-digest."""

    def __init__(self, agg: dsl.PercentilesAgg | dsl.SketchAgg, run: Run) -> None:
        kind = agg.kind.value if isinstance(agg, dsl.SketchAgg) else _name_of(agg)
        super().__init__(agg, run, kind, agg.field, agg.missing)
        self.compression = agg.compression
        mapped = self.column.mapped
        if (
            isinstance(agg, dsl.SketchAgg)
            and mapped is not None
            and mapped.type in (FieldType.DATE, FieldType.BOOLEAN)
        ):
            raise not_supported(kind, agg.field, mapped.type.value)

    def state(self, counts: Counts) -> AggPartial:
        column = self.column
        return digest_partial(counts, self.compression, column.type or "double", column.format)


class HdrNode(CountedNode):
    """percentiles and percentile_ranks of an HDR histogram."""

    def __init__(self, agg: dsl.HdrPercentilesAgg, run: Run) -> None:
        kind = _name_of(agg)
        super().__init__(agg, run, kind, agg.field, agg.missing)
        self.digits = agg.digits

    def state(self, counts: Counts) -> AggPartial:
        try:
            slots, numbers, zeros = counted(counts, self.digits)
        except ValueError as negative:
            raise ArrayIndexOutOfBounds(_OUT_OF_BOUNDS.format(negative.args[0])) from None
        column = self.column
        return HdrPartial(
            self.digits, slots, numbers, zeros, column.type or "double", column.format
        )


class ArrayIndexOutOfBounds(ApiError):
    """What the reference lets through when a histogram cannot hold a value."""

    es_type, status = "array_index_out_of_bounds_exception", 500


_OUT_OF_BOUNDS = (
    "The value {} is out of bounds for histogram, current covered range "
    "[6.668014432879854E240, 5.3344115463038834E241) cannot be extended any further.\n"
    "Caused by: java.lang.ArrayIndexOutOfBoundsException: Negative values cannot be recorded"
)
