#!/usr/bin/env python3
"""A layer-4 balancer, as a Kubernetes Service is one: each new connection goes to the next replica that takes it.

    balancer.py [--log FILE] HOST:PORT...     prints its port on the first line

Connections stay where they are; those of a replica that dies end with it. The log has a line per connection: where it
went.
"""

import argparse
import asyncio
import os

PIECE = 64 << 10


class Balancer:
    def __init__(self, replicas, log):
        self.replicas, self.log, self.turn = [one.rsplit(":", 1) for one in replicas], log, 0

    async def serve(self, client, to_client):
        taken = await self.next_replica()
        if taken is None:
            to_client.transport.abort()
            return
        replica, to_replica = taken
        await asyncio.gather(forward(client, to_replica), forward(replica, to_client))
        to_replica.close()
        to_client.close()

    async def next_replica(self):
        """Streams to a replica that accepts; each is tried once."""
        for _ in self.replicas:
            host, port = self.replicas[self.turn % len(self.replicas)]
            self.turn += 1
            try:
                streams = await asyncio.open_connection(host, port)
            except OSError:
                continue
            print(f"{host}:{port}", file=self.log, flush=True)
            return streams
        return None


async def forward(reader, writer):
    try:
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", default=os.devnull)
    parser.add_argument("replicas", nargs="+")
    arguments = parser.parse_args()
    with open(arguments.log, "a") as log:
        server = await asyncio.start_server(Balancer(arguments.replicas, log).serve, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


asyncio.run(main())
