"""The spiking library beside torch: neurons, synapses, plasticity, homeostasis, layers."""
