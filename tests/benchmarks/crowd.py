"""A hostile crowd in a process of its own: sockets that dribble, and wrong secrets at a rate.

Arguments: host, port, slow sockets at a time, wrong secrets a minute. Prints a line once it stands; ends when a
line comes in, and prints how many wrong secrets it sent, how many sockets it opened, and how many answers came.
"""

from __future__ import annotations

import asyncio
import sys

HEAD = b"POST /webhook/guess HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n"
WRONG = b"POST /webhook/guess-%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
DRIBBLE_S = 0.4


class Crowd:
    def __init__(self, host: str, port: int) -> None:
        self._place = host, port
        self.wrong = self.opened = self.answered = 0

    async def dribble(self) -> None:
        """Send a header a letter at a time, over and over; when it is thrown out, come again."""
        while True:
            try:
                _, writer = await asyncio.open_connection(*self._place)
            except OSError:
                await asyncio.sleep(DRIBBLE_S)
                continue
            self.opened += 1
            try:
                for letter in HEAD:
                    writer.write(bytes([letter]))
                    await writer.drain()
                    await asyncio.sleep(DRIBBLE_S)
            except OSError:
                pass
            finally:
                writer.transport.abort()
            await asyncio.sleep(DRIBBLE_S)

    async def guess(self, per_minute: int) -> None:
        """Send wrong secrets at a rate, each on a connection of its own."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        tasks: set[asyncio.Task[None]] = set()
        while True:
            due = int((loop.time() - begun) * per_minute / 60)
            while self.wrong < due:
                task = loop.create_task(self._guess(self.wrong))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                self.wrong += 1
            await asyncio.sleep(0.01)

    async def _guess(self, number: int) -> None:
        try:
            reader, writer = await asyncio.open_connection(*self._place)
            writer.write(WRONG % number)
            said = await asyncio.wait_for(reader.read(), 10)
            self.answered += said[9:12] in (b"401", b"429")
            writer.close()
        except (OSError, TimeoutError):
            pass


async def main(host: str, port: int, sockets: int, per_minute: int) -> None:
    crowd = Crowd(host, port)
    tasks = [asyncio.create_task(crowd.dribble()) for _ in range(sockets)]
    tasks.append(asyncio.create_task(crowd.guess(per_minute)))
    async with asyncio.timeout(30):
        while crowd.opened < sockets:  # noqa: ASYNC110 (nothing else tells)
            await asyncio.sleep(0.05)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    print(crowd.wrong, crowd.opened, crowd.answered, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
