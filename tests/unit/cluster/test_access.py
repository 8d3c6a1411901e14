"""Names judged by somebody's rights, as they become indices: against the answers of 8.19.0 to limited users."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from sealane.cluster.aliases import changed_by
from sealane.cluster.documents import BulkItem, Documents, Refresh
from sealane.cluster.index_names import names_reached
from sealane.cluster.matching import matches_any
from sealane.cluster.metadata import Alias, ClusterMetadata
from sealane.cluster.resolve import DEFAULT_OPTIONS, resolve
from sealane.cluster.serial import Serial
from sealane.cluster.store import MemoryStateStore
from sealane.cluster.targets import limits_of_target, resolve_read_target, resolve_write_target
from sealane.errors import AliasesNotFound, IndexNotFound, RefusedUnderLimits, SecurityError
from sealane.model.access import (
    Access,
    acting,
    bound,
    current_access,
    demand,
    required_access,
)
from sealane.model.document import OpType, WriteOp
from sealane.model.patterns import matches
from sealane.model.search import IndicesOptions
from sealane.model.security import IndexLimits
from sealane.model.task import Context, Task, TaskId
from sealane.rest.services import AliasAction
from tests.unit.cluster.fakes import CountingIds
from tests.unit.cluster.index_node import Node
from tests.unit.cluster.test_resolve import index
from tests.unit.rest.fakes import FakeEngine

META = ClusterMetadata(
    [
        index("logs-1", 1, **{"all": Alias(), "some": Alias(filter='{"term":{"f":"x"}}')}),
        index("logs-2", 1, **{"all": Alias()}),
        index("private", 1, **{"all": Alias(), "own": Alias()}),
    ]
)
CTX = Context(task=Task(TaskId("n", 1), "indices:data/write/bulk", None, 0, ""))
MISSING_OK = IndicesOptions(ignore_unavailable=True)


@dataclass(frozen=True)
class Rights:
    """May do everything on the names that fit; sees documents by the names they were reached by."""

    names: tuple[str, ...]
    action: str = "indices:data/read/search"
    cluster: bool = True
    is_limited: bool = True
    more: frozenset[str] = frozenset()
    """The names on which more may be done than on others."""

    @property
    def is_granted(self) -> bool:
        return bool(self.names)

    def allows(self, name: str) -> bool:
        if self.action.startswith("cluster:"):
            return self.cluster
        return any(matches(pattern, name) for pattern in self.names)

    def limits(self, names: Sequence[str]) -> IndexLimits | None:
        if not self.is_limited:
            return None
        return IndexLimits(queries=(tuple(name.encode() for name in names),))

    def exceeds(self, name: str, other: str) -> bool:
        return name in self.more and other not in self.more

    def denial(self, names: Sequence[str]) -> SecurityError:
        return SecurityError(f"[{self.action}] on [{','.join(names)}]")

    def acting(self, action: str) -> Access:
        return replace(self, action=action)


LOGS = Rights(("logs-*",))


def reached(
    expressions: Sequence[str], rights: Rights, options: IndicesOptions = DEFAULT_OPTIONS
) -> list[str]:
    return [each.name for each in resolve(META, expressions, options, access=rights)]


def test_names_that_lead_to_an_index_are_told_in_their_order() -> None:
    rights = Rights(("*",))
    for expressions in (("some", "logs-1", "all"), ("all", "some", "logs-1")):
        (found, *_) = resolve(META, expressions, access=rights)
        assert (found.name, found.reached) == ("logs-1", expressions)
    assert all(each.via == (each.name,) for each in resolve(META, ("*",), access=rights))


def test_wildcards_lead_to_what_is_allowed_and_say_nothing_of_the_rest() -> None:
    """X-37: a wildcard search returns exactly what both sides allow, without an error for hidden names."""
    for expressions in ((), ("_all",), ("*",), ("*", "-nothing"), ("logs-*", "priv*")):
        assert reached(expressions, LOGS) == ["logs-1", "logs-2"]
    assert reached(("priv*",), LOGS) == []
    with pytest.raises(IndexNotFound):
        reached(("priv*",), LOGS, IndicesOptions(allow_no_indices=False))


def test_names_that_are_not_allowed_are_an_error_there_or_not() -> None:
    """X-38: who may not read an index is not told whether there is one."""
    for name in ("private", "missing"):
        with pytest.raises(SecurityError, match=rf"on \[{name}\]"):
            reached((name,), LOGS)
        with pytest.raises(SecurityError, match=rf"on \[{name}\]"):
            reached(("logs-1", name), LOGS)
        assert reached(("logs-1", name), LOGS, MISSING_OK) == ["logs-1"]
    with pytest.raises(SecurityError, match=r"on \[missing,private\]|on \[private,missing\]"):
        reached(("private", "missing"), LOGS)
    with pytest.raises(IndexNotFound):
        reached(("logs-9",), LOGS)


def test_an_alias_is_allowed_by_its_own_name_and_brings_its_indices() -> None:
    rights = Rights(("own",))
    assert reached(("own",), rights) == ["private"]
    assert reached(("*",), rights) == ["private"]
    with pytest.raises(SecurityError):
        reached(("private",), rights)
    with pytest.raises(SecurityError):
        reached(("all",), LOGS)
    assert reached(("*", "-own"), rights) == []


def test_what_may_be_seen_goes_by_all_names_that_lead_to_an_index() -> None:
    (found,) = resolve(META, ("logs-1",), access=LOGS)
    assert (found.reached, found.limits) == (("logs-1",), IndexLimits(queries=((b"logs-1",),)))
    rights = Rights(("logs-1", "some"))
    (found,) = resolve(META, ("some", "logs-1"), access=rights)
    assert found.filters is None
    assert found.limits == IndexLimits(queries=((b"some", b"logs-1"),))
    (found,) = resolve(META, ("some",), access=rights)
    assert found.filters is not None
    assert found.reached == ("some",)


def test_without_rights_nothing_is_judged() -> None:
    (found,) = resolve(META, ("private",))
    assert (found.reached, found.limits) == ((), None)


def test_documents_are_read_and_written_by_allowed_names_only() -> None:
    assert resolve_read_target(META, "logs-1", 0, LOGS).limits is not None
    for name in ("private", "missing"):
        with pytest.raises(SecurityError):
            resolve_read_target(META, name, 0, LOGS)
        with pytest.raises(SecurityError):
            resolve_write_target(META, name, 0, LOGS)
    assert resolve_write_target(META, "logs-9", 0, LOGS) is None


def test_a_later_step_of_a_search_must_name_what_belongs_together() -> None:
    """X-54: a mismatched shard id or index uuid is refused."""
    assert limits_of_target(META, "logs-1", "u_logs-1", (), LOGS) is not None
    assert limits_of_target(META, "private", "u_private", ("own",), Rights(("own",))) is not None
    for name, uuid, names in (
        ("logs-1", "u_private", ()),
        ("logs-1", "u_missing", ()),
        ("private", "u_private", ()),
        ("private", "u_private", ("logs-1",)),
        ("private", "u_private", ("own",)),
    ):
        with pytest.raises(SecurityError):
            limits_of_target(META, name, uuid, names, LOGS)


def test_names_for_resolve_apis_are_judged_too() -> None:
    found = names_reached(META, ("*",), DEFAULT_OPTIONS, 0, LOGS)
    assert [each.name for each in found.indices] == ["logs-1", "logs-2"]
    assert found.aliases == ()
    assert not matches_any(META, ("priv*",), DEFAULT_OPTIONS, 0, LOGS)
    with pytest.raises(SecurityError):
        matches_any(META, ("private",), DEFAULT_OPTIONS, 0, LOGS)
    assert not matches_any(META, ("private",), MISSING_OK, 0, LOGS)


def test_aliases_are_changed_where_both_names_are_allowed() -> None:
    rights = Rights(("logs-*", "x*"), is_limited=False)

    def change(kind: str, index: str, alias: str) -> list[str]:
        action = AliasAction(kind=kind, indices=(index,), aliases=(alias,))
        changed, _ = changed_by(META, [action], lambda raw: None, rights)
        return [each.name for each in changed]

    assert change("add", "logs-1", "x1") == ["logs-1"]
    for index_name, alias in (("private", "x1"), ("logs-1", "own")):
        with pytest.raises(SecurityError):
            change("add", index_name, alias)
    with pytest.raises(AliasesNotFound):
        change("remove", "*", "*")


def test_nobody_gains_by_adding_an_alias() -> None:
    """Not by one that has more rights than the index, nor where documents or fields of the index are hidden."""
    plain = Rights(("logs-*", "x*"), is_limited=False, more=frozenset({"x1"}))

    def change(rights: Access, kind: str, *aliases: str) -> object:
        action = AliasAction(kind=kind, indices=("logs-1",), aliases=aliases)
        return changed_by(META, [action], lambda raw: None, rights)

    change(plain, "add", "x2")
    with pytest.raises(SecurityError, match="the alias has more permissions than any of"):
        change(plain, "add", "x2", "x1")
    limited = replace(plain, is_limited=True)
    with pytest.raises(RefusedUnderLimits, match="Alias requests are not allowed for users"):
        change(limited, "add", "x2")
    change(replace(limited, names=("*",)), "remove", "all")


def test_the_running_request_acts_for_who_is_bound() -> None:
    assert current_access() is None
    demand("cluster:admin/x")
    with bound(LOGS):
        assert required_access() is LOGS
        with acting("indices:data/read/get"):
            assert required_access().action == "indices:data/read/get"
        assert required_access().action == LOGS.action
        demand("cluster:admin/x")
    with bound(replace(LOGS, cluster=False)), pytest.raises(SecurityError):
        demand("cluster:admin/x")
    assert current_access() is None


def test_with_security_nothing_is_found_for_nobody() -> None:
    """A path that forgot to say on whose behalf it acts finds nothing, rather than everything."""
    with pytest.raises(Exception, match="nobody was authenticated"):
        required_access()


async def test_a_write_says_nothing_of_an_index_that_is_not_allowed() -> None:
    """Whether it is closed, an alias without a write index, or not there at all."""
    async with Serial() as serial:
        node = await Node(serial, MemoryStateStore(), CountingIds(), guard=current_access).start()
        for name in ("secret-closed", "secret-1", "secret-2"):
            aliases = {} if name == "secret-closed" else {"secret-both": {}}
            await node.indices.create(name, {"aliases": aliases})
        await node.indices.set_open(["secret-closed"], open=False)
        with bound(LOGS):
            for name in ("secret-closed", "secret-both", "secret-none"):
                with pytest.raises(SecurityError, match=rf"on \[{name}\]"):
                    await node.indices.write_target(name)
            made = await node.indices.write_target("<logs-{now/d}>")
        assert made.name == made.asked == "logs-2026.11.22"


async def test_items_are_judged_by_the_index_that_a_date_leads_to() -> None:
    async with Serial() as serial:
        node = await Node(serial, MemoryStateStore(), CountingIds(), guard=current_access).start()
        engine = FakeEngine()
        documents = Documents(node.indices, engine, engine)  # type: ignore[arg-type]
        op = WriteOp(op=OpType.INDEX, id="1", source=b"{}")
        item = BulkItem(action="index", index="<logs-{now/d}>", op=op)
        with bound(LOGS):
            outcome = await documents.write(item, Refresh.NO, CTX)
        assert outcome.index == "logs-2026.11.22"
