"""What a page's own scripts take of the processor, task by task, as Chromium traces it. What other programs do on the machine meanwhile,
and what the browser itself does to lay a page out and paint it, is not in it."""

import json

_CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel", "v8"]
# The browser's words for: it runs a script, or goes on with one. What is around them, as the dispatch of an event, has its own work in it.
_SCRIPT = {"FunctionCall", "EvaluateScript", "RunMicrotasks", "v8.callFunction"}
_TASK = {"RunTask", "ThreadControllerImpl::RunTask"}


class ScriptTime:
    """
        with ScriptTime(browser, page) as time:
            ...
        max(time.tasks_ms)
    """

    def __init__(self, browser, page):
        self._browser, self._page = browser, page
        self.tasks_ms = []

    def __enter__(self):
        self._browser.start_tracing(page=self._page, categories=_CATEGORIES)
        return self

    def __exit__(self, *_):
        events = json.loads(self._browser.stop_tracing())["traceEvents"]
        self.tasks_ms = tasks_of(events)


def tasks_of(events):
    """Milliseconds of the processor, of each task that runs scripts, on the thread that runs most of them."""
    spans = [event for event in events if event.get("ph") == "X" and "tdur" in event]
    threads = {}
    for span in spans:
        threads.setdefault((span["pid"], span["tid"]), []).append(span)
    busiest = max(threads.values(), key=lambda thread: sum(span["tdur"] for span in thread if span["name"] in _SCRIPT))
    tasks, end_of_task, end_of_script = [], 0, 0
    for span in sorted(busiest, key=lambda span: (span["ts"], -span.get("dur", 0))):
        if span["name"] in _TASK and span["ts"] >= end_of_task:
            end_of_task = span["ts"] + span.get("dur", 0)
            tasks.append(0)
        elif span["name"] in _SCRIPT and span["ts"] >= end_of_script and tasks:
            end_of_script = span["ts"] + span.get("dur", 0)
            tasks[-1] += span["tdur"] / 1000
    return [task for task in tasks if task > 0]
