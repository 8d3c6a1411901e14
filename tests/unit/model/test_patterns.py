"""Names with stars: what they match, and that no pattern takes long."""

import random
import re

from sealane.model.patterns import matcher, matches


def test_a_star_is_any_text_and_all_else_itself() -> None:
    assert matches("logs-*", "logs-")
    assert matches("*", "")
    assert matches("a*b*c", "a.b\nxb.c")
    assert not matches("a*b", "ab.")
    assert not matches("a.c", "abc")
    assert not matches("ab*ba", "aba")
    assert matches("ab**ba", "abba")
    assert not matches("", "a")


def test_it_is_what_a_regular_expression_would_say() -> None:
    """Seeded: 20,000 pairs over two letters."""
    chance = random.Random("stars")
    for _ in range(20_000):
        text = "".join(chance.choices("ab*", k=chance.randint(0, 8)))
        name = "".join(chance.choices("ab", k=chance.randint(0, 10)))
        expected = re.fullmatch(text.replace("*", ".*"), name) is not None
        assert (matcher(text)(name) is not None) == expected, (text, name)


def test_many_stars_are_matched_at_once() -> None:
    """X-109, T-30: backtracking would take years for this."""
    assert not matches("*a" * 100 + "*b", "a" * 30_000)
    assert matches("*a" * 100 + "*b", "a" * 30_000 + "b")
