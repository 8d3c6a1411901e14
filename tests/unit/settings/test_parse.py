"""What texts mean, and the texts of the errors: each pinned to what 8.19.0 answers."""

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealane.errors import ApiError, IllegalArgument
from sealane.settings import (
    OFF,
    Parse,
    TimeValue,
    Value,
    as_bool,
    as_bytes,
    as_enum,
    as_float,
    as_int,
    as_list,
    as_list_of,
    as_text,
    as_time,
    bytes_text,
    exact_bytes_text,
)
from sealane.settings.auto_create import as_auto_create


class Mode(StrEnum):
    SNIFF = "sniff"
    PROXY = "proxy"


as_mode = as_enum(Mode, "org.elasticsearch.transport.RemoteConnectionStrategy.ConnectionStrategy")


def refusal(parse: Parse[object], value: Value) -> ApiError:
    with pytest.raises(IllegalArgument) as raised:
        parse(value, "K")
    return raised.value


@pytest.mark.parametrize("text", ["maybe", "TRUE", " true", "", "1"])
def test_a_bool_is_true_or_false(text: str) -> None:
    """C-17"""
    assert as_bool("true", "K") is True
    assert as_bool("false", "K") is False
    assert refusal(as_bool, text).reason == (
        f"Failed to parse value [{text}] as only [true] or [false] are allowed."
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [("abc", "abc"), ("1.5", "1.5"), (" 5", " 5"), ("", ""), (("1", "2"), "[1, 2]")],
)
def test_what_is_no_integer_says_so_in_its_cause(value: Value, shown: str) -> None:
    """C-12: `abc` is refused."""
    error = refusal(as_int(min=1), value)
    assert error.reason == f"Failed to parse value [{shown}] for setting [K]"
    assert error.caused_by is not None
    assert error.caused_by.to_cause() == {
        "type": "number_format_exception",
        "reason": f'For input string: "{shown}"',
    }


@pytest.mark.parametrize(
    ("parse", "text", "bound"),
    [
        (as_int(min=1), "0", "must be >= 1"),
        (as_int(max=1024), "1025", "must be <= 1024"),
        (as_int(), "99999999999", "must be <= 2147483647"),
        (as_int(), "99999999999999999999", "must be <= 2147483647"),
        (as_int(min=0), "-" + "9" * 5000, "must be >= 0"),
        (as_float(min=0.0), "-1", "must be >= 0.0"),
    ],
)
def test_bounds_are_named(parse: Parse[object], text: str, bound: str) -> None:
    """C-12, C-13: zero connections are refused."""
    assert refusal(parse, text).reason == f"Failed to parse value [{text}] for setting [K] {bound}"


def test_integers_may_have_a_sign() -> None:
    assert as_int()("+5", "K") == 5
    assert as_int()("-5", "K") == -5
    assert as_int()("0" * 5000 + "5", "K") == 5
    assert as_int()("-0", "K") == 0


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("1s", 10**9),
        ("1S", 10**9),
        (" 1s ", 10**9),
        ("1 s", 10**9),
        ("500ms", 5 * 10**8),
        ("3micros", 3000),
        ("7nanos", 7),
        ("2m", 120 * 10**9),
        ("1h", 3600 * 10**9),
        ("1d", 86400 * 10**9),
        ("0", 0),
        ("000", 0),
    ],
)
def test_times(text: str, nanos: int) -> None:
    """C-18: `5s` is a time."""
    assert as_time()(text, "K") == TimeValue(nanos)


@pytest.mark.parametrize("text", ["-1", "-01", "-1s"])
def test_a_negative_time_is_off(text: str) -> None:
    assert as_time()(text, "K").is_off


@pytest.mark.parametrize("text", ["5", "-2", "1x", "1M", "", "-0", "0.0", "x"])
def test_a_time_needs_a_unit(text: str) -> None:
    """C-18: `5` is none."""
    assert refusal(as_time(), text).reason == (
        f"failed to parse setting [K] with value [{text}] as a time value: "
        "unit is missing or unrecognized"
    )


@pytest.mark.parametrize(
    ("text", "reason", "cause"),
    [
        ("1.5s", "failed to parse [1.5s], fractional time values are not supported", "1.5"),
        ("abcs", "failed to parse [abcs]", "abc"),
        ("s", "failed to parse [s]", ""),
        (
            "99999999999999999999s",
            "failed to parse [99999999999999999999s], fractional time values are not supported",
            "99999999999999999999",
        ),
    ],
)
def test_a_time_that_is_no_number(text: str, reason: str, cause: str) -> None:
    error = refusal(as_time(), text)
    assert error.reason == reason
    assert error.caused_by is not None
    assert error.caused_by.reason == f'For input string: "{cause}"'


def test_a_time_below_zero_or_its_bound_is_refused() -> None:
    assert refusal(as_time(), "-5s").reason == (
        "failed to parse setting [K] with value [-5s] as a time value: "
        "negative durations are not supported"
    )
    assert refusal(as_time(min="0ms"), "-1").reason == (
        "failed to parse value [-1] for setting [K], must be >= [0ms]"
    )


@pytest.mark.parametrize(
    ("nanos", "shown", "exact"),
    [
        (1_500_000_000, "1.5s", "1500ms"),
        (120 * 10**9, "2m", "2m"),
        (90 * 10**9, "1.5m", "90s"),
        (0, "0s", "0s"),
        (7, "7nanos", "7nanos"),
        (86400 * 10**9, "1d", "1d"),
        (-(10**6), "-1", "-1"),
    ],
)
def test_times_are_shown(nanos: int, shown: str, exact: str) -> None:
    assert str(TimeValue(nanos)) == shown
    assert TimeValue(nanos).exact() == exact


@given(st.integers(min_value=0, max_value=2**62))
def test_the_exact_form_reads_back_equal(nanos: int) -> None:
    assert as_time()(TimeValue(nanos).exact(), "K") == TimeValue(nanos)


def test_off_is_minus_one() -> None:
    assert as_time()("-1", "K") == OFF
    assert OFF.seconds < 0


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1kb", 1024),
        ("1k", 1024),
        ("1.5kb", 1536),
        ("100mb", 104857600),
        ("2b", 2),
        ("0", 0),
        ("-1", -1),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert as_bytes()(text, "K") == size


@pytest.mark.parametrize("text", ["5", "-5", "abc", "10%", ""])
def test_a_size_needs_a_unit(text: str) -> None:
    error = refusal(as_bytes(), text)
    assert error.reason == (
        f"failed to parse setting [K] with value [{text}] as a size in bytes: "
        "unit is missing or unrecognized"
    )
    assert error.caused_by is not None
    assert (error.caused_by.es_type, error.caused_by.reason) == ("parse_exception", error.reason)


@pytest.mark.parametrize(
    ("text", "end", "inner"),
    [
        ("xkb", "", 'For input string: "x"'),
        ("-2kb", " as a size in bytes", "Values less than -1 bytes are not supported: -2kb"),
        (
            "99999999999pb",
            " as a size in bytes",
            "Values greater than 9223372036854775807 bytes are not supported: 99999999999pb",
        ),
    ],
)
def test_a_size_that_cannot_be(text: str, end: str, inner: str) -> None:
    error = refusal(as_bytes(), text)
    assert error.reason == f"failed to parse setting [K] with value [{text}]{end}"
    assert error.caused_by is not None
    assert error.caused_by.caused_by is not None
    assert error.caused_by.caused_by.reason == inner


@pytest.mark.parametrize("text", ["1b", "-1", "0"])
def test_a_size_below_its_bound(text: str) -> None:
    assert refusal(as_bytes(min=56), text).reason == (
        f"failed to parse value [{text}] for setting [K], must be >= [56b]"
    )


@pytest.mark.parametrize(
    ("size", "shown", "exact"),
    [(1536, "1.5kb", "1536b"), (104857600, "100mb", "100mb"), (0, "0b", "0b"), (-1, "-1b", "-1")],
)
def test_sizes_are_shown(size: int, shown: str, exact: str) -> None:
    assert bytes_text(size) == shown
    assert exact_bytes_text(size) == exact


def test_an_enum_is_read_in_any_case() -> None:
    """C-4, C-5: `SNIFF` is accepted, `foo` is not."""
    assert as_mode("Sniff", "K") is Mode.SNIFF
    assert refusal(as_mode, "foo").reason == (
        "No enum constant "
        "org.elasticsearch.transport.RemoteConnectionStrategy.ConnectionStrategy.FOO"
    )


def test_a_comma_string_is_split_and_trimmed_an_array_is_not() -> None:
    """C-6: `a:1, b:2,` is two seeds."""
    assert as_list("a:1, b:2,", "K") == ("a:1", "b:2")
    assert as_list((" a:1", "b,c"), "K") == (" a:1", "b,c")
    assert as_list("", "K") == ()
    assert as_list_of(lambda text, key: int(text))("1,2", "K") == (1, 2)
    assert as_text(("a", "b"), "K") == "[a, b]"


def test_auto_create_rules_are_taken_in_order() -> None:
    rules = as_auto_create("+ok*,-no*,no-but*", "K")
    assert rules.refusal("ok1") is None
    assert rules.refusal("no1") == (
        "and [action.auto_create_index] contains [-no*] "
        "which forbids automatic creation of the index"
    )
    assert rules.refusal("x") == (
        "and [action.auto_create_index] ([+ok*,-no*,no-but*]) doesn't match"
    )
    assert as_auto_create("true", "K").refusal("x") is None
    assert as_auto_create("false", "K").refusal("x") == "and [action.auto_create_index] is [false]"


def test_a_sign_alone_is_no_auto_create_rule() -> None:
    error = refusal(as_auto_create, "+")
    assert error.reason == "Can't parse [+] for setting [K] must contain an index name after [+]"
    assert [each.reason for each in error.suppressed] == [
        "Failed to parse value [+] as only [true] or [false] are allowed."
    ]
