"""Output spikes to actions, and the credit of each output neuron; `build.build_decoder` picks one from the action space."""

from rstdp_agents.codecs.decoders.softmax import Decoder as Decoder
from rstdp_agents.codecs.decoders.softmax import Gate as Gate
from rstdp_agents.codecs.decoders.softmax import PopulationDecoder as PopulationDecoder
from rstdp_agents.codecs.decoders.softmax import sample as sample
