"""Which nodes may be gateways."""

import msgspec
import pytest

from sealane.remote.eligible import attribute_warning, is_gateway, version_warning
from tests.unit.remote.fakes import node


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (("master",), False),
        (("master", "remote_cluster_client"), False),
        (("master", "data"), True),
        (("master", "data_warm"), True),
        (("master", "ingest"), True),
        (("data",), True),
        (("ingest",), True),
        (("ml", "remote_cluster_client"), True),
        ((), True),
    ],
)
def test_roles(roles: tuple[str, ...], expected: bool) -> None:
    """C-48, C-50: only a dedicated master is none."""
    assert is_gateway(node("n", 1, roles=roles), None) is expected


@pytest.mark.parametrize(
    ("value", "expected", "warned"),
    [("true", True, False), ("false", False, False), ("nope", False, True), ("TRUE", False, True)],
)
def test_attribute(value: str, expected: bool, warned: bool) -> None:
    """C-51: exactly `true`; what is no boolean is told."""
    carrying = node("n", 1, gw=value)
    assert is_gateway(carrying, "gw") is expected
    assert (attribute_warning(carrying, "gw") is not None) is warned
    assert attribute_warning(carrying, None) is None


def test_missing_attribute() -> None:
    assert not is_gateway(node("n", 1), "gw")
    assert attribute_warning(node("n", 1), "gw") is None


@pytest.mark.parametrize(
    ("family", "version", "spoken"),
    [
        ("elasticsearch", "8.19.0", True),
        ("elasticsearch", "8.19.17-SNAPSHOT", True),
        ("elasticsearch", "9.0.0", True),
        ("elasticsearch", "8.18.4", False),
        ("elasticsearch", "10.0.0", False),
        ("opensearch", "2.19.4", True),
        ("opensearch", "3.4.0", True),
        ("opensearch", "2.18.0", False),
        ("opensearch", "4.0.0", False),
        ("sealane", "7.0.0", True),
        ("elasticsearch", "", True),
        ("elasticsearch", "unknown", True),
    ],
)
def test_version(family: str, version: str, spoken: bool) -> None:
    """Only foreign nodes have a range; one whose release is not told is tried."""
    told = version_warning(msgspec.structs.replace(node("n", 1), version=version), family)
    assert (told is None) is spoken
    if told is not None:
        assert told.startswith(f"node [n] has version [{version}], this node speaks with [")
