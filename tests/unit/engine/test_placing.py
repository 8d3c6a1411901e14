"""Where a search runs: by what its like has cost."""

from sealane.engine.embedded.placing import SHORT_S, Placing, timed
from sealane.model.dsl import SearchBody
from sealane.query import parse_search_body


def body(text: str) -> SearchBody:
    return parse_search_body(text.encode())


def test_an_unknown_search_is_not_short() -> None:
    placing = Placing()
    assert not placing.is_short(placing.key("uuid", body('{"query":{"match":{"a":"x"}}}'), 10))


def test_a_search_is_judged_by_others_of_its_shape() -> None:
    placing = Placing()
    placing.note(placing.key("uuid", body('{"query":{"match":{"a":"x"}}}'), 10), SHORT_S / 2)
    assert placing.is_short(placing.key("uuid", body('{"query":{"match":{"a":"y"}}}'), 10))


def test_what_makes_another_shape() -> None:
    placing = Placing()
    placing.note(placing.key("uuid", body('{"query":{"match":{"a":"x"}}}'), 10), SHORT_S / 2)
    for other, size in [
        ('{"query":{"match":{"b":"x"}}}', 10),
        ('{"query":{"match_phrase":{"a":"x"}}}', 10),
        ('{"query":{"bool":{"must":[{"match":{"a":"x"}}]}}}', 10),
        ('{"query":{"match":{"a":"x"}},"sort":["n"]}', 10),
        ('{"query":{"match":{"a":"x"}},"aggs":{"n":{"avg":{"field":"n"}}}}', 10),
        ('{"query":{"match":{"a":"x"}}}', 1000),
    ]:
        assert not placing.is_short(placing.key("uuid", body(other), size)), other
    assert not placing.is_short(placing.key("other", body('{"query":{"match":{"a":"x"}}}'), 10))


def test_one_long_search_moves_its_shape_off_the_loop_until_it_is_forgotten() -> None:
    placing = Placing()
    key = placing.key("uuid", body("{}"), 10)
    placing.note(key, SHORT_S * 2)
    assert not placing.is_short(key)
    for _ in range(10):
        placing.note(key, SHORT_S / 10)
    assert placing.is_short(key)


def test_timed_counts_the_work_of_this_thread() -> None:
    result, cpu_s = timed(lambda: sum(range(1000)))
    assert result == 499_500
    assert cpu_s >= 0
