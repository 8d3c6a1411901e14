"""Whether a terms aggregation can be ordered by what a path leads to. `reduce.order` does the ordering."""

from sealane.errors import IllegalArgument, InvalidAggregationPath
from sealane.model import dsl
from sealane.reduce.kinds import kind_of


def check_path(path: str, specs: tuple[dsl.Agg, ...]) -> None:
    """Raises InvalidAggregationPath where a path does not lead to one value."""
    _check(path, path, specs)


def _check(path: str, left: str, specs: tuple[dsl.Agg, ...]) -> None:
    head, _, rest = left.partition(">")
    name = head.partition(".")[0].partition("[")[0]
    found = [each for each in specs if each.name == name and not each.is_pipeline]
    if not found:
        raise _invalid(
            path,
            f"The provided aggregation [{head}] either does not exist, or is a pipeline "
            "aggregation and cannot be used to sort the buckets.",
        )
    spec = found[0]
    kind = kind_of(spec)
    single = kind.is_single_bucket
    if rest and single:
        if rest != "_count":
            _check(path, rest, spec.subs)
        return
    if rest or kind.number is None:
        raise _invalid(path, _NOT_SINGLE)


_NOT_SINGLE = (
    "Buckets can only be sorted on a sub-aggregator path that is built out of zero or more "
    "single-bucket aggregations within the path and a final single-bucket or a metrics "
    "aggregation at the path end."
)


def _invalid(path: str, problem: str = _NOT_SINGLE) -> InvalidAggregationPath:
    return InvalidAggregationPath(
        f"Invalid aggregation order path [{path}]. {problem}",
        caused_by=IllegalArgument(problem),
    )
