"""JSON that orjson refuses or rounds."""

import orjson
import pytest

from sealane.query.any_json import dumps, loads


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"a": [1, None, True, 1.5]}, b'{"a":[1,null,true,1.5]}'),
        ({"a": "x\ud800y"}, b'{"a":"x\\uD800y"}'),
        ({"\udfff": "caf\u00e9"}, '{"\\uDFFF":"caf\u00e9"}'.encode()),
        ({"n": 10**30}, b'{"n":1000000000000000000000000000000}'),
        ({1: 2}, b'{"1":2}'),
        ({"f": orjson.Fragment(b'{"b":1}'), "s": "\ud800"}, b'{"f":{"b":1},"s":"\\uD800"}'),
    ],
)
def test_everything_can_be_written(data: object, expected: bytes) -> None:
    assert dumps(data) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"n":1e400,"m":-1e400}', {"n": "Infinity", "m": "-Infinity"}),
        (b'"\\uD800"', "\ud800"),
        (b"1000000000000000000000000000000", 10**30),
        (b'{"n":[1.50]}', {"n": [1.5]}),
    ],
)
def test_everything_that_is_json_can_be_read(raw: bytes, expected: object) -> None:
    assert loads(raw) == expected


@pytest.mark.parametrize("raw", [b"{", b"", b'"\xff"', b"[1,]"])
def test_what_is_no_json_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads(raw)
