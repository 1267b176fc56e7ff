"""What a run of a configuration measured, beside what was predicted and what the untiled network takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Execution:
    """Of one input. Bytes are without weights and without the caller's own input.

    `peak_bytes`: the most that tensors took at torch's allocator; `predicted_bytes`: by the evaluator; `scratch_bytes`:
    the most that a convolution of the library took and gave back besides; `scratch_limit_bytes`: the most that it may
    take, see `scratch.py`. `macs`: multiply-accumulates by the shapes of what was computed; `predicted_macs`: by the
    evaluator. `time_s`: median of `times_s`, runs of the configuration that took turns with the untiled module on the
    same input: as it is (`untiled_s`), and on maps with the channels last (`channels_last_s`), the layout of the
    executor. `untiled_bytes`: the most that torch allocated for the module as it is, scratch included. `difference`:
    the largest from the module's output, over the largest value of that.
    """

    configuration: str
    executor: str
    output_shape: tuple[int, ...]
    times_s: tuple[float, ...]
    time_s: float
    untiled_s: float
    channels_last_s: float
    peak_bytes: int
    predicted_bytes: int
    scratch_bytes: int
    scratch_limit_bytes: int
    untiled_bytes: int
    macs: int
    predicted_macs: int
    difference: float

    @property
    def is_predicted(self) -> bool:
        """Whether peak and work are what the evaluator says, to the byte and the multiplication."""
        return self.peak_bytes == self.predicted_bytes and self.macs == self.predicted_macs

    @property
    def is_scratch_small(self) -> bool:
        """Whether the library took no more besides than it should."""
        return self.scratch_bytes <= self.scratch_limit_bytes

    @property
    def speedup(self) -> float:
        """Over the untiled module in its faster layout."""
        return min(self.untiled_s, self.channels_last_s) / self.time_s
