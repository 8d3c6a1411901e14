"""Reading bodies: comments, and the texts that Elasticsearch 8.19.0 has for what is not JSON."""

import pytest

from sealane.errors import ApiError, XContentEofError, XContentParseError
from sealane.rest.bodies import (
    SCAN_MAX_BYTES,
    clean_source,
    read_exact_json,
    read_json,
    read_object,
)

VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a":1}', {"a": 1}),
        (b'// first\n{"a": /* inside */ 1, "b": "// no /* comment */"}', {"a": 1, "b": "// no /* comment */"}),
        (b'{"a":[/* one */1,// two\n2]}', {"a": [1, 2]}),
        (b'{/* empty */}', {}),
        (b'{"a":1}}', {"a": 1}),
        (b'{"a":1}x', {"a": 1}),
        (b'{"a":"\\u00e9\\""}', {"a": 'é"'}),
        (b'[{"a":1},{"a":2}]', [{"a": 1}, {"a": 2}]),
    ],
)  # fmt: skip
def test_comments_are_skipped_and_nothing_is_read_after_the_first_value(
    body: bytes, value: object
) -> None:
    assert read_json(body) == value


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        ('{"a":', "1:6", "Unexpected end-of-input within/between Object entries"),
        ('{"a"', "1:5", "Unexpected end-of-input within/between Object entries"),
        ('{"a', "1:4", "Unexpected end-of-input in field name"),
        ("{", "1:2", "Unexpected end-of-input: expected close marker for Object (start marker at "
         '[Source: (byte[])"{"; line: 1, column: 1])'),
        ('{"a":1', "1:7", "Unexpected end-of-input: expected close marker for Object (start marker at "
         '[Source: (byte[])"{"a":1"; line: 1, column: 1])'),
        ('{"a":1,}', "1:8", "Unexpected character ('}' (code 125)): was expecting double-quote to start "
         "field name"),
        ('{"a":1 "b"', "1:8", "Unexpected character ('\"' (code 34)): was expecting comma to separate "
         "Object entries"),
        ("{a:1}", "1:2", "Unexpected character ('a' (code 97)): was expecting double-quote to start field "
         "name"),
        ('{"a":x}', "1:8", f"Unrecognized token 'x': was expecting {VALUES}"),
        ('{"a":tru}', "1:10", f"Unrecognized token 'tru': was expecting {VALUES}"),
        ('{"a":01}', "1:7", "Invalid numeric value: Leading zeroes not allowed"),
        ('{"a":1.}', "1:8", "Unexpected character ('}' (code 125)) in numeric value: Decimal point not "
         "followed by a digit"),
        ('{"a":"\\q"}', "1:8", "Unrecognized character escape 'q' (code 113)"),
        ('{"a":]', "1:6", f"Unexpected character (']' (code 93)): expected a valid value {VALUES}"),
        ('{"a":[1,]}', "1:9", "Unexpected character (']' (code 93)): expected a value"),
        ('{"a":1]', "1:7", "Unexpected close marker ']': expected '}' (for Object starting at [Source: "
         '(byte[])"{"a":1]"; line: 1, column: 1])'),
        ('{"a":-}', "1:7", "Unexpected character ('}' (code 125)) in numeric value: expected digit (0-9) to "
         "follow minus sign, for valid numeric value"),
        ('{"a":+1}', "1:7", "Unexpected character ('+' (code 43)) in numeric value: JSON spec does not allow "
         "numbers to have plus signs: enable `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow"),
        ("{'a':1}", "1:2", "Unexpected character (''' (code 39)): was expecting double-quote to start field "
         "name"),
        ('{"a":NaN}', "1:9", "Non-standard token 'NaN': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` "
         "to allow"),
        ('{"a":{"b":1,"b":2}}', "1:16", "Duplicate field 'b'"),
        ('{"a" 1}', "1:6", "Unexpected character ('1' (code 49)): was expecting a colon to separate field "
         "name and value"),
        ('{"a":"x\ny"}', "1:8", "Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped using "
         "backslash to be included in string value"),
        ('{"a":1,\n "b":zz}', "2:9", f"Unrecognized token 'zz': was expecting {VALUES}"),
        ('{"a":1e}', "1:8", "Unexpected character ('}' (code 125)) in numeric value: Exponent indicator not "
         "followed by a digit"),
        ('{"a":"\\u12g4"}', "1:11", "Unexpected character ('g' (code 103)): expected a hex-digit for "
         "character escape sequence"),
        (",", "1:1", "Unexpected character (',' (code 44)): expected a value"),
        ('{"a":12x}', "1:8", "Unexpected character ('x' (code 120)): was expecting comma to separate Object "
         "entries"),
        ('{"a":1,"a":2}', "1:11", "Duplicate field 'a'"),
    ],
)  # fmt: skip
def test_a_fault_has_the_references_text_and_place(body: str, place: str, message: str) -> None:
    with pytest.raises(XContentParseError) as caught:
        read_json(body.encode())
    line, _, column = place.partition(":")
    at = f'\n at [Source: (byte[])"{body}"; line: {line}, column: {column}]'
    assert caught.value.reason == f"[{place}] {message}{at}"
    assert caught.value.caused_by is not None
    assert caught.value.caused_by.reason == message + at


def test_exact_numbers_are_as_long_as_they_are_written() -> None:
    body = b'{"a":123456789012345678901234567890,/* c */"b":[-9223372036854775809,1.5,1e3]}x'
    assert read_exact_json(body) == {
        "a": 123456789012345678901234567890,
        "b": [-9223372036854775809, 1.5, 1000.0],
    }
    assert read_exact_json(b'{"a":1e400}') == {"a": "Infinity"}
    assert read_object(b'{"a":18446744073709551616}', exact=True) == {"a": 2**64}
    filler = b'"' + b"x" * SCAN_MAX_BYTES + b'"'
    assert read_exact_json(b'{"b":' + filler + b',"a":18446744073709551616}')["a"] == 2**64
    with pytest.raises(XContentParseError):
        read_exact_json(b'{"a":01}')


def test_parsers_that_walk_by_token_have_their_own_error_for_an_early_end() -> None:
    with pytest.raises(XContentEofError) as caught:
        read_json(b'{"docs":[{', eof_is_own_type=True)
    assert caught.value.reason == "[1:11] Unexpected end of file"
    assert caught.value.caused_by is not None
    assert caught.value.caused_by.es_type == "json_e_o_f_exception"


def test_only_the_beginning_of_a_long_body_is_shown() -> None:
    with pytest.raises(
        XContentParseError, match=r"\[truncated 105 bytes\]; line: 1, column: 606\]"
    ):
        read_json(b'{"a":' + b" " * 600)


def test_a_fault_in_a_huge_body_is_placed_without_the_exact_scan() -> None:
    with pytest.raises(XContentParseError) as caught:
        read_json(b"[" + b" " * SCAN_MAX_BYTES)
    assert f"line: 1, column: {SCAN_MAX_BYTES + 2}" in caught.value.reason


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'{"a":1}', b'{"a":1}'),
        (b'{"a":/*x*/1} // end', b'{"a":     1}'),
        (b'{"a":1} {"b":2}', b'{"a":1} {"b":2}'),
        (b'{"a":', b'{"a":'),
    ],
)
def test_a_source_loses_its_comments_and_is_otherwise_left_as_it_is(
    body: bytes, kept: bytes
) -> None:
    assert clean_source(body) == kept


@pytest.mark.parametrize("body", [b'{"a":"\xff"}', b"[" * 5000, b'"\\ud800"'])
def test_what_no_json_can_hold_is_refused_as_well(body: bytes) -> None:
    with pytest.raises(ApiError):
        read_json(body)
