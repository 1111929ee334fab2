"""Observations to firing rates, and rates to spikes.

An encoder maps observations ``(agents, envs, *obs)`` to relative rates ``(agents, envs, pre)`` in [0, 1], in which the most
active neuron of each observation has rate 1. `build.build_encoder` picks one from the observation space.
"""

from rstdp_agents.codecs.encoders.base import Encoder as Encoder
from rstdp_agents.codecs.encoders.base import bernoulli as bernoulli
from rstdp_agents.codecs.encoders.populations import Intensity as Intensity
from rstdp_agents.codecs.encoders.populations import OneHot as OneHot
from rstdp_agents.codecs.encoders.populations import PlaceCells as PlaceCells
