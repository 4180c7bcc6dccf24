"""A client in a process of its own: posts bodies at a rate and prints what came back.

Reads one JSON object from standard input, `{"url", "bodies", "rate"}`, and prints one: for each body the time it
left [s, the machine's monotonic clock], how long its answer took [s], its status. With `"fresh": true` each body
has a connection of its own, which counts, and one that breaks has the status 0.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from queue import Empty, SimpleQueue
from urllib.parse import urlparse

CONNECTIONS = 8


def main() -> None:
    job = json.load(sys.stdin)
    url = urlparse(job["url"])
    waiting: SimpleQueue[tuple[int, float, str]] = SimpleQueue()
    results: list[tuple[float, float, int]] = [(0.0, 0.0, 0)] * len(job["bodies"])
    begin, fresh = time.monotonic() + 0.2, bool(job.get("fresh"))
    for number, body in enumerate(job["bodies"]):
        waiting.put((number, begin + number / job["rate"], body))

    def send() -> None:
        connection = http.client.HTTPConnection(url.hostname or "", url.port)
        while True:
            try:
                number, due, body = waiting.get_nowait()
            except Empty:
                return
            time.sleep(max(due - time.monotonic(), 0))
            left, status = time.monotonic(), 0
            if fresh:
                connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
            try:
                connection.request("POST", url.path, body, {"Content-Type": "text/plain"})
                answer = connection.getresponse()
                answer.read()
                status = answer.status
            except OSError:
                if not fresh:
                    raise
            results[number] = (left, time.monotonic() - left, status)
            if fresh:
                connection.close()

    threads = [threading.Thread(target=send) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
