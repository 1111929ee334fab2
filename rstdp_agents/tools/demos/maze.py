"""A maze, and the spiking neurons of an animal that learns its way through it in continuous time (Frémaux and others 2013).

Place cells project to critic and actor neurons. The critic's rate is the value of a place; how it changes, with the reward, is
the TD error: the third factor of all synapses. Actor neurons lie on a ring, each for a direction; they excite their neighbours
and inhibit the others, so that a bump of activity forms, which moves the animal. The third factor may also be the reward
itself, as of Vasilaki and others (2009); then there is no critic. `maze_trial` runs them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np

from rstdp_agents.equations.traces import decay

EVERY = 10
"""ms between two updates of the weights."""
FORGOTTEN = 10
"""Time constants of eligibility after which none is left of a silent place cell's."""
ThirdFactor = Literal["td", "reward", "none"]
ENCLOSURE = ((-10, -10, 10, -10), (-10, 10, 10, 10), (-10, -10, -10, 10), (10, -10, 10, 10))
"""From x, y to x, y."""
OBSTACLE = ((-4, -4, -4, 4), (-4, -4, 4, -4), (-4, 4, 4, 4))
"""In the form of a U that is open to the east."""
STARTS = ((-7.0, 0.0), (7.0, 0.0), (0.0, 7.0), (0.0, -7.0))
"""West, east, north, south."""


@dataclass(frozen=True)
class Maze:
    """The experiment; times in ms, rates in Hz, potentials in mV."""

    third: ThirdFactor = "td"
    """What modulates the pairs of spikes: the TD error of the critic, the reward itself, or nothing (then nobody learns)."""
    hebbian: float = 1.0
    """1 for pairs of spikes, 0 for pairs less those to be expected, which is the gradient of the policy."""
    obstacle: bool = True
    """Whether there is one, of the form of `OBSTACLE`."""
    goal: tuple[float, float] = (0.0, 0.0)
    near: float = 1.0
    """Distance from the goal's centre at which it is found."""
    critics: int = 100
    """Neurons whose mean rate is the value."""
    actors: int = 180
    """Neurons for directions all around."""
    grid: int = 13
    """Place cells along each side of a square that is somewhat wider than the enclosure."""
    width: float = 2.0
    """Of a place field."""
    place_rate: float = 400.0
    """Of a place cell at the centre of its field."""
    tau_m: float = 20.0
    """Fall of the potential that a spike leaves, of another neuron's or of its own."""
    tau_s: float = 5.0
    """Rise of that of another's."""
    epsp: float = 20.0
    """Area of the potential that a spike leaves at a synapse of weight 1 (mV ms)."""
    after_spike: float = -15.0
    """Potential that a neuron's own spike leaves."""
    theta: float = 16.0
    """Potential at which a neuron fires at the rate rho."""
    delta_u: float = 2.0
    """By how much more it fires at e times the rate."""
    rho: float = 60.0
    tau_rate: float = 200.0
    """Fall of the critic's rate as it is read after a spike, and of eligibility after a pair."""
    rise_rate: float = 50.0
    """Rise of both."""
    tau_act: float = 50.0
    """Fall of the actor's rates as they are read."""
    rise_act: float = 20.0
    """Rise of these."""
    tau_reward: float = 4000.0
    """Of discounting."""
    value: float = 1.0
    """Value of 1 Hz of the critics' mean rate more than `base`."""
    tonic: float = 15.4
    """Potential of critic neurons without input."""
    base: float = 13.5
    """Rate of critics whose value is 0; without input they fire a little more."""
    bounce: float = 1.0
    """How far a wall throws the animal back; the bump of its actor is over then."""
    speed: float = 2.0
    """Of the animal, per Hz of the vector sum of the actor's mean rate, per s."""
    excite: float = 180.0
    """Sum of the weights of all actor neurons on one, were all for its direction."""
    inhibit: float = -60.0
    """Sum that is added to it, whatever their directions."""
    sharp: float = 8.0
    """How fast excitation falls as directions differ."""
    w_start: float = 0.7
    """Mean weight of place cells on actor neurons; those on critics start at 0."""
    w_sd: float = 0.02
    """Spread of these, as a share of the mean."""
    w_max: float = 1.2
    """Largest weight; the least is minus that of critics, 0 of actors."""
    lr_critic: float = 2.5e-5
    """Change of a weight per unit of third factor and of eligibility (mV / s)."""
    lr_actor: float = 6e-5
    """As of critics."""
    reward: float = 12.0
    """Of the goal."""
    tau_eat: float = 200.0
    """In which the reward comes, once the goal is found."""
    penalty: float = -1.0
    """Of running into a wall."""
    tau_eligible: float = 5000.0
    """Of eligibility where the third factor is the reward itself."""
    limit: int = 50_000
    """ms after which a trial is broken off."""
    pause: int = 2000
    """ms after a trial, in which no place cell fires, and the reward is eaten."""


class Animal(NamedTuple):
    """What an animal keeps from trial to trial; J place cells, C critic neurons and A actor neurons, K = C + A in this order."""

    weight: np.ndarray
    """``(J, K)``"""
    pairs: np.ndarray
    """``(J, K)``: since the last update."""
    slow: np.ndarray
    """``(J, K)``: eligibility, slow part, and what of it has yet to rise."""
    fast: np.ndarray
    along: np.ndarray
    """``(sqrt J,)``: centres of the place fields along x, and along y."""
    lateral: np.ndarray
    """``(A, A)``: weights of actor neurons on each other, symmetric."""
    direction: np.ndarray
    """``(A, 2)``: in which each of them moves the animal."""
    walls: np.ndarray
    """``(n, 4)``"""


def animal(p: Maze, seed: int) -> Animal:
    """An animal that has never been in the maze."""
    random = np.random.default_rng(seed)
    angle = 2 * np.pi * np.arange(p.actors) / p.actors
    near = np.exp(p.sharp * (np.cos(angle[:, None] - angle) - 1.0))
    lateral = (p.inhibit + p.excite * near) / p.actors
    np.fill_diagonal(lateral, 0.0)
    weight = np.zeros((p.grid**2, p.critics + p.actors))
    weight[:, p.critics :] = p.w_start * (1.0 + p.w_sd * random.standard_normal((p.grid**2, p.actors)))
    pairs, slow, fast = (np.zeros_like(weight) for _ in range(3))
    return Animal(
        np.maximum(weight, 0.0), pairs, slow, fast, np.linspace(-12.0, 12.0, p.grid), lateral,
        np.stack((np.cos(angle), np.sin(angle)), 1), np.array(ENCLOSURE + OBSTACLE * p.obstacle, np.float64),
    )  # fmt: skip


class Rates(NamedTuple):
    """What compiled code computes with of a `Maze`, per ms."""

    third: int
    hebbian: float
    goal_x: float
    goal_y: float
    near: float
    critics: int
    actors: int
    width: float
    place: float
    keep_m: float
    keep_s: float
    epsp: float
    after_spike: float
    theta: float
    delta_u: float
    rho: float
    keep_rate: float
    keep_rise: float
    hertz: float
    """Rate as it is read (Hz), per spike of all critics and `keep_rate` less `keep_rise`."""
    keep_slow: float
    """Over `EVERY` ms, as the next."""
    keep_fast: float
    eligible: float
    forget: int
    """Updates after which a silent cell's eligibility is over."""
    keep_act: float
    keep_act_rise: float
    discount: float
    """1 / time constant."""
    value: float
    tonic: float
    base: float
    bounce: float
    speed: float
    """Of the animal per ms, per spike of any actor and `keep_act` less `keep_act_rise`."""
    w_max: float
    lr_critic: float
    lr_actor: float
    reward: float
    keep_food: float
    penalty: float
    limit: int
    pause: int


def rates(p: Maze) -> Rates:
    """The constants of an experiment."""
    slow = p.tau_eligible if p.third == "reward" else p.tau_rate
    return Rates(
        get_args(ThirdFactor).index(p.third), p.hebbian, *p.goal, p.near, p.critics, p.actors, p.width, p.place_rate / 1000.0,
        decay(p.tau_m, 1.0), decay(p.tau_s, 1.0), p.epsp / (p.tau_m - p.tau_s), p.after_spike, p.theta, p.delta_u, p.rho / 1000.0,
        decay(p.tau_rate, 1.0), decay(p.rise_rate, 1.0), 1000.0 / (max(p.critics, 1) * (p.tau_rate - p.rise_rate)),
        decay(slow, EVERY), decay(p.rise_rate, EVERY), 1000.0 / (slow - p.rise_rate), math.ceil(FORGOTTEN * slow / EVERY),
        decay(p.tau_act, 1.0), decay(p.rise_act, 1.0), 1.0 / p.tau_reward, p.value, p.tonic,
        p.base if p.critics else 0.0, p.bounce, p.speed / (p.actors * (p.tau_act - p.rise_act)), p.w_max,
        p.lr_critic, p.lr_actor, p.reward, decay(p.tau_eat, EVERY), p.penalty, p.limit, p.pause,
    )  # fmt: skip
