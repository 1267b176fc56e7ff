"""What must hold of one operator: sensible windows, fitting channels, and shapes that follow from the layers.

The padding of a pooling is at most half of its window, as PyTorch has it; a convolution may have any.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from iopt.errors import ModelError
from iopt.graph.layers import (
    ACTIVATIONS,
    Activation,
    Add,
    BatchNorm,
    Concat,
    Conv2d,
    Linear,
    Pool,
    Shape,
    Step,
    Window,
)

if TYPE_CHECKING:
    from iopt.graph import Operator


def check_operator(operator: Operator) -> None:
    """Raise `ModelError`, naming the operator, unless its layers make sense and its shapes follow from them."""
    problem = (
        _input_problem(operator) or _body_problem(operator) or _epilogue_problem(operator) or _shape_problem(operator)
    )
    if problem is not None:
        raise ModelError(f"operator {operator.name!r}: {problem}")


def _input_problem(operator: Operator) -> str | None:
    shapes = operator.input_shapes
    if len(operator.inputs) != len(shapes):
        return f"it has {len(operator.inputs)} inputs and {len(shapes)} input_shapes"
    if isinstance(operator.body, Add):
        if len(shapes) < 2 or len(set(shapes)) > 1:
            return f"it adds {', '.join(map(str, shapes))}; expected two or more tensors of one shape"
    elif isinstance(operator.body, Concat):
        if len({shape[1:] for shape in shapes}) != 1:
            return f"it concatenates {', '.join(map(str, shapes))}; expected tensors of one height and width"
    elif len(shapes) != 1:
        return f"it has {len(shapes)} inputs; expected one"
    return None


def _window_problem(window: Window, pooling: bool) -> str | None:
    for key in ("kernel", "stride", "dilation"):
        if min(getattr(window, key)) < 1:
            return f"{key} is {getattr(window, key)}; expected positive numbers"
    if min(window.padding) < 0:
        return f"padding is {window.padding}; expected zero or more"
    for side in (0, 1):
        if pooling and 2 * window.padding[side] > window.reach(side):
            return f"padding is {window.padding}; expected at most half of the pooling's window ({window.reach(side)})"
    return None


def _pool_problem(pool: Pool) -> str | None:
    if pool.divisor_override is not None and (pool.divisor_override == 0 or pool.reduce != "average"):
        return f"divisor_override is {pool.divisor_override}; expected a number other than 0, for an average pooling"
    return None if pool.window is None else _window_problem(pool.window, pooling=True)


def _body_problem(operator: Operator) -> str | None:
    body = operator.body
    if isinstance(body, Pool):
        return _pool_problem(body)
    if not isinstance(body, Conv2d):
        return None
    for what, channels in (("input", operator.input_shape.channels), ("output", operator.pre_shape.channels)):
        if body.groups < 1 or channels % body.groups:
            return f"{body.groups} groups do not divide its {channels} {what} channels"
    return _window_problem(body.window, pooling=False)


def _activation_problem(step: Activation) -> str | None:
    known = ACTIVATIONS.get(step.function)
    if known is None:
        return f"activation {step.function!r} is not one of {', '.join(ACTIVATIONS)}"
    for key, value in step.arguments.items():
        if key not in known:
            return f"activation {step.function} has no argument {key!r}"
        if key == "approximate":
            if value not in ("none", "tanh"):
                return f"activation {step.function}: {key} is {value!r}; expected 'none' or 'tanh'"
        elif isinstance(value, str) or not math.isfinite(value):
            return f"activation {step.function}: {key} is {value!r}; expected a finite number"
    return None


def _step_problem(operator: Operator, index: int, step: Step) -> str | None:
    match step:
        case Pool():
            return _pool_problem(step)
        case Activation():
            return _activation_problem(step)
        case BatchNorm():
            widths = {operator.pre_shape.channels, operator.pre_shape.elements, operator.output_shape.elements}
            if step.features not in widths:
                return f"batch norm has {step.features} features for {operator.output_shape}"
            if not (step.eps >= 0 and math.isfinite(step.eps)):
                return f"batch norm eps is {step.eps}; expected zero or more"
            if step.folded and (index > 0 or not operator.is_weighted or step.features != operator.pre_shape.channels):
                return "a folded batch norm must follow a convolution or linear directly"
    return None


def _epilogue_problem(operator: Operator) -> str | None:
    if sum(isinstance(step, Pool) for step in operator.epilogue) > 1:
        return "its epilogue has several poolings; expected at most one"
    problems = (_step_problem(operator, index, step) for index, step in enumerate(operator.epilogue))
    return next((problem for problem in problems if problem is not None), None)


def _pooled_shape(pool: Pool, before: Shape, stated: Shape) -> Shape:
    """Shape after pooling; an adaptive pooling states its own."""
    if pool.window is None:
        return Shape(before.channels, stated.height, stated.width)
    height, width = (pool.window.positions(side, before[side + 1], pool.ceil_mode) for side in (0, 1))
    return Shape(before.channels, height, width)


def _pre_shape(operator: Operator) -> Shape:
    """Shape of the pre tensor; the channels of a weighted body and the size of an adaptive pooling are as stated."""
    before, stated, body = operator.input_shape, operator.pre_shape, operator.body
    match body:
        case Conv2d():
            height, width = (body.window.positions(side, before[side + 1]) for side in (0, 1))
            return Shape(stated.channels, height, width)
        case Linear():
            return Shape(stated.channels, 1, 1)
        case Pool():
            return _pooled_shape(body, before, stated)
        case Concat():
            return Shape(sum(shape.channels for shape in operator.input_shapes), before.height, before.width)
    return before


def _shape_problem(operator: Operator) -> str | None:
    pre, output, pool = _pre_shape(operator), operator.pre_shape, operator.pool
    if pool is not None:
        output = _pooled_shape(pool, operator.pre_shape, operator.output_shape)
    stated = {"pre_shape": (operator.pre_shape, pre), "output_shape": (operator.output_shape, output)}
    for what, (shape, derived) in stated.items():
        if shape != derived:
            return f"{what} is {shape}, its layers give {derived}"
        if min(shape) < 1:
            return f"{what} is {shape}, an empty tensor"
    return None
