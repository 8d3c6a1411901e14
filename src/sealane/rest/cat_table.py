"""Tables of `_cat`: columns with aliases, chosen, sorted, and printed as text or as objects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sealane.errors import IllegalArgument
from sealane.model.patterns import matches
from sealane.rest.params import Parser, boolean, ignored, string
from sealane.rest.request import TEXT, Request, Response, json_response
from sealane.rest.router import Handler, Route, no_indices, path_indices
from sealane.settings import bytes_text

CAT_PARAMS: dict[str, Parser] = {
    "bytes": string,
    "h": string,
    "help": boolean,
    "local": ignored,
    "master_timeout": ignored,
    "s": string,
    "size": ignored,
    "time": string,
    "ts": boolean,
    "v": boolean,
}
_SIZE_UNITS = {"b": 1, "k": 2**10, "kb": 2**10, "m": 2**20, "mb": 2**20, "g": 2**30, "gb": 2**30}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`default` says whether it shows without being asked for; `right` aligns its values."""

    name: str
    aliases: tuple[str, ...] = ()
    help: str = ""
    default: bool = True
    right: bool = False


@dataclass(frozen=True, slots=True)
class Size:
    """A number of bytes, printed for people or in the unit that `bytes` names."""

    bytes: int


Cell = str | int | float | Size | None


@dataclass(frozen=True, slots=True)
class Table:
    columns: Sequence[Column]
    rows: list[Mapping[str, Cell]] = field(default_factory=list)


def cat_response(table: Table, request: Request) -> Response:
    """Raises IllegalArgument for an unknown sort key."""
    params = request.params
    if params.get("help"):
        return Response(_help(table.columns).encode(), content_type=TEXT)
    unit = params.get("bytes", "")
    rows = _sorted(table, params.get("s"))
    chosen = _chosen(table.columns, params.get("h"))
    cells = [[_shown(row.get(column.name), unit) for column, _ in chosen] for row in rows]
    if not request.accepts_text:
        objects = [
            {name: value for (_, name), value in zip(chosen, row, strict=True)} for row in cells
        ]
        return json_response(objects)
    text = _text(chosen, cells, header=params.get("v", False))
    return Response(text.encode(), content_type=TEXT)


def _chosen(columns: Sequence[Column], wanted: str | None) -> list[tuple[Column, str]]:
    """Each column with the name it is shown under: the one it was asked for by."""
    if wanted is None:
        return [(column, column.name) for column in columns if column.default]
    chosen: list[tuple[Column, str]] = []
    for name in wanted.split(","):
        name = name.strip()
        if "*" in name:
            taken = {column.name for column, _ in chosen}
            found = [c for c in columns if matches(name, c.name) and c.name not in taken]
            chosen += [(column, column.name) for column in found]
            continue
        column = _named(columns, name)
        if column is not None:
            chosen.append((column, name))
    return chosen


def _named(columns: Sequence[Column], name: str) -> Column | None:
    exact = next((column for column in columns if column.name == name), None)
    return exact or next((column for column in columns if name in column.aliases), None)


def _sorted(table: Table, order: str | None) -> list[Mapping[str, Cell]]:
    rows = list(table.rows)
    if not order:
        return rows
    keys = []
    for part in order.split(","):
        text = part.strip()
        name = text.removesuffix(":desc").removesuffix(":asc")
        column = _named(table.columns, name)
        if column is None:
            raise IllegalArgument(f"Unable to sort by unknown sort key `{name}`")
        keys.append((column.name, text.endswith(":desc")))
    for name, descending in reversed(keys):
        rows.sort(key=lambda row: _sort_key(row.get(name)), reverse=descending)
    return rows


def _sort_key(cell: Cell) -> tuple[int, float, str]:
    """Nothing first, then numbers by value, then texts."""
    if cell is None:
        return (0, 0.0, "")
    if isinstance(cell, Size):
        return (1, float(cell.bytes), "")
    if isinstance(cell, str):
        return (2, 0.0, cell)
    return (1, float(cell), "")


def _shown(cell: Cell, unit: str) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, Size):
        if unit in _SIZE_UNITS:
            return str(cell.bytes // _SIZE_UNITS[unit])
        return bytes_text(cell.bytes)
    return str(cell)


def _text(
    chosen: Sequence[tuple[Column, str]], rows: Sequence[Sequence[str | None]], *, header: bool
) -> str:
    lines = [[value or "" for value in row] for row in rows]
    if header:
        lines.insert(0, [name for _, name in chosen])
    widths = [max((len(line[at]) for line in lines), default=0) for at in range(len(chosen))]
    out = []
    last = len(chosen) - 1
    for line in lines:
        parts = []
        for at, ((column, _), value) in enumerate(zip(chosen, line, strict=True)):
            if column.right:
                parts.append(value.rjust(widths[at]))
            else:
                parts.append(value if at == last else value.ljust(widths[at]))
        out.append(" ".join(parts) + "\n")
    return "".join(out)


def _help(columns: Sequence[Column]) -> str:
    rows = [(c.name, ",".join(c.aliases), c.help) for c in columns]
    widths = [max(len(row[at]) for row in rows) for at in range(3)]
    return "".join(
        " | ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)) + "\n"
        for row in rows
    )


def ratio_text(percent: float) -> str:
    """`51.2%`, `100.0%`."""
    return f"{percent:.1f}%"


def cat_route(
    paths: tuple[str, ...],
    handler: Handler,
    action: str,
    *,
    also: tuple[str, ...] = (),
    **params: Parser,
) -> Route:
    """The route of a table; `params` are those beyond what every table knows. `also` is as in `Route`."""
    return Route(
        methods=("GET",),
        paths=paths,
        handler=handler,
        action=action,
        also=also,
        indices=path_indices if "{index}" in paths[-1] else no_indices,
        params={**CAT_PARAMS, **params},
    )
