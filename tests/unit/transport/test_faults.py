"""Texts of errors."""

import errno

import pytest

from sealane.model.node import Address
from sealane.transport import faults, format_time


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(30.0, "30s"), (1.5, "1.5s"), (0.5, "500ms"), (60, "1m"), (90, "1.5m"), (3600, "1h"), (86400, "1d"), (0, "0ms")],
)  # fmt: skip
def test_durations_are_shown_in_the_largest_unit(seconds: float, text: str) -> None:
    assert format_time(seconds) == text


def test_an_address_without_a_name_has_an_empty_host_before_the_slash() -> None:
    error = faults.connect_failed("n", "", Address("::1", 9), OSError(errno.ECONNREFUSED, "x"))
    assert error.reason == "[n][[::1]:9] connect_exception"
    annotated = error.to_body()["error"]["caused_by"]["caused_by"]["caused_by"]
    assert annotated["reason"] == "Connection refused: /[::1]:9"


def test_no_route_has_its_own_type() -> None:
    error = faults.connect_failed("", "h", Address("1.2.3.4", 9), OSError(errno.EHOSTUNREACH, "x"))
    annotated = error.to_body()["error"]["caused_by"]["caused_by"]["caused_by"]
    assert annotated["type"] == "annotated_no_route_to_host_exception"
    assert annotated["caused_by"]["type"] == "no_route_to_host_exception"
