"""ip_range and ip_prefix: addresses are columns of 32 hex digits, which sort as the addresses do."""

from collections import Counter

import tantivy

from sealane.engine.embedded.search.aggs.columns import Column, column_of
from sealane.engine.embedded.search.aggs.distinct import distinct_counts
from sealane.engine.embedded.search.aggs.filters import QueriesNode
from sealane.engine.embedded.search.aggs.run import Node, Run, not_supported
from sealane.engine.embedded.search.ranges import span_on
from sealane.engine.embedded.search.scope import all_of, any_of
from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.reduce.partial import AggPartial, TermBucket, TermsPartial
from sealane.reduce.spans import masked, prefix_mask

_TOP = 1 << 128


def _ip_column(path: str, missing: dsl.Scalar | None, kind: str, run: Run) -> Column:
    mapped = run.scope.mapped(path)
    if mapped is not None and mapped.type.value != "ip":
        raise not_supported(kind, path, mapped.type.value)
    return column_of(path, missing, run.scope)


class IpRangeNode(QueriesNode):
    def __init__(self, agg: dsl.IpRangeAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.range = agg
        self.column = _ip_column(agg.field, agg.missing, "ip_range", run)
        if not agg.ranges:
            raise IllegalArgument(f"No [ranges] specified for the [{agg.name}] aggregation")

    def queries(self, query: tantivy.Query) -> list[tantivy.Query]:
        return [all_of(query, self._inside(each)) for each in self.range.ranges]

    def _inside(self, each: dsl.IpRange) -> tantivy.Query:
        low = 0 if each.from_ is None else each.from_
        end = _TOP if each.to is None else each.to
        parts = []
        if self.column.name is not None and low < end:
            assert self.column.mapped is not None
            span = (f"{low:032x}", f"{end - 1:032x}")
            parts.append(span_on(self.column.mapped, span, self.run.scope).query)
        missing = self.column.missing
        if isinstance(missing, str) and self.column.type == "ip" and low <= int(missing, 16) < end:
            parts.append(self.column.lacking())
        return any_of(parts) if parts else tantivy.Query.empty_query()


class IpPrefixNode(Node):
    def __init__(self, agg: dsl.IpPrefixAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.prefix = agg
        self.column = _ip_column(agg.field, agg.missing, "ip_prefix", run)
        most = 128 if agg.is_ipv6 else 32
        if not 0 <= agg.prefix_length <= most:
            raise IllegalArgument(
                f"[prefix_length] must be in range [0, {most}] while value is [{agg.prefix_length}]"
            )
        self.mask = prefix_mask(agg)
        name = self.column.name
        self.single = name is None or run.scope.state.column(name).single_valued

    def collect(self, query: tantivy.Query) -> AggPartial:
        if self.column.type != "ip":
            return TermsPartial([])
        members: dict[int, list[str]] = {}
        counts: Counter[int] = Counter()
        for value, count in distinct_counts(query, self.column, self.run).items():
            key = masked(int(str(value), 16), self.mask)
            counts[key] += count
            members.setdefault(key, []).append(str(value))
        self.run.count_buckets(len(counts))
        buckets = []
        for key in sorted(counts):
            aggs, count = None, counts[key]
            if self.children or not self.single:
                inside = all_of(query, self._inside(members[key]))
                aggs = self.run.run(self.children, inside) if self.children else None
                # A document with two addresses of a prefix counts once.
                count = count if self.single else self.run.scope.state.count(inside)
            buckets.append(TermBucket(f"{key:032x}", count, aggs))
        return TermsPartial(buckets, key_type="ip")

    def _inside(self, addresses: list[str]) -> tantivy.Query:
        """Documents with one of these."""
        parts: list[tantivy.Query] = []
        if self.column.name is not None:
            schema = self.run.scope.schema
            parts.append(tantivy.Query.term_set_query(schema, self.column.name, addresses))
        if self.column.missing in addresses:
            parts.append(self.column.lacking())
        return any_of(parts) if parts else tantivy.Query.empty_query()
