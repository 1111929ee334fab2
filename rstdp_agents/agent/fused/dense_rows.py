"""Rows of a dense code, most of whose inputs can be active at once: every step goes through all that have something to learn.

Which these are is a number of steps for each input, its ``age``, counted down from the moment at which it was active last.
"""

from __future__ import annotations

from numba import uint64

from rstdp_agents.base.compiled import jit


@jit(forceinline=True)
def lay_aside(s, a):
    """Make room for the input spikes of the next window of agent a; those of the last are kept beside them."""
    s.bits[a, 1] = s.bits[a, 0]
    s.bits[a, 0] = uint64(0)


@jit(forceinline=True)
def remain(s, a, lifetime):
    """The active inputs of agent a have something to learn for another ``lifetime`` steps."""
    age = s.age[a]
    for e in range(s.many.shape[2]):
        for i in s.index[a, 0, e, : s.many[a, 0, e]]:
            age[i] = lifetime


@jit(forceinline=True)
def retire(s, a, all_done, lifetime):
    """Let inputs of agent a forget, after a step, what they had eligible ``lifetime`` steps ago.

    Where all episodes have ended, nothing is eligible any more: all have nothing to learn but what is active now.
    """
    age = s.age[a]
    for i in range(age.shape[0]):
        if age[i] == 0 or (age[i] == lifetime and all_done):
            continue
        age[i] = 0 if all_done else age[i] - 1
        if age[i] == 0:
            s.bits[a, 1, :, i] = uint64(0)
            s.z[a, :, :, i] = 0.0
            s.trace[a, :, i] = 0.0
            s.tagged[a, :, i] = 0.0
