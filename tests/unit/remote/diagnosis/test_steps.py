"""Steps are timed by the clock that is handed in, and told as they end."""

from sealane.remote.diagnosis.steps import StepRecord, Steps
from sealane.transport import Step


class Watchmaker:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.ended: list[tuple[str, bool, int, str]] = []
        self.steps = Steps(self._end, lambda: self.now)

    def _end(self, record: StepRecord) -> None:
        self.ended.append((str(record.step), record.ok, record.nanos, record.detail))


async def test_a_step_ends_where_the_next_begins() -> None:
    made = Watchmaker()
    made.steps.begin(Step.RESOLVE)
    made.steps.learn("10.0.0.1")
    made.now += 0.5
    made.steps.begin(Step.TCP)
    assert made.ended == [("resolve", True, 500_000_000, "10.0.0.1")]
    assert made.steps.running is Step.TCP
    made.now += 0.25
    made.steps.end(ok=False)
    made.steps.end()
    assert made.ended[1:] == [("tcp", False, 250_000_000, "")]
    assert made.steps.running is None


async def test_the_time_of_judging_does_not_count() -> None:
    made = Watchmaker()
    made.steps.begin(Step.NAME)
    made.now += 0.5
    made.steps.pause()
    made.now += 10
    made.steps.learn("node [a]")
    made.steps.begin(Step.VERSION)
    assert made.ended == [("name", True, 500_000_000, "node [a]")]
    made.now += 1
    made.steps.end()
    assert made.ended[1][2] == 1_000_000_000


async def test_a_second_form_of_the_handshake_takes_the_place_of_the_first() -> None:
    made = Watchmaker()
    for step in (Step.RESOLVE, Step.TCP, Step.HANDSHAKE, Step.TCP, Step.HANDSHAKE, Step.NAME):
        made.steps.begin(step)
    made.steps.end()
    assert [name for name, *_ in made.ended] == ["resolve", "tcp", "handshake", "name"]
    assert [str(each.step) for each in made.steps.records] == [
        "resolve",
        "tcp",
        "handshake",
        "name",
    ]


def test_a_record_as_json() -> None:
    record = StepRecord(step=Step.TCP, ok=True, nanos=1_200_000)
    assert record.to_json() == {"step": "tcp", "ok": True, "took": "1.2ms", "took_nanos": 1_200_000}
