"""`fuzziness` in all the ways it is written."""

from typing import Any

import pytest

from sealane.errors import ApiError
from sealane.model.dsl import Fuzziness
from sealane.query.fuzziness import fuzziness_of


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("auto", Fuzziness()),
        ("AUTO:2,4", Fuzziness(low=2, high=4)),
        (1, Fuzziness(edits=1)),
        ("2", Fuzziness(edits=2)),
        (1.5, Fuzziness(edits=1)),
    ],
)
def test_values(value: Any, expected: Fuzziness) -> None:
    assert fuzziness_of(value) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (3, "Valid edit distances are [0, 1, 2] but was [3]"),
        ("-1", "Valid edit distances are [0, 1, 2] but was [-1]"),
        ("x", "fuzziness cannot be [x]."),
        ("0.5", "fuzziness needs to be one of 0.0, 1.0 or 2.0 but was 0.5"),
        ("AUTO:5", "failed to find low and high distance values"),
        ("auto:a,b", 'failed to parse [AUTO:A,B] as a "auto:int,int"'),
        (
            "AUTO:5,2",
            "fuzziness wrongly configured [AUTO:5,2]. Must be 0 < lower value <= higher value.",
        ),
        (True, "Can't parse fuzziness on token: [VALUE_BOOLEAN]"),
    ],
)
def test_wrong_values(value: Any, reason: str) -> None:
    with pytest.raises(ApiError) as error:
        fuzziness_of(value)
    assert error.value.reason == reason


def test_how_far_a_word_may_be_grows_with_its_length() -> None:
    assert [Fuzziness().distance(word) for word in ("ab", "abc", "abcde", "abcdef")] == [0, 1, 1, 2]
