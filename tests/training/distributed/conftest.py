import signal

import pytest


@pytest.fixture(autouse=True, scope="module")
def handlers():
    """Ray leaves handlers of signals behind, which the tests of other modules would meet."""
    numbers = signal.SIGINT, signal.SIGTERM, signal.SIGUSR1
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)
