"""string_stats, matrix_stats and t_test: letters and moments, added up and read."""

from math import exp, isfinite, isnan, lgamma, log, log1p, nan, sqrt

from sealane.model.dsl import MatrixStatsAgg, StringStatsAgg, TTestAgg
from sealane.reduce.kinds import Json, Kind, NoNumber, Reduction, Show, register
from sealane.reduce.metric_states import MomentsPartial, SamplesPartial, StringsPartial
from sealane.reduce.metrics import check_single_value
from sealane.reduce.moments import merged_moments
from sealane.reduce.number_format import decimal_format, java_double

# -- string_stats ------------------------------------------------------------------------------------------------


def _merge_strings(
    reduction: Reduction, spec: StringStatsAgg, partials: list[StringsPartial]
) -> StringsPartial:
    filled = [partial for partial in partials if partial.count]
    letters: dict[int, int] = {}
    for partial in filled:
        for letter, count in partial.letters.items():
            letters[letter] = letters.get(letter, 0) + count
    return StringsPartial(
        count=sum(partial.count for partial in filled),
        total=sum(partial.total for partial in filled),
        min=min((partial.min for partial in filled), default=0),
        max=max((partial.max for partial in filled), default=0),
        letters=letters,
    )


def _shares(partial: StringsPartial) -> list[tuple[int, float]]:
    """The share of each unit, the most frequent first."""
    ordered = sorted(partial.letters.items(), key=lambda each: (-each[1], each[0]))
    return [(unit, count / partial.total) for unit, count in ordered]


def _distribution(partial: StringsPartial) -> dict[str, float]:
    """The same by letter; half a letter, which no text can hold, as `?`."""
    found: dict[str, float] = {}
    for unit, share in _shares(partial):
        letter = "?" if 0xD800 <= unit < 0xE000 else chr(unit)
        found[letter] = found.get(letter, 0.0) + share
    return found


def _string_numbers(partial: StringsPartial) -> dict[str, float]:
    shares = [share for _, share in _shares(partial)]
    return {
        "min_length": partial.min,
        "max_length": partial.max,
        "avg_length": partial.total / partial.count,
        "entropy": -sum(share * log(share) / log(2.0) for share in shares) + 0.0,
    }


def _render_strings(body: Json, spec: StringStatsAgg, partial: StringsPartial, show: Show) -> None:
    body["count"] = partial.count
    if not partial.count:
        body |= {"min_length": None, "max_length": None, "avg_length": None, "entropy": 0.0}
        if spec.show_distribution:
            body["distribution"] = None
        return
    numbers = _string_numbers(partial)
    body |= numbers
    if spec.show_distribution:
        body["distribution"] = _distribution(partial)
    if spec.format:
        for name, value in numbers.items():
            body[f"{name}_as_string"] = decimal_format(value, spec.format)


def _string_number(spec: StringStatsAgg, partial: StringsPartial, member: str) -> float:
    if not member:
        raise NoNumber(
            "Missing value key in [null] which refers to a multi-value metric aggregation"
        )
    if member == "count":
        return float(partial.count)
    if member not in ("min_length", "max_length", "avg_length", "entropy"):
        raise NoNumber(f"Unknown value [{member}] in string stats aggregation")
    return float(_string_numbers(partial)[member]) if partial.count else nan


# -- matrix_stats ------------------------------------------------------------------------------------------------


def _merge_matrix(
    reduction: Reduction, spec: MatrixStatsAgg, partials: list[MomentsPartial]
) -> MomentsPartial:
    return merged_moments(partials)


def _ratio(above: float, below: float) -> float:
    return above / below if below else nan


def _shown(value: float) -> float | str:
    """A number, or its name where JSON has none for it."""
    return value if isfinite(value) else java_double(value)


def _render_matrix(body: Json, spec: MatrixStatsAgg, partial: MomentsPartial, show: Show) -> None:
    count = partial.count
    body["doc_count"] = count
    if not count:
        return
    names = list(enumerate(spec.fields))
    body["fields"] = listed = []
    for at, name in names:
        squares = partial.products[at][at]
        covariance = {
            other: _ratio(partial.products[at][place], count - 1) for place, other in names
        }
        correlation = {
            other: 1.0
            if place == at
            else _ratio(
                partial.products[at][place], sqrt(squares) * sqrt(partial.products[place][place])
            )
            for place, other in names
        }
        listed.append(
            {
                "name": name,
                "count": count,
                "mean": partial.means[at],
                "variance": _shown(_ratio(squares, count - 1)),
                "skewness": _shown(
                    _ratio(sqrt(count) * partial.cubes[at], squares * sqrt(squares))
                ),
                "kurtosis": _shown(_ratio(count * partial.fourths[at], squares * squares)),
                "covariance": {other: _shown(value) for other, value in covariance.items()},
                "correlation": {other: _shown(value) for other, value in correlation.items()},
            }
        )


# -- t_test ------------------------------------------------------------------------------------------------------


def _merge_samples(
    reduction: Reduction, spec: TTestAgg, partials: list[SamplesPartial]
) -> SamplesPartial:
    width = 1 if spec.kind == "paired" else 2
    return SamplesPartial(
        [merged_moments([partial.samples[at] for partial in partials]) for at in range(width)]
    )


def _p_value(spec: TTestAgg, partial: SamplesPartial) -> float:
    """How likely means at least so far apart are, if the two populations have the same. NaN of too few values."""
    if any(sample.count < 2 for sample in partial.samples):
        return nan
    counts = [sample.count for sample in partial.samples]
    spreads = [sample.products[0][0] / (sample.count - 1) for sample in partial.samples]
    means = [sample.means[0] for sample in partial.samples]
    if spec.kind == "paired":
        return _two_tails(_ratio(means[0], sqrt(spreads[0] / counts[0])), counts[0] - 1)
    n, m = counts
    if spec.kind == "homoscedastic":
        freedom = float(n + m - 2)
        pooled = ((n - 1) * spreads[0] + (m - 1) * spreads[1]) / freedom
        return _two_tails(_ratio(means[0] - means[1], sqrt(pooled * (1 / n + 1 / m))), freedom)
    one, other = spreads[0] / n, spreads[1] / m
    both = one + other
    freedom = _ratio(both * both, one * one / (n - 1) + other * other / (m - 1))
    return _two_tails(_ratio(means[0] - means[1], sqrt(both)), freedom)


def _two_tails(t: float, freedom: float) -> float:
    """The share of Student's distribution at least as far out as `t`."""
    if isnan(t) or isnan(freedom):
        return nan
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


_TINY = 1e-300
_STEPS_MAX = 500


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function, by its continued fraction (Lentz)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    fraction = d
    for step in range(1, _STEPS_MAX):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            fraction *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return front * fraction


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _t_test_number(spec: TTestAgg, partial: SamplesPartial, member: str) -> float:
    check_single_value(spec.name, member)
    return _p_value(spec, partial)


def _render_t_test(body: Json, spec: TTestAgg, partial: SamplesPartial, show: Show) -> None:
    value = _p_value(spec, partial)
    body["value"] = value if isfinite(value) else None
    if spec.format and isfinite(value):
        body["value_as_string"] = decimal_format(value, spec.format)


register(
    StringStatsAgg,
    Kind(
        partial=StringsPartial,
        merge=_merge_strings,
        render=_render_strings,
        type_name=lambda *_: "string_stats",
        number=_string_number,
    ),
)
register(
    MatrixStatsAgg,
    Kind(
        partial=MomentsPartial,
        merge=_merge_matrix,
        render=_render_matrix,
        type_name=lambda *_: "matrix_stats",
    ),
)
register(
    TTestAgg,
    Kind(
        partial=SamplesPartial,
        merge=_merge_samples,
        render=_render_t_test,
        type_name=lambda *_: "t_test",
        number=_t_test_number,
    ),
)
