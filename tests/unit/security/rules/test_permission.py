"""What roles allow together, and what several sides do."""

from sealane.model.security import FieldGrant, IndexLimits, RoleDescriptor
from sealane.security.rules import permission as permissions
from sealane.security.rules.permission import Permission, permission_of
from sealane.security.rules.reserved import RESERVED_ROLES
from tests.unit.security.rules.subjects import entry, role

SEARCH = "indices:data/read/search"


def of(*roles: RoleDescriptor) -> Permission:
    return Permission((roles,))


def test_grants_of_roles_are_united() -> None:
    both = of(role(entry("a", "read")), role(entry("b", "write"), cluster=["monitor"]))
    assert both.index(SEARCH, "a")
    assert not both.index(SEARCH, "b")
    assert both.index("indices:data/write/bulk", "b")
    assert both.cluster("cluster:monitor/health")
    assert not both.cluster("cluster:admin/settings/update")
    assert both.index_action(SEARCH)
    assert not both.index_action("indices:admin/delete")


def test_all_sides_must_allow() -> None:
    """X-33, X-41: each narrowing counts, whichever side it is on."""
    wide, narrow = role(entry("*", "all"), cluster=["all"]), role(entry("a", "read"))
    for sides in (((wide,), (narrow,)), ((narrow,), (wide,))):
        both = Permission(sides)
        assert both.index(SEARCH, "a")
        assert not both.index(SEARCH, "b")
        assert not both.index("indices:admin/delete", "a")
        assert not both.cluster("cluster:monitor/health")


def test_without_a_side_or_a_role_nothing_is_allowed() -> None:
    for nothing in (
        Permission(()),
        Permission(((),)),
        Permission(((role(entry("*", "all")),), ())),
    ):
        assert not nothing.index(SEARCH, "a")
        assert not nothing.index_action(SEARCH)
        assert not nothing.cluster("cluster:monitor/health")
        assert not nothing.run_as("u")
        assert nothing.toward("a") == ()


def test_restricted_names_need_a_grant_that_says_so_on_every_side() -> None:
    """X-39."""
    closed, opened = role(entry("*", "all")), role(entry("*", "read", restricted=True))
    assert not of(closed).index(SEARCH, ".security-7")
    assert of(opened).index(SEARCH, ".security-7")
    assert of(closed, opened).index(SEARCH, ".security-7")
    assert not of(closed, opened).index("indices:admin/delete", ".security-7")
    assert not Permission(((opened,), (closed,))).index(SEARCH, ".security-7")
    assert not of(role(entry(".security-7", "all"))).index(SEARCH, ".security-7")


def test_own_keys_are_managed_by_those_who_may() -> None:
    own = of(role(cluster=["manage_own_api_key"]))
    get = "cluster:admin/xpack/security/api_key/get"
    assert own.cluster(get, own_keys=True)
    assert not own.cluster(get)
    assert not own.cluster("cluster:admin/xpack/security/api_key/grant", own_keys=True)
    assert of(role(cluster=["manage_api_key"])).cluster(get)


def test_documents_of_any_entry_are_seen_whatever_else_it_grants() -> None:
    """X-45: queries of one side are united; an entry without one lifts them, even where it only lets monitor."""
    public, hidden = '{"term":{"level":"public"}}', '{"term":{"level":"hidden"}}'
    reads = entry("a", "read", query=public)
    one = of(role(reads))
    assert one.limits(SEARCH, ["a"]) == IndexLimits(((public.encode(),),))
    two = of(role(reads, entry("a*", "read", query=hidden)))
    assert two.limits(SEARCH, ["a"]) == IndexLimits(((public.encode(), hidden.encode()),))
    assert of(role(reads, entry("a", "monitor"))).limits(SEARCH, ["a"]) is None
    assert of(role(reads, entry("b", "read"))).limits(SEARCH, ["a"]) == one.limits(SEARCH, ["a"])
    key = role(entry("*", "read", query=hidden))
    assert Permission(((reads_role(public),), (key,))).limits(SEARCH, ["a"]) == IndexLimits(
        ((public.encode(),), (hidden.encode(),))
    )


def reads_role(query: str) -> RoleDescriptor:
    return role(entry("a", "read", query=query))


def test_limits_are_those_of_all_names_by_which_an_index_was_reached() -> None:
    """T-18: by an alias alone the alias' entries count, by both both."""
    limited = of(role(entry("alias", "read", query="1"), entry("index", "read", query="2")))
    assert limited.limits(SEARCH, ["alias"]) == IndexLimits(((b"1",),))
    assert limited.limits(SEARCH, ["index"]) == IndexLimits(((b"2",),))
    assert limited.limits(SEARCH, ["alias", "index"]) == IndexLimits(((b"1", b"2"),))


def test_fields_are_united_within_a_side_and_intersected_across() -> None:
    """X-44."""
    user = role(entry("a", "read", grant=["a*"]), entry("a", "read", grant=["b"]))
    key = role(entry("*", "read", grant=["*"], excepted=["ab"]))
    limits = Permission(((user,), (key,))).limits(SEARCH, ["a"])
    assert limits is not None
    assert limits.fields is not None
    shown = [path for path in ("aa", "ab", "b", "c") if limits.fields.shows(path)]
    assert shown == ["aa", "b"]
    assert limits.queries == ()


def test_a_grant_of_every_field_is_no_limit() -> None:
    assert of(role(entry("a", "read", grant=["*"]))).limits(SEARCH, ["a"]) is None
    none = of(role(entry("a", "read", grant=[]))).limits(SEARCH, ["a"])
    assert none == IndexLimits((), none.fields if none else None)
    assert none is not None
    assert none.fields is not None
    assert none.fields.sides == ((FieldGrant(grant=(), excepted=()),),)


def test_who_writes_may_put_mappings_although_that_is_not_told() -> None:
    for privilege in ("write", "index", "create", "create_doc", "WRITE"):
        assert of(role(entry("a", privilege))).index("indices:admin/mapping/put", "a")
    for privilege in ("delete", "indices:data/write/*", "read", "maintenance"):
        assert not of(role(entry("a", privilege))).index("indices:admin/mapping/put", "a")


def test_limits_of_nobody_hide_every_document() -> None:
    assert Permission(()).limits(SEARCH, ["a"]) == IndexLimits(((),))


def test_who_may_be_acted_for() -> None:
    """X-42, X-80: by name, wildcard or expression; of several sides all must agree."""
    may = of(role(run_as=["peer_*", "/x[0-9]/"]))
    assert [name for name in ("peer_r", "x1", "x", "elastic") if may.run_as(name)] == [
        "peer_r",
        "x1",
    ]
    assert not Permission(((role(run_as=["*"]),), (role(),))).run_as("x")


def test_toward_a_cluster_go_the_entries_whose_pattern_fits_its_alias() -> None:
    """X-35: as one descriptor, without anything else that the roles grant."""
    first = role(
        entry("local", "all"),
        cluster=["all"],
        run_as=["*"],
        remote=[
            ("kb", entry("a", "read")),
            ("k*", entry("b", "read")),
            ("other", entry("c", "read")),
        ],
        remote_cluster=[("/k[a-z]/", "monitor_stats")],
    )
    (side,) = of(first, role(remote=[("*", entry("d", "read"))])).toward("kb")
    (told,) = side
    assert [each.names for each in told.indices] == [("a",), ("b",), ("d",)]
    assert told.cluster == ("monitor_stats",)
    assert not told.run_as
    assert not told.remote_indices
    assert of(first).toward("x") == ()


def test_toward_a_cluster_every_side_must_have_something() -> None:
    """X-34, X-41."""
    some, none = role(remote=[("kb", entry("a", "read"))]), role(entry("a", "read"))
    assert Permission(((some,), (none,))).toward("kb") == ()
    assert len(Permission(((some,), (some,))).toward("kb")) == 2


def test_a_superuser_may_do_everything_here_and_is_told_so_elsewhere() -> None:
    """X-36: what that is worth there is for the key to say."""
    root = permission_of(RESERVED_ROLES, ["superuser"])
    assert root.cluster("cluster:admin/xpack/security/user/put")
    assert root.index("indices:admin/delete", "a")
    assert root.index(SEARCH, ".security-7")
    assert not root.index("indices:data/write/bulk[s]", ".security-7")
    ((told,),) = root.toward("anything")
    assert [each.allow_restricted_indices for each in told.indices] == [False, True]
    assert told.cluster == ("monitor_enrich", "monitor_stats")


def test_of_assigned_roles_those_that_exist_count() -> None:
    """X-76, X-78: by their exact names."""
    roles = {"a": role(entry("a", "read"), name="a")}
    found = permission_of(roles, ["b", "a", "A", "a "])
    assert found.role_names == ("a",)
    assert found.index(SEARCH, "a")
    assert not permission_of(roles, ["A"]).index(SEARCH, "a")


def test_what_is_kept_of_verdicts_is_bounded() -> None:
    some = of(role(entry("a*", "read")))
    for n in range(permissions.MAX_KNOWN + 10):
        some.index(SEARCH, f"a{n}")
    assert len(some.verdicts(SEARCH)) <= permissions.MAX_KNOWN
    kept = [f"indices:data/read/{each}" for each in range(3)]
    for n in range(permissions.MAX_KNOWN // 2):
        for action in kept:
            some.index(action, f"b{n}")
    assert sum(len(some.verdicts(each)) for each in (SEARCH, *kept)) <= permissions.MAX_KNOWN
    for n in range(permissions.MAX_ACTIONS + 10):
        assert not some.index(f"indices:x/{n}", "a")
    assert some.index(SEARCH, "a1")


def test_one_name_exceeds_another_by_any_action() -> None:
    granted = of(
        role(entry("a*", "manage"), entry("ab", "read"), entry("c", "read"), entry("all", "all"))
    )
    assert granted.exceeds("ab", "a")
    assert not granted.exceeds("a", "ab")
    assert not granted.exceeds("c", "ab")
    assert granted.exceeds("c", "a")
    assert granted.exceeds("all", "ab")
    assert not granted.exceeds("ab", "all")
    assert not granted.exceeds("nothing", "a")
    assert granted.exceeds("a", "nothing")


def test_what_one_name_exceeds_another_by_must_be_allowed_by_all_sides() -> None:
    wide = role(entry("index", "read"), entry("alias", "all"))
    narrow = role(entry("*", "read"))
    assert Permission(((wide,),)).exceeds("alias", "index")
    assert not Permission(((wide,), (narrow,))).exceeds("alias", "index")
    assert not Permission(()).exceeds("alias", "index")
