"""The bench's part `clusters`: how its figures become rows."""

import pytest
from scripts.bench import clusters
from scripts.bench.clusters import Cost
from scripts.bench.played import _page
from scripts.bench.rows import OURS


def test_the_slope_is_that_of_the_nearest_line() -> None:
    costs = [Cost(count, 0.3 + 0.08 * count) for count in clusters.COUNTS]
    assert clusters.slope(costs) == pytest.approx(0.08)


@pytest.mark.parametrize(("added", "met"), [(0.08, True), (0.12, False)])
def test_what_a_cluster_adds_has_a_target(added: float, met: bool) -> None:
    made = clusters.rows([Cost(count, 1 + added * count) for count in clusters.COUNTS])
    assert [row.is_met for row in made] == [None] * len(clusters.COUNTS) + [met]
    assert made[-1].values == {OURS: f"{added:.3f}"}


def test_a_played_page_has_ten_hits_in_order() -> None:
    page = _page("played1")
    scores = [hit.score or 0.0 for hit in page.hits]
    assert scores == sorted(set(scores), reverse=True)
    assert {hit.index for hit in page.hits} == {"played1:page"}
    assert len(page.hits) == 10
