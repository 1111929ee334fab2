"""All that a population holds, in one object that compiled code takes in a single argument, and which holds one for each layer.

A, E, K, N, T, W: agents, envs, eligibilities that the rule keeps, inputs of the network that can be active at once, ticks and
`words` of a window. Of a layer, I, S, P, R: its inputs, the sites at which a kernel sees them (1 in a dense layer), its output
neurons at a site, padded to sixteens, and its rows of weights: a row belongs to an input, or to a place in the kernel. All sites
share the weights. In the fields of a `State`, I is that of the first layer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rstdp_agents.base.structs import Known, Struct

TD, TD_SPIKING, REWARD = range(3)
"""`TDError`, `SpikingCritic` and `RewardMinusBaseline` of `agent`, as compiled code tells them apart."""
LIF, ALIF, ADEX, IZHIKEVICH = range(4)
"""Neuron models, likewise."""
USUAL = {
    "dense": False, "of_inputs": True, "carries": False, "forgets": False, "nearest": False, "weighs": False, "is_deep": False,
    "modulator": TD, "spiking": False, "model": LIF, "delays": False, "words": 1,
}  # fmt: skip
"""What holds for most agents. Code for them is compiled with that known, in two thirds of the time; others share code that asks.

Fields of a `State`, a `Layer` and of `lazy_rows.Rows`.
"""
NOW, NEXT = np.int64(0), np.int64(1)
"""Places in the fields of a `State` that list active inputs: of the state acted on, and of the state that came of the action."""
LAYER_FIELDS = {
    "rows": "of each agent, a `lazy_rows.Rows`",
    "dense": "whether most inputs can be active at once; a truth, as are the next five",
    "of_inputs": "whether row i is that of input i of the network, which has a place in the critic",
    "carries": "whether membranes and spike traces go on from window to window",
    "forgets": "whether eligibility lasts for one window, and is what ``bits`` and ``credit`` say",
    "nearest": "whether spikes set traces, and do not add to them",
    "weighs": "whether spike pairs count by their weight",
    "words": "W; a number",
    "homeostasis": "(A,) records of `rate_control.HomeostasisConstants`: of each agent",
    "lr_scale": "learning rate, relative to that of the output layer; a number",
    "taps": "rows that belong to one channel of the input; a number",
    "source": "(R, S) int32: the input that is behind each row at each site; (0, 1) in a dense layer, where row i is input i",
    "feedback": "(A, G, S, P): weight in a neuron's gate of each of the G numbers of the output's; no G where there is none",
    "origin": "(A, R, P): weights that the layer began with, if that before is credited by what has come to them; else no rows",
    "own": "(P,): 1, and 0 of the padding",
    "pending": "(A,) bool: whether a window waits for its eligibility",
    "weight": "(A, R, P)",
    "z": "(A, K, E, R, P); no envs where the layer ``forgets``",
    "rate": "(A, S, P), of homeostasis",
    "offset": "(A, S, P), of homeostasis",
    "credit": "(A, K, E, S, T + 1, P): what an input spike of each tick makes eligible; nothing for tick T",
    "causal": "as ``credit``, what pairs with later output spikes alone; no envs but where ``nearest`` or ``weighs``",
    "post": "(A, E, S, T, P): output spikes",
    "counts": "(A, E, S, P): how many they are",
    "post_count": "(A, C S): output spikes since it was cleared, of C channels, channel after channel",
    "power": "(A, E): sum of the squares of the inputs' numbers of spikes in the window; of the first layer, of those expected",
    "bits": "(A, 1 or 2, E, I, W) uint64: input spikes of this window, of dense rows also of the last; a bit per tick",
    "age": "(A, R) int64, of `dense_rows`; nothing in a sparse code",
    "touched": "(A, R) int16, of `lazy_rows.Rows`, as are the next four",
    "queue": "(A, Q) int32, Q a power of two; nothing of dense rows",
    "queued": "(A, 3) int64",
    "joined": "(A, RING) int64",
    "owed": "(A, K E, RING) float64",
    "v": "(A, E, S, P): membrane potentials after the window, as are the next two; used where they go on",
    "recovery": "(A, E, S, P): the neurons' second variable: ticks for which they stay refractory, or adaptation",
    "y": "(A, E, S, P): postsynaptic traces",
    "x": "(A, 2, E, I): presynaptic traces before the window and after it; nothing where they do not go on",
    "lingering": "(A, K, E, S, P): what a presynaptic trace of 1 before the window makes eligible",
}
"""Of a `Layer`: names and axes of the arrays, all contiguous, float32 where nothing else is said."""
FIELDS = {
    "layers": "as many `Layer` as there are, input to output",
    "first": "the first of them",
    "output": "the last",
    "is_deep": "whether there are several; a truth",
    "kept": "a `looks.Kept`",
    "constants": "(A,) records of `constants.Constants`: of each agent",
    "model": "of neurons, `LIF` or what follows; a number",
    "neuron": "(A,) records of `neurons.NeuronConstants`",
    "rest": "(A, 2): its two variables at rest",
    "counters": "(A, 4) int64: seed, windows drawn, and two numbers of `looks`",
    "per_env": "random numbers that an env takes of its window; a number",
    "kind": "of `encoders.Code`, as are the next six; a number",
    "points": "float64",
    "cells": "int64",
    "scale": "float64",
    "floor": "a number",
    "tilings": "a number",
    "hashed": "a `hashed_tiles.Tiles`",
    "modulator": "`TD`, `TD_SPIKING` or `REWARD`; a number",
    "delays": "whether input spikes arrive late; a truth",
    "delay": "(A, I) uint64, in ticks, of `axons.Axons`; nothing where none arrives late",
    "under_way": "(A, E, I) uint64, likewise",
    "copies": "input neurons of each of the encoder's",
    "late": "(A, T): what is left at the end of a window of the pairs of each tick",
    "terms": "(K, 2) float64: causal and anti-causal amplitude of each eligibility, of the rule",
    "amplitudes": "(K, 2), of a reward switch",
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
    "relayed": "(A, E, N, W) uint64: relay spikes of the active inputs in the window heard last",
    "calcium": "(A, E, Q)",
    "sign": "(Q,): +1 and -1 of its populations, 0 of the padding",
    "r_bar": "(A, 1)",
    "lr": "(A,)",
    "sums": "(A, 3) float64, of `statistics.Statistics`",
    "pre_count": "(A, I): input spikes since it was cleared",
    "trace": "(A, E, I), of the critic",
    "moments": "(A, 3) float64, of `gain.Gain`",
    "index": "(A, 2, E, N) int32: active inputs of the state acted on, and of the state that came of the action",
    "value": "(A, 2, E, N): their rates",
    "many": "(A, 2, E) int64: how many they are",
    "dense": "whether rows of the critic are dense, as those of the first layer are; a truth",
    "fade": "(A, 2, RING + 1) float64",
    "owed_by_critic": "(A, E, RING) float64",
    "felt": "(A, E) float64: the step of the critic's weights",
    "dopamine": "(A, E), of `dopamine.Dopamine`",
    "visits": "(A, I), of `novelty.Novelty`",
    "sharpness": "(A, C + D), of `exploration.Exploration`",
    "sharpening": "(A, C + D): its step sizes",
    "pushes": "(A, E, C + D): its trace",
    "m": "(A, E)",
    "action_rates": "(A, E, actions)",
    "allowed": "(A, E, actions) bool: what may be chosen now, something always",
    "sizes": "(C,) int64: how many values each component of the action has that is chosen",
    "action": "(A, E, C) int64: values chosen, counted from 0",
    "vector": "(A, E, D) float64: continuous components",
    "low": "(D,) float64: their bounds; empty where there are none",
    "high": "(D,) float64",
}
"""Of a `State`, likewise."""


def is_usual(arrays: dict[str, Any]) -> bool:
    """Whether all of `USUAL` holds for the fields ``arrays`` of a state."""
    found = [
        fields[name] == value
        for fields in (arrays, *arrays["layers"])
        for name, value in USUAL.items()
        if name in fields
    ]
    return all(found)


def known_if(usual: bool, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields, those that are `USUAL` as known if an agent is ``usual``."""
    return {name: Known(value) if usual and name in USUAL else value for name, value in fields.items()}


class Layer(Struct):
    """The arrays of `LAYER_FIELDS`, given by name. usual: as of a `State`."""

    def __init__(self, usual: bool, **arrays: Any) -> None:
        super().__init__(**known_if(usual, {name: arrays[name] for name in LAYER_FIELDS}))


class State(Struct):
    """The arrays of `FIELDS`, given by name, those of each layer as a dict; and ``usual``, of `is_usual`."""

    def __init__(self, **arrays: Any) -> None:
        usual = arrays["usual"]
        layers = [Layer(usual, **layer) for layer in arrays["layers"]]
        made = arrays | {"layers": layers, "first": layers[0], "output": layers[-1]}
        super().__init__(**known_if(usual, {name: made[name] for name in FIELDS}))
