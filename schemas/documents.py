"""YAML documents people write (mappings, rules, configuration), read into pydantic models with errors worth reading.

Every problem is one line: `file:line: where.in.it: what is wrong (allowed: a, b, c)`, all problems at once.

The YAML is a careful subset. `true`/`false` are the only booleans, so the country `NO` stays text; a date stays text; keys
are text as written; anchors, aliases, tags and duplicate keys are refused; size and depth are bounded.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, NamedTuple, TypeAlias, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

MAX_BYTES = 1_000_000
MAX_DEPTH = 50  # far beyond any real document, far below Python's recursion limit

Place: TypeAlias = tuple[str | int, ...]


class Document(BaseModel):
    """Base of everything read from YAML: immutable, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(NamedTuple):
    """One thing wrong with a document."""

    name: str  # the file, as the user named it
    line: int  # from 1; 0 for a file that could not be read at all
    where: str  # `attributes.phones[0].value`; empty for the document itself
    what: str

    def __str__(self) -> str:
        place = f"{self.name}:{self.line}" if self.line else self.name
        return ": ".join(part for part in (place, self.where, self.what) if part)


class DocumentError(Exception):
    """A document cannot be used. The message lists every problem, one a line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


M = TypeVar("M", bound=BaseModel)


def load_document(path: Path, model: type[M]) -> M:
    """The document in a file. Raises DocumentError, also when the file cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DocumentError([Problem(str(path), 0, "", f"cannot be read: {error.strerror}")]) from error
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DocumentError([Problem(str(path), line, "", "is not UTF-8 text")]) from error
    return parse_document(text, model, str(path))


def parse_document(text: str, model: type[M], name: str) -> M:
    """The document in a text; `name` stands in the errors. Raises DocumentError."""
    tree = _Tree(name)
    data = tree.read(text)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise DocumentError(_explain(error, model, data, tree)) from error


# --- YAML to plain values, remembering lines ------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """Composes nodes only. Its implicit types are those of JSON, not YAML 1.1's `no`, `1:20` or `2024-01-01`."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  (PyYAML's own shape)

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(problem="anchors and aliases (&, *) are not allowed", problem_mark=event.start_mark)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {MAX_DEPTH}", problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_SCALARS = (
    ("null", r"^(?:~|null|)$", "~n\0"),
    ("bool", r"^(?:true|false)$", "tf"),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    ("float", r"^[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$", "-+0123456789"),
)
for _tag, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), ["" if c == "\0" else c for c in _first]
    )


class _Tree:
    """Turns nodes into plain values and remembers on which line each place is."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Place, int] = {(): 1}
        self.problems: list[Problem] = []

    def read(self, text: str) -> object:
        if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
            raise DocumentError([Problem(self.name, 1, "", f"is larger than {MAX_BYTES:,} bytes")])
        try:
            node = _Loader(text).get_single_node()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = ", ".join(part for part in (error.context, error.problem) if part)
            raise DocumentError([Problem(self.name, mark.line + 1 if mark else 1, "", f"not YAML: {what}")]) from error
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise DocumentError([Problem(self.name, line, "", f"not YAML: {error.reason}")]) from error
        if node is None:
            raise DocumentError([Problem(self.name, 1, "", "is empty")])
        value = self._value(node, ())
        if self.problems:
            raise DocumentError(self.problems)
        return value

    def _value(self, node: yaml.Node, place: Place) -> object:
        if isinstance(node, yaml.MappingNode) and node.tag.endswith(":map"):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode) and node.tag.endswith(":seq"):
            for index, item in enumerate(node.value):
                self.lines[(*place, index)] = item.start_mark.line + 1
            return [self._value(item, (*place, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, place)
        self._complain(node, place, f"the tag {node.tag!r} is not allowed")
        return None

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._complain(key_node, place, "a key must be text")
                continue
            key: str = key_node.value
            if key in mapping:
                first = self.lines[(*place, key)]
                self._complain(key_node, (*place, key), f"is a duplicate key, first on line {first}")
                continue
            self.lines[(*place, key)] = key_node.start_mark.line + 1
            mapping[key] = self._value(value_node, (*place, key))
        return mapping

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> object:
        text: str = node.value
        match node.tag.removeprefix("tag:yaml.org,2002:"):
            case "str":
                return text
            case "null":
                return None
            case "bool":
                return text == "true"
            case "int" if len(text) < 100:
                return int(text)
            case "float" if len(text) < 100:
                return float(text)
            case "int" | "float":
                self._complain(node, place, "is too long for a number")
            case _:
                self._complain(node, place, f"the tag {node.tag!r} is not allowed")
        return None

    def _complain(self, node: yaml.Node, place: Place, what: str) -> None:
        self.problems.append(Problem(self.name, node.start_mark.line + 1, _where(place), what))


# --- pydantic's errors in the document's words ----------------------------------------------------


def _explain(error: ValidationError, model: type[BaseModel], data: object, tree: _Tree) -> list[Problem]:
    """One problem a place: what the members of a union each say about the same place is joined by `or`."""
    found: dict[tuple[int, str], list[str]] = {}
    for details in error.errors(include_url=False):
        if _counts_only_what_is_right(details):
            continue
        place, missing = _place(details["loc"], data, details["type"] == "missing")
        line = tree.lines.get(place[:-1] if missing else place, 1)
        whats = found.setdefault((line, _where(place)), [])
        what = _what(details, model)
        if what not in whats:
            whats.append(what)
    return [Problem(tree.name, line, where, " or ".join(whats)) for (line, where), whats in sorted(found.items())]


def _place(location: tuple[int | str, ...], data: Any, missing: bool) -> tuple[Place, bool]:
    """The place in the document that pydantic means: its locations also name the members of unions it tried."""
    place: list[str | int] = []
    for step in location:
        if isinstance(data, dict):
            inside = step in data
        else:
            inside = isinstance(data, list) and isinstance(step, int) and step < len(data)
        if inside:
            data = data[step]
            place.append(step)
    if missing:
        place.append(location[-1])
    return tuple(place), missing


def _where(place: Place) -> str:
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


_PLAIN = {
    "missing": "is missing",
    "string_type": "must be text (put quotes around a number)",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be a mapping (key: value)",
    "model_type": "must be a mapping (key: value)",
    "model_attributes_type": "must be a mapping (key: value)",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "set_type": "must be a list",
    "frozen_set_type": "must be a list",
    "path_type": "must be the path of a file or folder",
    "finite_number": "must be a number",
}


_BOUNDS = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "too_short": "must have at least {min_length}",
    "too_long": "must have at most {max_length}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must fit the pattern {pattern}",
}
"""With what pydantic's context calls the bound."""


def _counts_only_what_is_right(details: ErrorDetails) -> bool:
    """Whether a list is called too short only because its elements are wrong, each of which has an error of its own."""
    given = details["input"]
    return details["type"] == "too_short" and isinstance(given, list) and len(given) >= details["ctx"]["min_length"]


def _what(details: ErrorDetails, model: type[BaseModel]) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind in _BOUNDS:
        return _BOUNDS[kind].format_map({k: f"{v:g}" if isinstance(v, float) else v for k, v in context.items()})
    if kind == "extra_forbidden":
        return _unknown_key(details["loc"], model)
    if kind in {"literal_error", "enum", "union_tag_invalid"}:
        allowed = re.findall(r"'([^']*)'", str(context.get("expected", context.get("expected_tags", ""))))
        given = context.get("tag", details["input"])
        return f"is {given!r}{_nearest(str(given), allowed)} (allowed: {', '.join(allowed)})"
    if kind in {"value_error", "assertion_error"}:
        return str(context.get("error", details["msg"]))
    message = details["msg"].replace("Input should", "must").replace("should", "must")
    return message[:1].lower() + message[1:]


def _unknown_key(location: tuple[int | str, ...], model: type[BaseModel]) -> str:
    key = str(location[-1])
    names = sorted({name for part in _models_at(model, location[:-1]) for name in _keys_of(part)})
    allowed = f" (allowed: {', '.join(names)})" if names else ""
    return f"unknown key {key!r}{_nearest(key, names)}{allowed}"


def _nearest(given: str, allowed: Sequence[str]) -> str:
    near = difflib.get_close_matches(given, allowed, n=1)
    return f", did you mean {near[0]!r}?" if near else ""


def _keys_of(model: type[BaseModel]) -> Mapping[str, object]:
    """What the keys of a model may hold: field names, or the aliases that replace them in the document."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _models_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """The models that may stand at pydantic's location, found along the annotations."""
    kinds: list[Any] = [model]
    for step in location:
        inner = list(_step(kinds, step))
        # A step that leads nowhere is the name of the union member pydantic tried: keep that member only, if it is a class.
        kinds = inner or [kind for kind in kinds if getattr(kind, "__name__", None) == step] or kinds
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _step(kinds: Sequence[Any], step: int | str) -> Iterator[Any]:
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            keys = _keys_of(kind)
            if step in keys:
                yield from _members(keys[str(step)])
            continue
        arguments = get_args(kind)
        if arguments and isinstance(step, int) == (get_origin(kind) is not dict):
            yield from (
                member for argument in arguments[-2 if arguments[-1] is ... else -1 :] for member in _members(argument)
            )


def _members(annotation: Any) -> Iterator[Any]:
    """The types a value may have: annotations and unions taken apart."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in {Union, UnionType}:
        for argument in get_args(annotation):
            yield from _members(argument)
    elif annotation is not ...:
        yield annotation
