"""Orders buckets: by count, by key, by the value of a metric below them."""

from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from math import copysign, isnan
from typing import Any, Protocol, TypeVar

from sealane.errors import IllegalArgument
from sealane.model.dsl import Agg, BucketOrder
from sealane.reduce.kinds import NoNumber, kind_of, type_name
from sealane.reduce.partial import AggPartial, BucketsPartial


class Bucket(Protocol):
    key: Any
    count: int
    aggs: "dict[str, AggPartial] | None"


_B = TypeVar("_B", bound=Bucket)


def sort_buckets(
    buckets: list[_B],
    orders: Iterable[BucketOrder],
    subs: tuple[Agg, ...],
    key_type: str | None = None,
) -> None:
    """In place, stable: what no order tells apart stays as it was. NaN is above all numbers.

    `key_type` says how keys compare: ips by their bytes, of two zeros the negative one first, the others as they are.
    """
    for order in reversed(list(orders)):
        key, descending = _key(order, subs, key_type)
        buckets.sort(key=key, reverse=descending)


def ip_bytes(text: str) -> bytes:
    """The 16 bytes by which addresses sort."""
    address = ip_address(text)
    return bytes(10) + b"\xff\xff" + address.packed if address.version == 4 else address.packed


def _key(
    order: BucketOrder, subs: tuple[Agg, ...], key_type: str | None
) -> tuple[Callable[[Any], Any], bool]:
    if order.path == "_count":
        return (lambda bucket: bucket.count), not order.ascending
    if order.path == "_key" and key_type == "ip":
        return (lambda bucket: ip_bytes(bucket.key)), not order.ascending
    if order.path == "_key" and key_type == "double":
        return (lambda bucket: (bucket.key, copysign(1.0, bucket.key))), not order.ascending
    if order.path == "_key":
        return (lambda bucket: bucket.key), not order.ascending

    def value(bucket: Bucket) -> tuple[bool, float]:
        number = metric_at(subs, bucket.aggs or {}, order.path)
        return (True, 0.0) if isnan(number) else (False, number)

    return value, not order.ascending


def metric_at(subs: tuple[Agg, ...], tree: Mapping[str, AggPartial], path: str) -> float:
    """The number at a path such as `price`, `stats.avg` or `sold>stats.max`, raw: NaN or infinite when empty.

    Raises IllegalArgument where the path leads to none, or to more than one.
    """
    try:
        return _metric_at(subs, tree, path)
    except NoNumber as problem:
        reason = str(problem)
        raise IllegalArgument(
            f"Invalid aggregation order path [{path}]. {reason}", caused_by=problem.error(reason)
        ) from None


def _metric_at(subs: tuple[Agg, ...], tree: Mapping[str, AggPartial], path: str) -> float:
    head, _, rest = path.partition(">")
    name, dot, member = head.rpartition(".") if "." in head else (head, "", "")
    if not dot and head.endswith("]"):
        name, _, member = head[:-1].partition("[")
    spec = next((sub for sub in subs if sub.name == head), None)
    if spec is None:
        spec = next((sub for sub in subs if sub.name == name), None)
    else:
        name, member = head, ""
    if spec is None or name not in tree:
        raise NoNumber(f"Cannot find aggregation named [{name}]")
    partial = tree[name]
    kind = kind_of(spec)
    if kind.is_single_bucket and rest:
        assert isinstance(partial, BucketsPartial)
        return _metric_at(spec.subs, partial.buckets[0].aggs or {}, rest)
    if kind.number is not None:
        if rest:
            raise NoNumber(f"Metrics aggregations cannot have sub-aggregations (at [>{rest}]")
        return kind.number(spec, partial, member)
    shown = type_name(spec, partial)
    if rest:
        below = rest.partition(">")[0]
        raise NoNumber(f"Can't sort by a descendant of a [{shown}] aggregation [{below}]")
    raise NoNumber(f"Can't sort a [{shown}] aggregation [{name}]")
