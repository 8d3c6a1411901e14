"""auto_date_histogram: dates rounded as coarsely as it takes for the number of buckets that was asked for.

Sources round as finely as their own dates let them, so the coarsest of them leads. The final merge fills the gaps,
rounds on while there are too many, and then joins as many neighbours as it takes.
"""

from sealane.model.auto_rounding import AutoRounding, auto_roundings
from sealane.model.dates import DEFAULT_FORMAT, format_date
from sealane.model.dsl import AutoDateHistogramAgg
from sealane.model.rounding import Rounding
from sealane.reduce.kinds import Json, Kind, Reduction, Show, register
from sealane.reduce.partial import AutoDatePartial, HistogramBucket

_Groups = list[tuple[int, list[HistogramBucket]]]
"""The sources' buckets by the key that they come under, ascending. They are added up once it is the last one."""


def merge_auto_dates(
    reduction: Reduction, spec: AutoDateHistogramAgg, partials: list[AutoDatePartial]
) -> AutoDatePartial:
    """All sources' buckets under the coarsest of their roundings, or a coarser one where they are still too many.

    Of the final merge, `rounding` is the place of the interval among all that there are: see `interval_of`.
    """
    work = _Work(spec)
    at = max((partial.rounding for partial in partials if partial.buckets), default=0)
    every = [(int(bucket.key), [bucket]) for partial in partials for bucket in partial.buckets]
    groups, at = work.few_enough(work.rounded(every, at), at)
    step = 1
    if reduction.final and groups:
        groups, at = work.without_gaps(groups, at)
        groups, at = work.few_enough(groups, at)
        groups, step = work.joined(groups, at)
        reduction.count(len(groups))
    buckets = [
        HistogramBucket(
            key,
            sum(bucket.count for bucket in group),
            reduction.trees(spec.subs, [bucket.aggs for bucket in group]),
        )
        for key, group in groups
    ]
    own = next((p.format for p in partials if p.format is not None), None)
    steps = work.roundings[at].steps
    place = sum(len(each.steps) for each in work.roundings[:at]) + steps.index(step)
    return AutoDatePartial(buckets, place if reduction.final else at, own)


def interval_of(spec: AutoDateHistogramAgg, place: int) -> str:
    """The interval of a final merge, such as `7d`."""
    for each in auto_roundings(spec.minimum_interval):
        if place < len(each.steps):
            return f"{each.steps[place]}{each.sign}"
        place -= len(each.steps)
    raise IndexError(place)


class _Work:
    def __init__(self, spec: AutoDateHistogramAgg) -> None:
        self.spec = spec
        self.roundings: tuple[AutoRounding, ...] = auto_roundings(spec.minimum_interval)

    def rounding(self, at: int) -> Rounding:
        return self.roundings[at].rounding(self.spec.time_zone)

    def rounded(self, groups: _Groups, at: int) -> _Groups:
        floor = self.rounding(at).floor
        found: dict[int, list[HistogramBucket]] = {}
        for key, group in groups:
            found.setdefault(floor(key), []).extend(group)
        return sorted(found.items())

    def few_enough(self, groups: _Groups, at: int) -> tuple[_Groups, int]:
        """Rounds on while no step of a rounding makes them few enough."""
        while (
            len(groups) > self.spec.buckets * self.roundings[at].widest
            and at < len(self.roundings) - 1
        ):
            at += 1
            groups = self.rounded(groups, at)
        return groups, at

    def without_gaps(self, groups: _Groups, at: int) -> tuple[_Groups, int]:
        """Empty ones between the others, under a rounding that does not need too many of them."""
        at = self._appropriate(groups[0][0], groups[-1][0], at)
        groups = self.rounded(groups, at)
        following = self.rounding(at).next
        filled = groups[:1]
        for key, group in groups[1:]:
            between = following(filled[-1][0])
            while between < key:
                filled.append((between, []))
                between = following(between)
            filled.append((key, group))
        return filled, at

    def _appropriate(self, first: int, last: int, at: int) -> int:
        while at < len(self.roundings) - 1:
            each = self.roundings[at]
            most = self.spec.buckets * each.widest
            # Surely too many are not counted: hours and days are never half as long again as estimated.
            if (last - first) * 2 // (each.estimate_ms * 3) <= most:
                following = self.rounding(at).next
                needed, key = 0, first
                while key < last and needed <= most:
                    needed += 1
                    key = following(key)
                if needed <= most:
                    break
            at += 1
        return at

    def joined(self, groups: _Groups, at: int) -> tuple[_Groups, int]:
        """Neighbours made one, by the smallest step that leaves few enough."""
        most = self.spec.buckets
        if len(groups) <= most:
            return groups, 1
        for step in self.roundings[at].steps:
            if -(-len(groups) // step) <= most:
                runs = [groups[start : start + step] for start in range(0, len(groups), step)]
                joined = [
                    (run[0][0], [bucket for _, group in run for bucket in group]) for run in runs
                ]
                return joined, step
        return groups, 1


def _render(body: Json, spec: AutoDateHistogramAgg, partial: AutoDatePartial, show: Show) -> None:
    wanted = spec.format or partial.format or DEFAULT_FORMAT
    buckets = body["buckets"] = []
    for bucket in partial.buckets:
        key = int(bucket.key)
        shown: Json = {"key_as_string": format_date(key, wanted, spec.time_zone)}
        shown |= {"key": key, "doc_count": bucket.count}
        buckets.append(shown | show.aggs(spec.subs, bucket.aggs))
    body["interval"] = interval_of(spec, partial.rounding)


register(
    AutoDateHistogramAgg,
    Kind(
        partial=AutoDatePartial,
        merge=merge_auto_dates,
        render=_render,
        type_name=lambda *_: "auto_date_histogram",
    ),
)
