import numpy as np
import pytest
import torch

from rstdp_agents.agent.fused.encoders import GIVEN, code_of
from rstdp_agents.agent.fused.place_cell_grids import compiled
from rstdp_agents.codecs.encoders.base import computable
from rstdp_agents.codecs.encoders.build import build_encoder
from rstdp_agents.codecs.encoders.counted import Counted
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.codecs.observation_layout import Rows
from tests.environments.zoo import OBSERVATIONS
from tests.helpers import compiled_rates


@pytest.mark.parametrize("floor", [0.0, 0.05])
@pytest.mark.parametrize("name", OBSERVATIONS)
def test_compiled_grids_are_those_of_torch(name, floor):
    space = OBSERVATIONS[name]
    encoder = build_encoder(space, EncoderConfig(code="place-cells", floor=floor)).to(
        torch.device("cpu"), torch.float64
    )
    grids = compiled(encoder)
    if name in ("box", "integers", "discrete", "picture", "text", "grid world"):  # not of grids, or not of them alone
        assert grids is None
        return
    space.seed(0)
    obs = Rows(space).array([space.sample() for _ in range(12)])
    obs = obs.reshape(3, 4, *obs.shape[1:])
    expected = encoder.rates(torch.as_tensor(obs, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(grids.rates(obs), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", OBSERVATIONS)
def test_the_default_code_of_any_space_is_that_of_torch(name):
    """Dense rates of torch, and the lists of active inputs that compiled code makes, for all encoders that have them."""
    space = OBSERVATIONS[name]
    encoder = build_encoder(space, EncoderConfig()).to(torch.device("cpu"), torch.float32)
    encoder = encoder.encoder if isinstance(encoder, Counted) else encoder
    space.seed(0)
    obs = computable(Rows(space).array([space.sample() for _ in range(12)]))
    expected = encoder.rates(torch.as_tensor(obs)[None])[0].numpy()
    assert (expected > 0).any(1).all()
    if code_of(encoder).kind == GIVEN:  # compiled grids, see above, or torch itself
        assert name in ("picture", "nothing", "grid world")
    else:
        np.testing.assert_allclose(compiled_rates(encoder, obs), expected, rtol=1e-6)
