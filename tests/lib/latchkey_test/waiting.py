"""Waiting for another process: asking again until it answers, with an end."""

import time


def wait_until(condition, timeout, what):
    """Returns condition()'s first true value; TimeoutError, naming what was waited for, when there is none in time."""
    give_up = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > give_up:
            raise TimeoutError(f"{what}: not within {timeout:g} s")
        time.sleep(0.01)
