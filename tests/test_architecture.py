"""The rules of the house: which room may import which, and what may not load before the first frame."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "assistants_tui"
PACKAGE = "assistants_tui"

# room -> rooms of our own that it may import
ALLOWED = {
    "protocol": {"protocol"},
    "addresses": set(),
    "installation": set(),
    "process_memory": set(),
    "network": {"addresses"},
    "settings": {"protocol", "addresses", "settings"},
    "service": {"protocol", "addresses", "installation", "network", "settings", "service"},
    "tui": {"protocol", "addresses", "installation", "process_memory", "settings", "service", "tui"},
    "engine": {"protocol", "addresses", "network", "process_memory", "engine"},
    "cli": {
        "protocol",
        "addresses",
        "installation",
        "process_memory",
        "network",
        "settings",
        "service",
        "tui",
        "engine",
    }
    | {"cli"},
}
# the only client modules that open the engine
ENGINE_DOORS = {"service/client/embedded.py", "cli/serve.py", "cli/doctor.py"}
# what screens import of the client: servers are looked for and tried before a profile is used; a data class
CLIENT_MODULES_FOR_SCREENS = {
    "assistants_tui.service.client.endpoints",
    "assistants_tui.service.client.profile_trial",
    "assistants_tui.service.client.vector_stores",
}
# room -> third-party packages that have no business in it
FORBIDDEN = {
    "settings": {"openai", "textual", "rich", "starlette", "sqlalchemy", "httpx2"},
    "service": {"textual", "rich", "starlette", "sqlalchemy"},
    "engine": {"textual", "rich"},
    "tui": {"openai", "httpx2", "starlette", "sqlalchemy"},
}


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every absolute module name that a file imports, and whether it is for annotations only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
        for inner in ast.walk(node)
    }
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    parent = parts if path.name == "__init__.py" else parts[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in for_types
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = parent if path.name != "__init__.py" else parent[:-1]
                package = package[: len(package) - node.level + 1]
                base = ".".join([*package, *([node.module] if node.module else [])])
            yield base, id(node) in for_types
            for alias in node.names:
                yield f"{base}.{alias.name}", id(node) in for_types


def room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_follow_the_plan_of_the_house(path: Path) -> None:
    here = room(path)
    if here not in ALLOWED:
        return
    name = path.relative_to(SOURCE).as_posix()
    for module, for_types in imports(path):
        top, _, rest = module.partition(".")
        if top == PACKAGE and rest and rest.split(".")[0] in ALLOWED:
            target = rest.split(".")[0]
            allowed = ALLOWED[here] | ({"engine"} if name in ENGINE_DOORS else set())
            if here == "cli" and target == "engine":
                assert name in ENGINE_DOORS, f"{name} opens the engine"
            assert target in allowed, f"{name} imports {module}"
        elif not for_types:
            assert top not in FORBIDDEN.get(here, set()), f"{name} imports {module}"


def client_calls(path: Path) -> list[str]:
    """Where a file reaches for the server itself: attributes that give it, and modules of its client."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    reached = [
        f"line {node.lineno}: .{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"backend", "connection", "_connection"}
    ]
    client = f"{PACKAGE}.service.client"
    return reached + [
        name for name, _ in imports(path) if name.startswith(f"{client}.") and name.count(".") == 3
    ]


def test_screens_ask_the_service_and_never_the_server() -> None:
    found = {
        path.relative_to(SOURCE).as_posix(): calls
        for path in sorted((SOURCE / "tui").rglob("*.py"))
        if (calls := sorted({*client_calls(path)} - CLIENT_MODULES_FOR_SCREENS))
    }
    assert found == {}


MAX_PUBLIC_METHODS = 21
"""Of a class of the service, properties included."""


def public_methods(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            methods = (one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
            yield node.name, sum(not one.name.startswith("_") for one in methods)


def test_no_class_of_the_service_has_more_than_one_subject_can_need() -> None:
    found = {
        f"{path.relative_to(SOURCE).as_posix()}: {name}": count
        for path in sorted((SOURCE / "service").rglob("*.py"))
        for name, count in public_methods(path)
        if count > MAX_PUBLIC_METHODS
    }
    assert found == {}
