"""Programs that record other simulators, for tests to hold the rules against; each runs where its simulator is installed."""
