"""Past one process: the envs of an agent over the ranks of a process group, the agents of a population over a cluster."""
