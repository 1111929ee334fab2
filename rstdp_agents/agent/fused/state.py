"""All that a population holds, in one object that compiled code takes in a single argument.

A, E, K, I, N, T, O: agents, envs, eligibilities that the rule keeps, inputs, those that can be active at once, ticks, output
neurons; P: O padded to sixteens.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.experimental import structref

FIELDS = {
    "constants": "(A,) records of `constants.Constants`: of each agent",
    "kind": "of `encode.Code`, as are the next six; a number",
    "points": "float64",
    "cells": "int64",
    "scale": "float64",
    "floor": "a number",
    "tilings": "a number",
    "hashed": "a `hashed_tiles.Tiles`",
    "copies": "input neurons of each of the encoder's",
    "late": "(A, T): what is left at the end of a window of the pairs of each tick",
    "terms": "(K, 2) float64: causal and anti-causal amplitude of each eligibility, of the rule",
    "amplitudes": "(K, 2), of a reward switch",
    "weight": "(A, I, P)",
    "rate": "(A, P), of homeostasis",
    "offset": "(A, P), of homeostasis",
    "critic": "(A, I)",
    "synapse": "(A, I, Q): weight of a `SpikingCritic`, as are the next eleven; Q, 0 where there is none: its neurons, of each "
    "population padded to sixteens",
    "tagged": "(A, E, I, Q): trace",
    "potential": "(A, E, Q)",
    "said": "(A, E)",
    "asked": "(A, E): what the weights asked for as it was said",
    "silent": "(A, E) bool",
    "recent": "(A, E) float64",
    "reach": "(A, 1) float64",
    "balance": "(A, 1) float64",
    "relayed": "(A, E, N) uint64: relay spikes of the active inputs in the window heard last",
    "calcium": "(A, E, Q)",
    "sign": "(Q,): +1 and -1 of its populations, 0 of the padding",
    "r_bar": "(A, 1)",
    "lr": "(A,)",
    "sums": "(A, 3) float64, of `statistics.Statistics`",
    "pre_count": "(A, I): input spikes since it was cleared",
    "post_count": "(A, O): output spikes since it was cleared",
    "counters": "(A, 5) int64: seed, windows drawn, whether a window waits for its eligibility, and two numbers of `looks`",
    "z": "(A, K, E, I, P); no envs where eligibility lasts for one window, and is what ``bits`` and ``credit`` say",
    "trace": "(A, E, I), of the critic",
    "moments": "(A, 3) float64, of `gain.Gain`",
    "index": "(A, 2, E, N) int32: active inputs of the state acted on, and of the state that came of the action",
    "value": "(A, 2, E, N): their rates",
    "many": "(A, 2, E) int64: how many they are",
    "power": "(A, E): sum of the squares of the numbers of spikes expected of the input neurons in the window",
    "dense": "whether most inputs can be active at once; a bool",
    "age": "(A, I) int64, of `dense_rows`; nothing in a sparse code",
    "touched": "(A, I) int16, of `lazy_rows.Rows`, as are the next six",
    "queue": "(A, Q) int32, Q a power of two",
    "queued": "(A, 3) int64",
    "joined": "(A, RING) int64",
    "fade": "(A, 2, RING + 1) float64",
    "owed": "(A, K E, RING) float64",
    "owed_by_critic": "(A, E, RING) float64",
    "felt": "(A, E) float64: the step of the critic's weights",
    "dopamine": "(A, E), of `dopamine.Dopamine`",
    "visits": "(A, I), of `novelty.Novelty`",
    "sharpness": "(A, C + D), of `exploration.Exploration`",
    "sharpening": "(A, C + D): its step sizes",
    "pushes": "(A, E, C + D): its trace",
    "carries": "whether membranes and spike traces go on from window to window; a bool",
    "v": "(A, E, P): membrane potentials after the window, as are the next two; used where they go on",
    "pause": "(A, E, P): ticks for which neurons stay refractory",
    "y": "(A, E, P): postsynaptic traces",
    "x": "(A, 2, E, I): presynaptic traces before the window and after it; nothing where they do not go on",
    "lingering": "(A, K, E, P): what a presynaptic trace of 1 before the window makes eligible",
    "bits": "(A, 1 or 2, E, I) uint64: input spikes of this window, of a dense code also of the last; a bit per tick",
    "credit": "(A, K, E, T + 1, P): what an input spike of each tick makes eligible; nothing for tick T",
    "post": "(A, E, T, P): output spikes",
    "m": "(A, E)",
    "action_rates": "(A, E, actions)",
    "allowed": "(A, E, actions) bool: what may be chosen now, something always",
    "sizes": "(C,) int64: how many values each component of the action has that is chosen",
    "action": "(A, E, C) int64: values chosen, counted from 0",
    "vector": "(A, E, D) float64: continuous components",
    "low": "(D,) float64: their bounds; empty where there are none",
    "high": "(D,) float64",
}
"""Names and axes of the arrays, all contiguous, float32 where nothing else is said."""


@structref.register
class StateType(types.StructRef):
    """The type of a `State` in compiled code."""

    def preprocess_fields(self, fields: Any) -> Any:
        return tuple((name, types.unliteral(kind)) for name, kind in fields)


class State(structref.StructRefProxy):
    """The arrays of `FIELDS`, given by name."""

    def __new__(cls, **arrays: Any) -> State:
        return structref.StructRefProxy.__new__(cls, *(arrays[name] for name in FIELDS))


structref.define_proxy(State, StateType, list(FIELDS))
