"""The value types of the stream format."""

import pytest

from sealane.wire import LocalProtocolError, RemoteProtocolError, StreamInput, StreamOutput


def test_minus_one_takes_five_bytes() -> None:
    """C-97: VInt -1 encodes as ff ff ff ff 0f."""
    assert StreamOutput().vint(-1).getvalue().hex() == "ffffffff0f"
    assert StreamInput(bytes.fromhex("ffffffff0f")).vint() == -1


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", "00"),
        ("abc", "03616263"),
        ("a\0b", "03610062"),
        ("é", "01c3a9"),
        ("€x", "02e282ac78"),
        ("😀", "02eda0bdedb880"),
        ("a😀\0", "0461eda0bdedb88000"),
    ],
)
def test_strings_count_utf16_units(text: str, data: str) -> None:
    """C-96: strings with emoji and NUL round-trip with UTF-16 unit counts."""
    assert StreamOutput().string(text).getvalue().hex() == data
    source = StreamInput(bytes.fromhex(data))
    assert source.string() == text
    source.finish("string")


def test_half_of_a_surrogate_pair_reads_as_a_replacement_character() -> None:
    assert StreamInput(bytes.fromhex("01eda0bd")).string() == "\ufffd"


@pytest.mark.parametrize(
    "data",
    [
        "",
        "05",
        "03c3",
        "02c3a9",
        "0180",
        "01ff",
        "7f41",
        "ffffffff0f",
        "ffffffff07",
        "8080808080808001",
    ],
)
def test_a_string_that_does_not_fit_is_refused(data: str) -> None:
    with pytest.raises(RemoteProtocolError):
        StreamInput(bytes.fromhex(data)).string()


@pytest.mark.parametrize("unit", ["nanos", "micros", "ms", "s", "m", "h", "d"])
def test_time_values_keep_amount_and_unit(unit: str) -> None:
    data = StreamOutput().time_value(-30, unit).getvalue()
    assert StreamInput(data).time_value() == (-30, unit)


def test_thirty_seconds() -> None:
    assert StreamOutput().time_value(30, "s").getvalue().hex() == "3c03"


def test_an_unknown_time_unit_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="unknown time unit"):
        StreamInput(b"\x00\x07").time_value()


def test_containers_and_optionals() -> None:
    out = StreamOutput()
    out.optional(None, out.string).optional("x", out.string)
    out.mapping({"a": 1, "b": 2}, out.string, out.vlong)
    out.strings(["p", "q"]).optional_boolean(None).optional_boolean(True).boolean(False)
    out.block(b"\1\2").text("ü").task_id(("n", 5)).task_id(None)
    source = StreamInput(out.getvalue())
    assert source.optional(source.string) is None
    assert source.optional(source.string) == "x"
    assert source.mapping(source.string, source.vlong) == {"a": 1, "b": 2}
    assert source.strings() == ["p", "q"]
    assert (source.optional_boolean(), source.optional_boolean()) == (None, True)
    assert source.boolean() is False
    assert source.block() == b"\1\2"
    assert source.text() == "ü"
    assert source.task_id() == ("n", 5)
    assert source.task_id() is None
    source.finish("all")


def test_a_count_larger_than_the_bytes_left_is_refused_before_anything_is_read() -> None:
    calls = []
    with pytest.raises(RemoteProtocolError, match="does not fit") as refused:
        StreamInput(b"\xff\xff\xff\xff\x07").array(lambda: calls.append(1))
    assert calls == []
    assert refused.value.offset == 0


def test_left_over_bytes_are_an_error_with_their_place() -> None:
    source = StreamInput(b"\x01\x02")
    source.byte()
    with pytest.raises(RemoteProtocolError, match=r"\[answer\] not fully read") as refused:
        source.finish("answer")
    assert refused.value.offset == 1


@pytest.mark.parametrize(
    ("method", "value"), [("vint", 1 << 31), ("vlong", 1 << 63), ("zlong", 1 << 63)]
)
def test_numbers_that_do_not_fit_are_our_own_fault(method: str, value: int) -> None:
    with pytest.raises(LocalProtocolError):
        getattr(StreamOutput(), method)(value)


@pytest.mark.parametrize("data", ["ffffffff1f", "808080808000"])
def test_a_vint_beyond_32_bits_is_refused(data: str) -> None:
    with pytest.raises(RemoteProtocolError):
        StreamInput(bytes.fromhex(data)).vint()
