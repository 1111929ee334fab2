import numpy as np
import pytest
import torch

from rstdp_agents.agent.fused.place_cell_grids import compiled
from rstdp_agents.codecs.encoders.build import build_encoder
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.codecs.observation_layout import Rows
from tests.environments.zoo import OBSERVATIONS


@pytest.mark.parametrize("floor", [0.0, 0.05])
@pytest.mark.parametrize("name", OBSERVATIONS)
def test_compiled_grids_are_those_of_torch(name, floor):
    space = OBSERVATIONS[name]
    encoder = build_encoder(space, EncoderConfig(floor=floor)).to(torch.device("cpu"), torch.float64)
    grids = compiled(encoder)
    if name in ("box", "integers", "discrete", "picture", "text", "grid world"):  # not of grids, or not of them alone
        assert grids is None
        return
    space.seed(0)
    obs = Rows(space).array([space.sample() for _ in range(12)])
    obs = obs.reshape(3, 4, *obs.shape[1:])
    expected = encoder.rates(torch.as_tensor(obs, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(grids.rates(obs), expected, rtol=1e-5, atol=1e-6)
