"""The commands of the transcripts: a machine, a leader and a clock that somebody moves by hand.

start [name=value ...]     the tail begins behind the operations up to `from`; the limits of reading and writing by
                           their short names (see _LIMITS), `budget` bytes for the node
leader append N [size=B]   the leader writes N operations with sources of B bytes
leader promote NAME        it goes on under another history
leader restore N           its data is replaced by a copy that ends with operation N
leader versions M S A      of its mapping, settings and aliases
leader clock +S            its clock goes on by so many seconds
answer READ [N]            the leader answers that read, with N operations at most; it may refuse
fail READ TYPE [TEXT]      that read fails with an error of this type
wrote                      the write under way is durable
reached                    the follower's metadata has the versions that were wanted
adopted                    the shard has taken the new name
work-fails TYPE [TEXT]     what is under way at the follower fails
wait S                     so many seconds go by
retry                      somebody asks to try again now
stats                      how the shard is doing

Each prints what it led to: the effects that are to be begun, and when to wake up at the latest.
"""

import shlex
from collections.abc import Callable, Iterator

from sealane.engine.base import ShardState
from sealane.errors import ApiError
from sealane.model.replication import ChangesRequest, FollowParameters, ShardRef, mark_of
from sealane.replication.follower.budget import ByteBudget
from sealane.replication.follower.counters import Counters
from sealane.replication.follower.effects import Abandon, Adopt, Effect, Reach, Write
from sealane.replication.follower.failures import Patience
from sealane.replication.follower.machine import Machine, Start
from sealane.replication.follower.ports import LeaderVersions
from sealane.replication.follower.progress import Read
from sealane.settings.follow_parameters import limits_of
from tests.unit.replication.follower.leaders import MemoryLeader

_LIMITS = {
    "reads": "max_outstanding_read_requests",
    "count": "max_read_request_operation_count",
    "size": "max_read_request_size",
    "write_count": "max_write_request_operation_count",
    "write_size": "max_write_request_size",
    "buffer_count": "max_write_buffer_count",
    "buffer_size": "max_write_buffer_size",
}
_TEXTS = {"size", "write_size", "buffer_size"}
_READ_BYTES = 32 << 20
"""The default of what a read may bring."""
_STATUS = {
    "es_rejected_execution_exception": 429,
    "index_not_found_exception": 404,
    "security_exception": 403,
    "illegal_argument_exception": 400,
}


_ENDS = {"wrote": Write, "reached": Reach, "adopted": Adopt}


class Dialogue:
    def __init__(self) -> None:
        self.now = 0.0
        self.leader = MemoryLeader()
        self.machine: Machine
        self._reads: dict[int, Read] = {}
        self._asked_as: dict[int, str] = {}
        self._work: Write | Reach | Adopt | None = None

    def run(self, command: str) -> str:
        """What the command prints."""
        name, *words = shlex.split(command)
        commands: dict[str, Callable[..., Iterator[str] | None]] = {
            "start": self._start,
            "leader": self._leader,
            "answer": self._answer,
            "fail": self._fail,
            "wrote": self._wrote,
            "reached": self._reached,
            "adopted": self._adopted,
            "work-fails": self._work_fails,
            "wait": self._wait,
            "retry": self._retry,
            "stats": self._stats,
        }
        if name in ("answer", "fail") and int(words[0]) not in self._reads:
            return "no such read is under way"
        if name in _ENDS and not isinstance(self._work, _ENDS[name]):
            return "no such work is under way"
        lines = list(commands[name](*words) or ())
        if name not in ("leader", "stats"):
            lines += self._effects()
        return "\n".join(lines) or "ok"

    # -- commands --------------------------------------------------------------------------------

    def _start(self, *words: str) -> None:
        given = dict(word.split("=") for word in words)
        checkpoint = int(given.pop("from", "-1"))
        budget = ByteBudget(int(given.pop("budget", str(256 << 20))))
        limits = {
            _LIMITS[name]: value if name in _TEXTS else int(value) for name, value in given.items()
        }
        last = self.leader.log[checkpoint] if checkpoint >= 0 else None
        self.machine = Machine(
            Start(
                checkpoint=checkpoint,
                max_seq_no=checkpoint,
                history_uuid=self.leader.history_uuid,
                versions=LeaderVersions(1, 1, 1),
                mark=mark_of(last) if last is not None else None,
            ),
            limits=limits_of(FollowParameters(**limits)),
            share=budget.join(lambda: None),
            patience=Patience(),
            chance=lambda: 0.999,
            counters=Counters(),
            now=self.now,
        )

    def _leader(self, what: str, *words: str) -> None:
        match what:
            case "append":
                size = int(words[1].removeprefix("size=")) if len(words) > 1 else 10
                self.leader.append(int(words[0]), size)
            case "promote":
                self.leader.promote(words[0])
            case "restore":
                self.leader.restore(int(words[0]))
            case "versions":
                mapping, settings, aliases = map(int, words)
                self.leader.versions = (mapping, settings, aliases)
            case "clock":
                self.leader.clock_ms += round(float(words[0]) * 1000)
            case _:
                raise ValueError(f"unknown command of the leader [{what}]")

    def _answer(self, number: str, at_most: str | None = None) -> Iterator[str]:
        read = self._reads.pop(int(number))
        request = ChangesRequest(
            shard=ShardRef(index="leader", index_uuid="u", shard=0),
            from_seq_no=read.from_seq_no,
            max_count=read.max_count,
            max_bytes=read.max_bytes,
            poll_timeout_ms=read.poll_timeout_ms,
            history_uuid=self._asked_as[read.id],
            previous=read.previous,
        )
        try:
            answer = self.leader.changes(request, int(at_most) if at_most else None)
        except ApiError as error:
            yield f"refused: {error.reason}"
            self.machine.read_failed(read, error, self.now)
            return
        found = answer.operations
        span = f"{found[0].seq_no}..{found[-1].seq_no}" if found else "nothing"
        yield f"answered: {span}, checkpoint {answer.checkpoint}, {answer.history_uuid}"
        self.machine.read_answered(read, answer, self.now)

    def _fail(self, number: str, es_type: str, text: str = "no reason") -> None:
        self.machine.read_failed(self._reads.pop(int(number)), _error(es_type, text), self.now)

    def _wrote(self) -> None:
        assert isinstance(self._work, Write)
        last = self._work.operations[-1].seq_no
        self._work = None
        self.machine.written(
            ShardState(
                history_uuid=self.machine.history_uuid,
                primary_term=1,
                max_seq_no=last,
                checkpoint=last,
            ),
            self.now,
        )

    def _reached(self) -> None:
        assert isinstance(self._work, Reach)
        versions, self._work = self._work.versions, None
        self.machine.reached(versions, self.now)

    def _adopted(self) -> None:
        assert isinstance(self._work, Adopt)
        name, self._work = self._work.history_uuid, None
        self.machine.adopted(name)

    def _work_fails(self, es_type: str, text: str = "no reason") -> None:
        self._work = None
        self.machine.work_failed(_error(es_type, text), self.now)

    def _wait(self, seconds: str) -> None:
        self.now += float(seconds)
        self.leader.clock_ms += round(float(seconds) * 1000)

    def _retry(self) -> None:
        self.machine.retry_now()

    def _stats(self) -> Iterator[str]:
        machine, counters = self.machine, self.machine.counters
        yield (
            f"checkpoint {machine.checkpoint} of {machine.leader_checkpoint}, requested "
            f"{machine.progress.last_requested}, {machine.history_uuid}, {machine.phase}"
        )
        yield (
            f"reads {counters.successful_reads}+{counters.failed_reads} operations "
            f"{counters.operations_read}, writes {counters.successful_writes}+"
            f"{counters.failed_writes} operations {counters.operations_written}, buffer "
            f"{machine.sequencer.count}"
        )
        for first, attempts in machine.progress.failing.items():
            yield f"read from {first} failed {attempts.failures} times: {attempts.error}"
        yield f"lag {machine.lag_ms(self.now)} ms"

    # -- effects ---------------------------------------------------------------------------------

    def _effects(self) -> Iterator[str]:
        for effect in self.machine.effects(self.now):
            yield self._told(effect)
        if self.machine.failure is not None:
            yield f"FAILED {self.machine.failure.es_type}: {self.machine.failure.reason}"
        wake_at = self.machine.wake_at(self.now)
        if wake_at is not None:
            yield f"wake in {round((wake_at - self.now) * 1000)} ms"

    def _told(self, effect: Effect) -> str:
        match effect:
            case Read():
                self._reads[effect.id] = effect
                self._asked_as[effect.id] = self.machine.history_uuid
                return _told_read(effect)
            case Abandon():
                return f"abandon {' '.join(map(str, effect.reads))}"
            case Write():
                self._work = effect
                first, last = effect.operations[0].seq_no, effect.operations[-1].seq_no
                return f"write {first}..{last}"
            case Reach():
                self._work = effect
                versions = effect.versions
                return f"reach {versions.mapping} {versions.settings} {versions.aliases}"
            case Adopt():
                self._work = effect
                return f"adopt {effect.history_uuid}"


def _told_read(read: Read) -> str:
    kind = "probe" if read.is_probe else "poll" if read.is_poll else "read"
    waits = "" if read.poll_timeout_ms == 1 else f" waits {read.poll_timeout_ms} ms"
    after = f" after {read.previous.seq_no}" if read.previous is not None else ""
    wanted = "" if read.is_poll else f" wants {read.wanted_from}..{read.wanted_to}"
    limit = "" if read.max_bytes == _READ_BYTES else f" and {read.max_bytes} bytes"
    span = f"from {read.from_seq_no}{after}{wanted}"
    return f"{kind} {read.id}: {span}, at most {read.max_count}{limit}{waits}"


def _error(es_type: str, text: str) -> ApiError:
    return ApiError.from_wire(
        {
            "type": es_type,
            "status": _STATUS.get(es_type, 500),
            "reason": text,
            "metadata": {},
            "caused_by": None,
            "root_causes": None,
            "suppressed": [],
        }
    )
