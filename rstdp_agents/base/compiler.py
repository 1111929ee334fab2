"""How numba compiles here: an entry with all that it calls as one piece, and what it calls nowhere else.

Numba makes machine code of every function on its own, optimises it, wraps it for Python, and then optimises it again within
whoever calls it. Most functions here are called by compiled code alone. They are handed to their callers as they are written,
and optimised there, once: that takes half the time. It also means that no function exists twice, once on its own and once
within an entry, vectorised in different ways, so that a process that compiles and one that loads the same code round alike.

And what a branch leaves out on what is known of a `structs.Struct` is not compiled at all.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numba
from llvmlite.binding import Linkage
from numba.core import ir
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.consts import ConstantInference
from numba.core.typed_passes import NativeLowering
from numba.core.untyped_passes import InlineClosureLikes

from rstdp_agents.base.structs import known_reads

_make_function: Any = vars(numba)["_dynfunc"].make_function
LEVEL = 2
"""Of optimisation, once: numba's own two rounds at level 3 take a tenth longer in all, and make nothing faster here."""
REFUSE = ctypes.cast(ctypes.pythonapi.PyErr_BadArgument, ctypes.c_void_p).value
"""Where code lies that raises TypeError: what Python finds if it calls a function of compiled code."""


class Unoptimised(JITCodeLibrary):
    """The code of a function that is nowhere but in its callers: before it is there, it is not optimised, nor machine code."""

    _closed: Any = None
    """What `_get_module_for_linking` has made."""
    _below: list[JITCodeLibrary] | None = None
    """What `below` has found."""

    def add_llvm_module(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout
        self._final_module.link_in(ll_module)

    def finalize(self) -> None:
        self._raise_if_finalized()
        self._finalize_dynamic_globals()
        self._finalized = True

    def below(self) -> list[JITCodeLibrary]:
        """This one and all that its code calls, each once."""
        if self._below is None:
            found: dict[JITCodeLibrary, None] = {self: None}
            for library in self._linking_libraries:
                found |= dict.fromkeys(library.below() if isinstance(library, Unoptimised) else [library])
            self._ensure_finalized()  # nothing can be added any more
            self._below = list(found)
        return self._below

    def own_module(self) -> Any:
        """The code of this function alone, to be linked."""
        self._ensure_finalized()
        return super()._get_module_for_linking()

    def _get_module_for_linking(self) -> Any:
        """With the code of all that it calls: what numba takes for a function that is none of ours."""
        if self._closed is None:
            self._closed = self.own_module().clone()
            for library in self.below()[1:]:
                own = library.own_module() if isinstance(library, Unoptimised) else library._get_module_for_linking()
                self._closed.link_in(own, preserve=True)
        return self._closed


class Whole(JITCodeLibrary):
    """The code of an entry with all that it calls, each function once, and nobody else's."""

    def add_linking_library(self, library: Any) -> None:
        for each in library.below() if isinstance(library, Unoptimised) else [library]:
            if each not in self._linking_libraries:
                super().add_linking_library(each)

    def finalize(self) -> None:
        ours = [library for library in self._linking_libraries if isinstance(library, Unoptimised)]
        self._linking_libraries = [library for library in self._linking_libraries if library not in ours]
        for library in ours:
            self._final_module.link_in(library.own_module(), preserve=True)
        super().finalize()

    def _optimize_final_module(self) -> None:
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == Linkage.linkonce_odr:
                function.linkage = "internal"
        passes, builder = self._codegen._module_pass_manager(opt=LEVEL)
        passes.run(self._final_module, builder)


@register_pass(mutates_CFG=True, analysis_only=False)
class InlinedLowering(NativeLowering):
    """Lowers a function that compiled code alone calls."""

    _name = "inlined_lowering"

    def run_pass(self, state: Any) -> Any:
        state.library = Unoptimised(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        lowered = state["cr"]
        module, name = lowered.fndesc.lookup_module(), lowered.fndesc.qualname
        function = _make_function(module, name, "", REFUSE, lowered.env, (state.library,))
        state.targetctx.insert_user_function(function, lowered.fndesc, [state.library])
        state["cr"] = lowered._replace(cfunc=function)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class WholeLowering(NativeLowering):
    """Lowers an entry."""

    _name = "whole_lowering"

    def run_pass(self, state: Any) -> Any:
        state.library = Whole(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return super().run_pass(state)


@register_pass(mutates_CFG=False, analysis_only=False)
class KnownFields(FunctionPass):
    """Writes what the type of a struct tells where it is read: numba then drops the branches that are never taken."""

    _name = "known_fields"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> Any:
        code = state.func_ir
        reads = list(known_reads(code, state.args))
        for read, value in reads:
            defined, known = code._definitions[read.target.name], ir.Const(value, read.loc)
            defined[defined.index(read.value)] = read.value = known
        code._consts = ConstantInference(code)
        return bool(reads)


class InlinedCompiler(CompilerBase):
    """Numba's compiler, with one more pass and another last one."""

    lowering: type = InlinedLowering

    def define_pipelines(self) -> list[Any]:
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        pipeline.passes = [
            (self.lowering, what) if each is NativeLowering else (each, what) for each, what in pipeline.passes
        ]
        pipeline.add_pass_after(KnownFields, InlineClosureLikes)
        pipeline._finalized = False
        pipeline.finalize()
        return [pipeline]


class WholeCompiler(InlinedCompiler):
    """Numba's compiler for an entry."""

    lowering = WholeLowering
