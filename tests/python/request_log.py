#!/usr/bin/env python3
"""Stands between a client and an HTTP/1.1 server, passes everything on as it is, and notes every request.

    request_log.py --to HOST:PORT --log FILE.ndjson [--rate BYTES]     prints its port on the first line

With a rate, bodies of answers pass at so many bytes per second, all connections together.

One line per request, written when it is over: method, target, range; sent and received, the bytes of both bodies that
passed; status, or null if no answer came; whole, whether the answer came to its end; began and ended, seconds of one
clock for all processes of this machine.
"""
import argparse
import asyncio
import json
import time

PIECE = 64 << 10
CLOSING = (asyncio.IncompleteReadError, ConnectionError, TimeoutError)


class Relay:
    def __init__(self, options):
        self.to, self.log = options.to.rsplit(":", 1), open(options.log, "a", buffering=1)
        self.rate, self.free_at = options.rate, 0.0

    async def serve(self, client, answers):
        """One connection of the client, with one of its own to the server."""
        try:
            server, requests = await asyncio.open_connection(*self.to, limit=PIECE)
        except OSError:
            answers.close()
            return
        waiting, begun = asyncio.Queue(), []
        tasks = [
            asyncio.create_task(self.pass_requests(client, requests, waiting, begun)),
            asyncio.create_task(self.pass_answers(server, answers, waiting, begun)),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for exchange in begun:
            self.note(exchange)
        requests.close()
        answers.close()

    async def pass_requests(self, client, requests, waiting, begun):
        while True:
            try:
                head = await client.readuntil(b"\r\n\r\n")
            except CLOSING:
                return
            first, headers = parsed(head)
            method, target, _ = first.split(" ", 2)
            exchange = {
                "method": method, "target": target, "range": headers.get("range"), "sent": 0, "received": 0, "status": None,
                "whole": False, "began": time.monotonic(), "ended": None,
            }
            begun.append(exchange)
            waiting.put_nowait(exchange)
            requests.write(head)
            await pass_body(client, requests, headers, exchange, "sent", free, open_ended=False)

    async def pass_answers(self, server, answers, waiting, begun):
        while True:
            try:
                head = await server.readuntil(b"\r\n\r\n")
            except CLOSING:
                return
            first, headers = parsed(head)
            status = int(first.split(" ")[1])
            answers.write(head)
            if status < 200:
                await answers.drain()
                continue
            exchange = await waiting.get()
            exchange["status"] = status
            bodiless = exchange["method"] == "HEAD" or status in (204, 304)
            await pass_body(server, answers, {"content-length": "0"} if bodiless else headers, exchange, "received", self.turn, open_ended=True)
            exchange["whole"] = True
            begun.remove(exchange)
            self.note(exchange)

    async def turn(self, length):
        """Waits until so many bytes may pass."""
        if self.rate:
            self.free_at = max(self.free_at, time.monotonic()) + length / self.rate
            await asyncio.sleep(self.free_at - time.monotonic())

    def note(self, exchange):
        exchange["ended"] = time.monotonic()
        self.log.write(json.dumps(exchange) + "\n")


def parsed(head):
    first, *lines = head.decode("latin-1").split("\r\n")
    return first, {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}


async def free(length):
    """Lets everything pass."""


async def pass_body(source, sink, headers, exchange, count, turn, open_ended):
    if headers.get("transfer-encoding", "").lower() == "chunked":
        await pass_chunks(source, sink, exchange, count, turn)
    elif "content-length" in headers or not open_ended:
        await pass_bytes(source, sink, int(headers.get("content-length", 0)), exchange, count, turn)
    else:
        while piece := await source.read(PIECE):
            exchange[count] += len(piece)
            sink.write(piece)
            await sink.drain()
    await sink.drain()


async def pass_chunks(source, sink, exchange, count, turn):
    while True:
        line = await source.readuntil(b"\r\n")
        sink.write(line)
        length = int(line.split(b";")[0], 16)
        if length == 0:
            break
        await pass_bytes(source, sink, length, exchange, count, turn)
        sink.write(await source.readexactly(2))
    while line != b"\r\n":
        line = await source.readuntil(b"\r\n")
        sink.write(line)


async def pass_bytes(source, sink, left, exchange, count, turn):
    while left:
        piece = await source.read(min(left, PIECE))
        if not piece:
            raise ConnectionResetError
        left -= len(piece)
        await turn(len(piece))
        exchange[count] += len(piece)
        sink.write(piece)
        await sink.drain()


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", required=True, metavar="HOST:PORT")
    parser.add_argument("--log", required=True)
    parser.add_argument("--rate", type=int, default=0)
    options = parser.parse_args()
    server = await asyncio.start_server(Relay(options).serve, "127.0.0.1", 0, limit=PIECE)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
