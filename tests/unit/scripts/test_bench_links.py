"""The benchmark's parts about links ask real processes and judge by the targets."""

from pathlib import Path

import pytest
from scripts.bench import certificates, codec, dead_remote, remotes, transport
from scripts.bench.__main__ import main
from scripts.bench.dead_remote import Cost
from scripts.bench.measure import Effort
from scripts.bench.players import Players, cpu_seconds, open_files, resident_bytes
from scripts.bench.remotes import Scale
from scripts.bench.report import markdown
from scripts.bench.rows import OURS, Row
from scripts.bench.transport import Link, RoundTrips


def test_the_codec_is_measured_on_frames_that_are_found_again() -> None:
    assert all(figure > 0 for figure in codec.rates(0.001).values())


def _trips(at_once: int, per_second: float) -> RoundTrips:
    return RoundTrips(at_once, per_second, p50_us=50.0, p99_us=100.0, cpu_us=40.0)


@pytest.mark.parametrize(
    ("kind", "rate", "large", "met"),
    [
        ("plain", 10_000.0, 500.0, [True, True]),
        ("plain", 9_999.0, 499.0, [False, False]),
        ("TLS", 5_000.0, 250.0, [True, True]),
        ("TLS", 4_999.0, 249.0, [False, False]),
    ],
)
def test_the_best_rate_of_a_link_is_judged(
    kind: str, rate: float, large: float, met: list[bool]
) -> None:
    link = Link([_trips(1, rate / 2), _trips(16, rate), _trips(64, rate - 1)], large)
    judged = [row for row in transport._link_rows({kind: link}) if row.is_met is not None]
    assert [row.is_met for row in judged] == met
    assert "16 at once" in judged[0].what


def test_the_memory_of_a_remote_has_a_target_for_each_kind_of_link() -> None:
    for link, limit in (("plain", 200.0), ("TLS", 800.0)):
        for kilobytes in (limit - 1, limit):
            made = remotes._scale_rows(Scale("sniff", link, 1.0, 1.0, kilobytes, 1.0, 1.0, 1800))
            row = next(row for row in made if row.what.startswith("memory"))
            assert row.is_met is (kilobytes < limit)


def test_a_dead_remote_may_cost_one_search_and_not_the_next() -> None:
    made = list(dead_remote.rows([Cost("gone", 10.0, 0.001, 0.002), Cost("worse", 31.0, 1.0, 2.0)]))
    assert [row.is_met for row in made] == [True, True, False, False]


def test_what_only_we_are_measured_for_has_no_columns_of_others() -> None:
    rows = [
        Row("both", "a", {OURS: "1", "Elasticsearch 8": "2"}, ratio="0.5 x"),
        Row("ours", "b", {OURS: "3"}, target=">= 2", is_met=True),
    ]
    effort = Effort(
        documents=1,
        seconds=1.0,
        rounds=1,
        warm_up_bulks=0,
        warm_up_requests=0,
        warm_up_seconds=0.0,
    )
    page = markdown(rows, ["Elasticsearch 8", OURS], {}, effort, "make bench")
    assert "|  | Elasticsearch 8 | Sealane | to the better peer | target | met |" in page
    assert "|  | Sealane | target | met |\n|---|---:|---:|---:|\n| b | 3 | >= 2 | yes |" in page


@pytest.mark.parametrize("encrypted", [False, True])
def test_played_clusters_are_real_processes(encrypted: bool, tmp_path: Path) -> None:
    certificates.write(tmp_path)
    with Players(2, 3, tmp_path if encrypted else None) as players:
        assert [len(each) for each in players.addresses.values()] == [3, 3]
        assert resident_bytes(players.pid) > 1_000_000
        assert open_files(players.pid) > 6
        assert cpu_seconds(players.pid) > 0


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "everything"])
    assert "'transport', 'remotes'" in capsys.readouterr().err
