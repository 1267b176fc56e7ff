"""Options that several commands share, as the fields of a dataclass."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import wraps
from typing import Any, TypeVar, get_type_hints

Outcome = TypeVar("Outcome")


def expanded(kind: type[Any]) -> Callable[[Callable[..., Outcome]], Callable[..., Outcome]]:
    """Decorates a command whose first parameter is a `kind`, a dataclass: on the command line, its fields come instead.

    typer reads a command's signature; this gives it one with the fields first.
    """
    types = get_type_hints(kind, include_extras=True)
    shared = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=types[field.name],
        )
        for field in fields(kind)
    ]

    def decorate(command: Callable[..., Outcome]) -> Callable[..., Outcome]:
        own_types = get_type_hints(command, include_extras=True)
        (_, *own) = inspect.signature(command).parameters.values()
        parameters = [
            *shared,
            *(
                parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=own_types[parameter.name])
                for parameter in own
            ),
        ]

        @wraps(command)
        def run(**values: Any) -> Outcome:
            given = kind(**{field.name: values.pop(field.name) for field in fields(kind)})
            return command(given, **values)

        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate
