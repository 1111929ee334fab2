"""A trial in the maze of `maze`, compiled: place cells see, neurons fire, the animal walks, and synapses learn."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rstdp_agents.base.compiled import FAST, entry, equation, jit
from rstdp_agents.equations.random_numbers import RESOLUTION, fill_uniform, window_keys
from rstdp_agents.equations.three_factor import weight_step
from rstdp_agents.equations.traces import trace_step
from rstdp_agents.tools.demos.maze import EVERY

FAINT = 0.01
"""mV below which the potential that a place cell leaves is over."""
STEEPEST = 5.0
"""Beyond the threshold, in units of delta_u, where a neuron's rate no longer grows."""


class Moment(NamedTuple):
    """State of an animal within a trial."""

    at: np.ndarray
    """``(2,)``: where it is."""
    fall: np.ndarray
    """``(J,)``: traces of the spikes of place cells; their difference is the potential that they leave."""
    rise: np.ndarray
    seen: np.ndarray
    """``(J,)`` int64: the place cells of which something is left, and how much in ``potential (J,)``."""
    potential: np.ndarray
    idle: np.ndarray
    """``(J,)`` int64: updates since anything was."""
    own: np.ndarray
    """``(K,)``: potential that a neuron's own spikes leave."""
    side_fall: np.ndarray
    """``(A,)``: as fall and rise, of the spikes of other actor neurons."""
    side_rise: np.ndarray
    rate: np.ndarray
    """``(K,)``: spikes to be expected in this ms."""
    fired: np.ndarray
    """``(K,)`` int64: the neurons that fired in this ms."""
    read: np.ndarray
    """``(2,)``: traces of the critics' spikes, slow and fast."""
    act: np.ndarray
    """``(2, 2)``: of the actor's, slow and fast, along x and y."""


@jit(forceinline=True)
def moment(s, p, x, y):
    """The beginning of a trial at x, y, where the value is read as 0 and nothing is eligible."""
    cells, neurons = s.weight.shape
    spikes = p.base * p.critics / 1000.0
    read = np.array((spikes / (1.0 - p.keep_rate), spikes / (1.0 - p.keep_rise)))
    s.slow[:], s.fast[:], s.pairs[:] = 0.0, 0.0, 0.0
    return Moment(
        np.array((x, y)), np.zeros(cells), np.zeros(cells), np.zeros(cells, np.int64), np.zeros(cells),
        np.full(cells, p.forget), np.zeros(neurons), np.zeros(p.actors), np.zeros(p.actors), np.zeros(neurons),
        np.zeros(neurons, np.int64), read, np.zeros((2, 2)),
    )  # fmt: skip


@jit(forceinline=True)
def fade(values, keep):
    """Of ``values (n,)`` a share is left."""
    for k in range(values.shape[0]):
        values[k] *= keep


@jit(forceinline=True)
def see(s, p, b, uniform, runs):
    """Place cells fire, unless the animal eats. Returns of how many something is left, listed in ``b.seen``."""
    many, grid = 0, s.along.shape[0]
    for i in range(grid):
        at_x = p.place * math.exp(-(((b.at[0] - s.along[i]) / p.width) ** 2)) if runs else 0.0
        for k in range(grid):
            j = i * grid + k
            chance = at_x * math.exp(-(((b.at[1] - s.along[k]) / p.width) ** 2)) if at_x > RESOLUTION else 0.0
            fired = 1.0 if uniform[j] < chance else 0.0
            b.rise[j], b.fall[j] = trace_step(b.rise[j], fired, p.keep_s), trace_step(b.fall[j], fired, p.keep_m)
            left = p.epsp * (b.fall[j] - b.rise[j])
            if left > FAINT:
                b.seen[many], b.potential[many], b.idle[j] = j, left, 0
                many += 1
    return many


@jit(forceinline=True)
def depolarise(s, p, b, many, runs):
    """Potentials of all neurons, and the rates at which these make them fire; actor neurons are silent while the animal eats."""
    level = b.rate
    for k in range(level.shape[0]):
        side = k - p.critics
        level[k] = b.own[k] + (p.tonic if side < 0 else p.epsp * (b.side_fall[side] - b.side_rise[side]))
    for i in range(many):
        row, left = s.weight[b.seen[i]], b.potential[i]
        for k in range(level.shape[0]):
            level[k] += row[k] * left
    for k in range(level.shape[0]):
        fires = runs or k < p.critics
        level[k] = p.rho * math.exp(min((level[k] - p.theta) / p.delta_u, STEEPEST)) if fires else 0.0


@jit(forceinline=True)
def fire(s, p, b, uniform):
    """Who fires, listed in ``b.fired``, and what spikes leave behind. Returns how many critic and actor neurons fired."""
    fade(b.own, p.keep_m)
    fade(b.side_fall, p.keep_m)
    fade(b.side_rise, p.keep_s)
    fade(b.act[0], p.keep_act)
    fade(b.act[1], p.keep_act_rise)
    many, critics = 0, 0
    for k in range(b.rate.shape[0]):
        if uniform[k] < b.rate[k] and uniform[k] < 1.0 - math.exp(-b.rate[k]):
            b.fired[many] = k
            many += 1
            b.own[k] += p.after_spike
            if k < p.critics:
                critics += 1
            else:
                turn(s, p, b, k - p.critics)
    b.read[0], b.read[1] = trace_step(b.read[0], critics, p.keep_rate), trace_step(b.read[1], critics, p.keep_rise)
    return critics, many - critics


@jit(forceinline=True)
def turn(s, p, b, k):
    """The k-th actor neuron fires: it pulls in its direction, and excites and inhibits the others."""
    for c in range(2):
        b.act[0, c] += s.direction[k, c]
        b.act[1, c] += s.direction[k, c]
    for other in range(p.actors):
        b.side_fall[other] += s.lateral[k, other]
        b.side_rise[other] += s.lateral[k, other]


@jit(forceinline=True)
def still(b):
    """The bump of the actor is over, and another one may form elsewhere."""
    fade(b.side_fall, 0.0)
    fade(b.side_rise, 0.0)
    fade(b.act[0], 0.0)
    fade(b.act[1], 0.0)


@jit(forceinline=True)
def pair(s, p, b, many, fired):
    """Pairs of what place cells left and the spikes of this ms; of the gradient, less those to be expected."""
    for i in range(many):
        row, left = s.pairs[b.seen[i]], b.potential[i]
        for n in range(fired):
            row[b.fired[n]] += left
        if p.hebbian < 1.0:
            for k in range(row.shape[0]):
                row[k] -= (1.0 - p.hebbian) * b.rate[k] * left


@equation
def crosses(x, y, to_x, to_y, walls):
    """Whether the way from x, y to another place crosses a wall; ``walls (n, 4)``, along the axes."""
    found = False
    for wall in walls:
        if wall[0] == wall[2]:
            found |= (x - wall[0]) * (to_x - wall[0]) <= 0 and wall[1] <= to_y <= wall[3]
        else:
            found |= (y - wall[1]) * (to_y - wall[1]) <= 0 and wall[0] <= to_x <= wall[2]
    return found


@equation
def move(at, step_x, step_y, bounce, walls):
    """Take a step from ``at (2,)``; a wall in the way throws the animal back. Returns whether there was one."""
    hit = crosses(at[0], at[1], at[0] + step_x, at[1] + step_y, walls)
    if hit:
        back = -bounce / math.hypot(step_x, step_y)
        step_x, step_y = back * step_x, back * step_y
    if not (hit and crosses(at[0], at[1], at[0] + step_x, at[1] + step_y, walls)):
        at[0] += step_x
        at[1] += step_y
    return hit


@equation
def td_error(value_tm1, value_t, reward_t, discount, dt):
    """By how much a value was wrong over the last dt ms.

        delta = V(t) - V(t - dt) - discount V(t) dt + r(t)

    reward_t: of these dt ms. discount: 1 / time constant (1/ms). After Frémaux and others (2013).
    """
    return value_t - value_tm1 - discount * value_t * dt + reward_t


@jit(forceinline=True)
def learn(s, p, b, third):
    """The weights after `EVERY` ms, of the cells that have been active of late."""
    for j in range(s.weight.shape[0]):
        if b.idle[j] < p.forget:
            b.idle[j] += 1
            learn_row(s, p, j, 0, p.critics, third * p.lr_critic, -p.w_max)
            learn_row(s, p, j, p.critics, s.weight.shape[1], third * p.lr_actor, 0.0)


@jit(forceinline=True)
def learn_row(s, p, j, begin, end, step, least):
    """The j-th place cell's eligibility and weights on the neurons from begin to end."""
    weight, pairs, slow, fast = s.weight[j], s.pairs[j], s.slow[j], s.fast[j]
    for k in range(begin, end):
        slow[k], fast[k] = trace_step(slow[k], pairs[k], p.keep_slow), trace_step(fast[k], pairs[k], p.keep_fast)
        pairs[k] = 0.0
        weight[k] = weight_step(weight[k], step * p.eligible * (slow[k] - fast[k]), least, p.w_max)


@jit(forceinline=True)
def walk(s, p, b):
    """A step to where the bump of the actor points, which a wall ends. Returns the penalty, and whether the goal is found."""
    step_x, step_y = p.speed * (b.act[0, 0] - b.act[1, 0]), p.speed * (b.act[0, 1] - b.act[1, 1])
    hit = move(b.at, step_x, step_y, p.bounce, s.walls)
    if hit:
        still(b)
    return p.penalty * hit, math.hypot(b.at[0] - p.goal_x, b.at[1] - p.goal_y) < p.near


@jit(forceinline=True)
def value_read(p, b):
    """The value of where the animal is, by the critics' mean rate."""
    return p.value * (p.hertz * (b.read[0] - b.read[1]) - p.base)


@entry(fastmath=FAST)
def trial(s, p, seed, number, x, y, learning, path):
    """Let an animal run from x, y until it finds the goal or time is up. s: `Animal`. p: `Rates`.

    path ``((limit + pause) / EVERY, 4)``: x, y, value and third factor every `EVERY` ms are written to it. Returns the ms that it
    took, and the mean rates of critic and actor (Hz).
    """
    cells = s.weight.shape[0]
    b, uniform = moment(s, p, x, y), np.empty(cells + p.critics + p.actors, np.float32)
    took, food, pain, before, spikes, acted = p.limit, 0.0, 0.0, 0.0, 0, 0
    for t in range(p.limit + p.pause):
        runs = took == p.limit
        if t == (p.limit if runs else took + p.pause):
            break
        fill_uniform(uniform, 0, uniform.shape[0], 0, window_keys(seed, number * (p.limit + p.pause) + t))
        many = see(s, p, b, uniform, runs)
        depolarise(s, p, b, many, runs)
        critics, actors = fire(s, p, b, uniform[cells:])
        if learning:
            pair(s, p, b, many, critics + actors)
        if runs:
            spikes, acted = spikes + critics, acted + actors
            penalty, found = walk(s, p, b)
            pain += penalty
            if found:
                took, food = t, p.reward
        if t % EVERY == EVERY - 1:
            value, reward = value_read(p, b), food * (1.0 - p.keep_food) + pain
            third = td_error(before, value, reward, p.discount, EVERY) if p.third == 0 else reward
            before, food, pain = value, food * p.keep_food, 0.0
            if learning:
                learn(s, p, b, third)
            row = path[t // EVERY]
            row[0], row[1], row[2], row[3] = b.at[0], b.at[1], value, third
    per_second = 1000.0 / max(took, 1)
    return took, spikes * per_second / max(p.critics, 1), acted * per_second / p.actors
