"""One line for what pydantic found wrong with a file: the key path, what was expected, and what was there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from iopt.door.json_file import checked_schema
from iopt.door.wording import hint, shown
from iopt.errors import IoptError

Model = TypeVar("Model", bound=BaseModel)

_EXPECTED = {
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}


def validated(data: object, model: type[Model], schema: str, where: str, error: type[IoptError]) -> Model:
    """The data of a file that names this schema, as `model`. Raises `error` with one line that begins with `where`."""
    checked = checked_schema(data, schema, where, error)
    try:
        return model.model_validate(checked)
    except ValidationError as problem:
        raise error(f"{where}: {explain(problem, model)}") from None


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """`devices[1].memroy: unknown key; did you mean 'memory'?`, for the most telling of the errors of `model`.

    A misspelt key goes before the missing one that it causes.
    """
    details = error.errors(include_url=False)
    first = min(details, key=lambda detail: detail["type"] != "extra_forbidden")
    problem = _problem(first, model)
    path = key_path(first["loc"])
    return f"{path}: {problem}" if path else problem


def key_path(location: Sequence[int | str]) -> str:
    """`devices[1].memory` for `("devices", 1, "memory")`."""
    parts = (
        f"[{step}]" if isinstance(step, int) else f".{step if step.isprintable() else shown(step)}" for step in location
    )
    return "".join(parts).lstrip(".")


def _problem(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, context, got = detail["type"], detail.get("ctx", {}), shown(detail["input"])
    holder = _model_at(model, detail["loc"][:-1])
    match kind:
        case "extra_forbidden":
            key, known = str(detail["loc"][-1]), list(_fields(holder))
            return f"unknown key{hint(key, known) or '; expected one of ' + ', '.join(known)}"
        case "missing":
            return f"missing{_example(holder, str(detail['loc'][-1]))}"
        case "value_error":
            return str(context["error"])
        case "literal_error" | "enum":
            return f"expected {context['expected']}, got {got}"
        case "too_short":
            return "expected at least one entry, got an empty list"
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            return f"expected {_bound(kind, context)}, got {got}"
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, got {got}"
    return f"{detail['msg'][:1].lower()}{detail['msg'][1:]}, got {got}"


def _bound(kind: str, context: dict[str, Any]) -> str:
    words = {
        "greater_than": "a number above {gt}",
        "greater_than_equal": "{ge} or more",
        "less_than": "a number below {lt}",
        "less_than_equal": "{le} or less",
    }
    return words[kind].format(**context)


def _example(holder: type[BaseModel], key: str) -> str:
    field = _fields(holder).get(key)
    return f"; expected for example '{field.examples[0]}'" if field is not None and field.examples else ""


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """By the keys of a file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model_at(model: type[BaseModel], location: Sequence[int | str]) -> type[BaseModel]:
    """The model that checks what lies at this location; list indices are passed over."""
    for step in location:
        if isinstance(step, str) and step in _fields(model):
            annotation = _fields(model)[step].annotation
            model = next((part for part in _parts(annotation) if _is_model(part)), model)
    return model


def _parts(annotation: object) -> Iterator[Any]:
    """The annotation and all that it is made of: `list[X] | None` has X in it."""
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
