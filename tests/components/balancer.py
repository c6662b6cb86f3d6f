"""A layer-4 balancer as a Service of Kubernetes is one: new connections go round the addresses that accept them.

Arguments: HOST:PORT of each. Prints its own port. An address that refuses is passed over, connections that are open
break with their replica.
"""

import asyncio
import itertools
import sys


async def main():
    turns = itertools.cycle([address.split(":") for address in sys.argv[1:]])
    server = await asyncio.start_server(lambda *client: serve(turns, *client), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def serve(turns, reader, writer):
    replica = await connect(turns)
    if replica is None:
        writer.transport.abort()
        return
    await asyncio.gather(pass_on(reader, replica[1]), pass_on(replica[0], writer))
    replica[1].close()
    writer.close()


async def connect(turns):
    for _ in sys.argv[1:]:
        host, port = next(turns)
        try:
            return await asyncio.open_connection(host, int(port))
        except OSError:
            continue
    return None


async def pass_on(reader, writer):
    try:
        while piece := await reader.read(1 << 16):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()


asyncio.run(main())
