"""An agent's env step as a file that runs without this library: a torch program or ONNX."""

from __future__ import annotations

import io
import logging
import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram

from rstdp_agents.agent.inference import InferenceStep
from rstdp_agents.base.plugins import optional

KEY = "rstdp_agents"
"""Key of the metadata in every file."""
OUTPUTS = ("action", "rates", "policy")


def torch_program(step: InferenceStep) -> ExportedProgram:
    """The step as `torch.export` sees it, for any size of batch."""
    inputs, axes = example(step)
    with torch.no_grad():
        return torch.export.export(step, inputs, dynamic_shapes=axes)


def torch_bytes(step: InferenceStep, metadata: str) -> bytes:
    """Content of a .pt2 file: `torch.export.load` reads it, and AOTInductor compiles it."""
    buffer = io.BytesIO()
    torch.export.save(torch_program(step), buffer, extra_files={KEY: metadata})
    return buffer.getvalue()


def onnx_bytes(step: InferenceStep, metadata: str) -> bytes:
    """Content of an .onnx file with the inputs ``obs`` and ``uniform`` (unless the step has built-in draws)."""
    optional("onnxscript", "onnx")  # torch needs it to write the file
    inputs, axes = example(step)
    with warnings.catch_warnings():  # torch's exporter warns about itself
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            step, inputs, dynamo=True, dynamic_shapes=axes, input_names=("obs", "uniform")[: len(inputs)],
            output_names=OUTPUTS, verbose=False,
        )  # fmt: skip
    assert program is not None
    program.model.metadata_props[KEY] = metadata
    return program.model_proto.SerializeToString()


def example(step: InferenceStep) -> tuple[tuple[Tensor, ...], Any]:
    """Inputs to trace the step with, and which of their axes may have any size."""
    space, batch = step.parts.spaces[0], Dim("batch", min=1)
    inputs = [step.parts.tensor(np.stack([space.sample()] * 2))]
    if step.uniform is None:
        inputs.append(torch.full((2, step.draws), 0.5, dtype=step.parts.dtype, device=step.parts.device))
    return tuple(inputs), tuple({0: batch} for _ in inputs)
