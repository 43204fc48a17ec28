"""Threads that work while a block of a test runs."""

import threading


class Background:
    """A base for whoever asks, writes or watches meanwhile.

        class Watch(Background):
            def __init__(self, server):
                super().__init__(self._work)

            def _work(self):
                while not self.is_over.wait(0.1):
                    ...

    At the block's end the threads are told and awaited, and what one of them has failed with fails the block: a watch that died
    would have seen nothing.
    """

    def __init__(self, *works):
        """`works`: what each thread does."""
        self.is_over = threading.Event()
        self.failure = None
        self._threads = [threading.Thread(target=self._run, args=(work,)) for work in works]

    def _run(self, work):
        try:
            work()
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = self.failure or failure

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        self.is_over.set()
        for thread in self._threads:
            thread.join()
        if self.failure and not kind:
            raise self.failure
