"""T-25: guessing gets slower, and slows down nobody else."""

from sealane.security.rules.backoff import BackoffLimits, LoginBackoff, source_of

HOST = "192.0.2.7"


def failing(backoff: LoginBackoff, times: int, name: str = "elastic", host: str = HOST) -> None:
    for _ in range(times):
        backoff.failed(host, name, 100.0)


def test_a_few_failures_cost_nothing() -> None:
    backoff = LoginBackoff()
    failing(backoff, 9)
    assert backoff.wait_s(HOST, "elastic", 100.0) == 0


def test_each_further_failure_doubles_the_wait_up_to_the_longest() -> None:
    backoff = LoginBackoff()
    waits = []
    for count in range(14):
        backoff.failed(HOST, "elastic", 100.0)
        if count >= 9:
            waits.append(backoff.wait_s(HOST, "elastic", 100.0))
    assert waits == [0.5, 1, 2, 4, 5]


def test_the_wait_runs_out_and_failures_are_forgiven() -> None:
    backoff = LoginBackoff()
    failing(backoff, 11)
    assert backoff.wait_s(HOST, "elastic", 100.5) == 0.5
    assert backoff.wait_s(HOST, "elastic", 101.0) == 0
    # 110 s later all are forgotten: nine more are free again.
    for _ in range(9):
        backoff.failed(HOST, "elastic", 210.0)
    assert backoff.wait_s(HOST, "elastic", 210.0) == 0


def test_attempts_that_wait_do_not_lengthen_it() -> None:
    backoff = LoginBackoff()
    failing(backoff, 11)
    assert {backoff.wait_s(HOST, "elastic", 100.0) for _ in range(1000)} == {1.0}


def test_others_at_the_address_and_the_user_elsewhere_are_not_kept_out() -> None:
    backoff = LoginBackoff()
    failing(backoff, 40)
    assert backoff.wait_s(HOST, "kibana", 100.0) == 0
    assert backoff.wait_s("192.0.2.8", "elastic", 100.0) == 0


def test_many_names_from_one_address_are_slowed_down_as_a_whole() -> None:
    backoff = LoginBackoff()
    for number in range(110):
        backoff.failed(HOST, f"user-{number}", 100.0)
    assert backoff.wait_s(HOST, "somebody-else", 100.0) == 5
    assert backoff.wait_s("192.0.2.8", "somebody-else", 100.0) == 0


def test_what_is_remembered_is_bounded() -> None:
    """A flood from ever new addresses with ever new names costs no memory, and the last are remembered."""
    limits = BackoffLimits(sources_max=10, names_max=20, free_of_name=1)
    backoff = LoginBackoff(limits)
    for number in range(500):
        backoff.failed(f"10.0.{number // 250}.{number % 250}", "x" * 9, 100.0)
    assert len(backoff) == 30
    assert backoff.wait_s("10.0.1.249", "x" * 9, 100.0) > 0


def test_an_ipv6_network_is_one_source() -> None:
    assert source_of("2001:db8::1") == source_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert source_of("2001:db8:0:1::1") != source_of("2001:db8::1")
    assert source_of("::ffff:192.0.2.7") == "192.0.2.7"
    assert source_of("not an address") == "not an address"


def test_a_flood_is_one_line_an_interval() -> None:
    backoff = LoginBackoff()
    assert backoff.summary(100.0) is None
    failing(backoff, 30)
    failing(backoff, 2, host="192.0.2.8")
    for _ in range(5):
        backoff.wait_s(HOST, "elastic", 100.0)
    assert backoff.summary(101.0) is None
    summary = backoff.summary(160.0)
    assert summary is not None
    assert (summary.failed, summary.refused, summary.sources, summary.busiest) == (32, 5, 2, HOST)
    assert backoff.summary(300.0) is None
