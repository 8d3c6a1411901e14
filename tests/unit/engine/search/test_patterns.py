"""Ranges of text as regular expressions, against comparing the texts."""

import itertools
import re

import pytest

from sealane.engine.embedded.search.patterns import HEX, escape, prefix_pattern, range_pattern

TEXTS = ["", "a", "ab", "abc", "abd", "b", "ba", "z", "é", "\ud7ff", "\ue000", "日本", "\U0001f600"]


def _python(pattern: str) -> re.Pattern[str]:
    spelled = re.sub(
        r"\\x\{([0-9a-f]+)\}", lambda m: re.escape(chr(int(m[1], 16))), pattern
    ).replace("(?s:.)", "[\\s\\S]")
    return re.compile(spelled)


@pytest.mark.parametrize("include_low", [True, False])
@pytest.mark.parametrize("include_high", [True, False])
def test_holds_exactly_what_lies_between(include_low: bool, include_high: bool) -> None:
    for low, high in itertools.product([None, *TEXTS], repeat=2):
        pattern = range_pattern(low, high, include_low=include_low, include_high=include_high)
        found = [] if pattern is None else [t for t in TEXTS if _python(pattern).fullmatch(t)]
        expected = [
            text
            for text in TEXTS
            if (low is None or text > low or (include_low and text == low))
            and (high is None or text < high or (include_high and text == high))
        ]
        assert found == expected, (low, high, pattern)


def test_addresses_use_a_small_alphabet() -> None:
    pattern = range_pattern("0" * 32, "f" * 32, include_low=False, include_high=True, alphabet=HEX)
    assert pattern is not None
    assert "10ffff" not in pattern


def test_what_is_special_in_a_prefix_is_literal() -> None:
    assert re.fullmatch(prefix_pattern("a.*(b").replace("(?s:.)", "."), "a.*(bc")
    assert escape("a b\u00e9") == "a b\u00e9"
