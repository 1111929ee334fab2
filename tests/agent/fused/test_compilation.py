"""A process that compiles and one that loads the compiled code compute the same bits."""

import hashlib
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core.dispatcher import Dispatcher

import rstdp_agents
from rstdp_agents.base.compiled import ENTRIES
from rstdp_agents.base.compiler import InlinedCompiler

PLAY = """
import hashlib
import torch
from tests.helpers import cartpole_agent, experience
from tests.agent.test_agent import transition
agent = cartpole_agent(range(4), backend="fused", **{"plasticity.lr": 1.0})
experience(agent, transition, 300)
digest = hashlib.sha256()
for tensor in agent.tensors().values():
    digest.update(tensor.contiguous().numpy().tobytes())
print(digest.hexdigest())
"""


def test_everything_below_the_functions_that_python_calls_is_compiled_within_them():
    sources = [file for file in Path(rstdp_agents.__file__).parent.rglob("*.py") if "base.compiled" in file.read_text()]
    names = [".".join(file.relative_to(file.parents[-1]).with_suffix("").parts) for file in sources]
    modules = [importlib.import_module(name[name.rindex("rstdp_agents.") :]) for name in names]
    compiled = {each for module in modules for each in vars(module).values() if isinstance(each, Dispatcher)}
    own = {name for name in ENTRIES if name.startswith("rstdp_agents.")}
    inlined = {f for f in compiled if f._compiler.pipeline_class is InlinedCompiler}
    assert {f"{f.py_func.__module__}.{f.py_func.__qualname__}" for f in compiled - inlined} == own
    assert len(inlined) > 30


@pytest.mark.slow
def test_compiling_and_loading_give_the_same_bits(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "TMPDIR": str(tmp_path)}
    play = [sys.executable, "-c", PLAY]
    compiling, loading = (
        subprocess.run(play, env=environment, capture_output=True, text=True, check=True).stdout for _ in range(2)
    )
    assert len(compiling.strip()) == hashlib.sha256().digest_size * 2
    assert compiling == loading
    assert len(list(tmp_path.rglob("kernel.kernel.*"))) == 1
