"""The benchmark reads its load generator rightly, asks everybody the same, and judges by the
targets."""

import pytest
from scripts.bench import wrk
from scripts.bench.measure import Effort, Measured
from scripts.bench.memory import resident_megabytes
from scripts.bench.report import markdown
from scripts.bench.rows import Row, rows
from scripts.bench.workloads import VARIANTS, frequent_words, workloads
from scripts.bench.wrk import Load, WrkError

REPORT = """Running 2s test @ http://127.0.0.1:9200
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.50ms  512.00us  20.10ms   90.00%
    Req/Sec     5.30k   300.00     6.00k    70.00%
  Latency Distribution
     50%  785.00us
     75%    1.20ms
     90%    1.90ms
     99%    1.02s
  10624 requests in 2.00s, 12.34MB read
Requests/sec:   5306.21
Transfer/sec:      6.17MB
"""
WORDS = [f"word{'abcdefghij'[i % 10]}{'abcdefghij'[i // 10]}" for i in range(60)]
NAMES = [word for word in WORDS if word.isalpha()] * 2


def test_a_report_is_read_with_its_units():
    expected = Load(requests=10624, per_second=5306.21, p50_ms=0.785, p99_ms=1020.0)
    assert wrk.parse(REPORT) == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("  Non-2xx or 3xx responses: 12\n", "12 answers had an error status"),
        ("  Socket errors: connect 0, read 3, write 0, timeout 1\n", "read 3, write 0, timeout 1"),
    ],
)
def test_a_failed_request_is_no_measurement(line, message):
    with pytest.raises(WrkError, match=message):
        wrk.parse(REPORT.replace("Requests/sec", f"{line}Requests/sec"))


def test_anything_else_is_refused():
    with pytest.raises(WrkError, match="not a report of wrk: unable to connect"):
        wrk.parse("unable to connect")


def test_without_wrk_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(WrkError, match="apt-get install wrk"):
        wrk.require()


def test_each_workload_has_fifty_variants_and_the_aggregations_all_differ():
    made = workloads(NAMES)
    assert [workload.name for workload in made] == [
        "match",
        "bool",
        "sort",
        "terms",
        "date_histogram",
        "deep",
    ]
    assert all(len(set(workload.bodies)) == VARIANTS for workload in made)


def test_words_are_ranked_by_count_then_alphabet_and_short_ones_left_out():
    ranked = frequent_words([*NAMES, "zzzz zzzz zzzz", "san san san san"])
    assert ranked[0] == "zzzz"
    assert ranked[1:] == sorted(set(NAMES))[: VARIANTS - 1]


def test_the_script_sends_every_body_to_the_expression():
    script = wrk.lua_script("/cities,remote:cities/_search", workloads(["Łódź", *NAMES * 2])[0])
    assert script.count('{\\"query\\"') == VARIANTS
    assert '"/cities,remote:cities/_search"' in script


def test_memory_is_that_of_the_whole_process_tree(tmp_path):
    for pid, parent, kibibytes in ((10, 1, 1000), (11, 10, 2000), (12, 11, 3000), (20, 1, 9000)):
        folder = tmp_path / str(pid)
        folder.mkdir()
        (folder / "status").write_text(f"Name:\tx\nPPid:\t{parent}\nVmRSS:\t{kibibytes} kB\n")
    assert resident_megabytes(10, tmp_path) == pytest.approx(6000 * 1024 / 1e6)


def measured(label: str, rate: float, p50_ms: float) -> Measured:
    one = Measured(label, start_seconds=0.5, idle_megabytes=90, loaded_megabytes=200)
    one.bulk_documents_per_second = rate
    for scope in ("local", "ccs"):
        for connections in (1, 16):
            one.loads["match", scope, connections] = Load(1000, rate, p50_ms, 2 * p50_ms)
    return one


def row(made: list[Row], section: str) -> Row:
    return next(one for one in made if one.section.startswith(section))


def test_a_rate_is_judged_against_the_better_peer():
    made = rows([measured("A", 100, 4), measured("B", 200, 4), measured("Sealane", 290, 1)])
    judged = row(made, "ccs queries/s")
    assert (judged.ratio, judged.target, judged.is_met) == ("1.45 x", ">= 1.5 x", False)
    assert row(made, "local queries/s").is_met is True
    assert row(made, "bulk").is_met is False


@pytest.mark.parametrize(
    ("peer_ms", "ours_ms", "target", "is_met"),
    [(4, 1.9, "<= 2.00", True), (4, 2.1, "<= 2.00", False), (1, 0.79, "<= 0.80", True)],
)
def test_latency_may_be_half_the_better_peers_or_the_floor(peer_ms, ours_ms, target, is_met):
    made = rows([measured("A", 1, peer_ms), measured("Sealane", 1, ours_ms)])
    judged = row(made, "ccs p50, one")
    assert (judged.target, judged.is_met) == (target, is_met)


def test_alone_only_absolute_targets_are_judged():
    made = rows([measured("Sealane", 100, 1)])
    judged = {one.section for one in made if one.is_met is not None}
    assert judged == {"size and start", "ccs p50 over local p50"}


def test_the_page_shows_every_row_and_the_machine():
    made = rows([measured("A", 100, 4), measured("Sealane", 290, 1)])
    effort = Effort(
        documents=10,
        seconds=1,
        rounds=2,
        warm_up_bulks=1,
        warm_up_requests=20_000,
        warm_up_seconds=3,
    )
    page = markdown(made, ["A", "Sealane"], {"memory": "4 GB"}, effort, "make bench")
    assert "| memory | 4 GB |" in page
    assert "| match | 100 | 290 | 2.90 x | >= 1.5 x | yes |" in page
    assert page.count("\n| match") == len(made) - 4
