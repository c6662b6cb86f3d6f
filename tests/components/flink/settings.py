"""The settings of a cluster: those of deploy/components, and those that a cluster on this machine needs besides."""

import json
import re
import socket

# As all of deploy says it.
ENDPOINT = "https://bluebucket.bluebucket.svc.cluster.local"
REGION = "eu-central-1"


def read(path):
    """The flat `key: "value"` lines of a config.yaml."""
    found = {}
    with open(path) as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                key, value = line.split(": ", 1)
                found[key] = json.loads(value)
    return found


def placed(shipped, endpoint, region, scheme):
    """As shipped, with this endpoint and region, and the scheme by which this plugin is named."""

    def value(text):
        return re.sub("^s3://", f"{scheme}://", text).replace(ENDPOINT, endpoint).replace(REGION, region)

    return {key: value(text) for key, text in shipped.items()}


class Place:
    """Addresses, memory and pace of a cluster of three processes on this machine, on ports that were free."""

    def __init__(self, scratch, slots=2, seconds_between_checkpoints=2):
        self.scratch, self.slots, self.seconds_between_checkpoints = scratch, slots, seconds_between_checkpoints
        self.rest, self.rpc, self.zookeeper, *self.quorum = free_ports(5)

    def settings(self):
        local = "127.0.0.1"
        return {
            "jobmanager.rpc.address": local,
            "jobmanager.rpc.port": self.rpc,
            "jobmanager.bind-host": local,
            "rest.address": local,
            "rest.bind-address": local,
            "rest.port": self.rest,
            "rest.bind-port": self.rest,
            "taskmanager.host": local,
            "taskmanager.bind-host": local,
            "taskmanager.numberOfTaskSlots": self.slots,
            "parallelism.default": 2,
            "io.tmp.dirs": f"{self.scratch}/tmp",
            "web.upload.dir": f"{self.scratch}/web",
            # There is no Kubernetes here to hold the pointers.
            "high-availability.type": "zookeeper",
            "high-availability.zookeeper.quorum": f"{local}:{self.zookeeper}",
            "high-availability.cluster-id": "/components",
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": 1000,
            "restart-strategy.fixed-delay.delay": "1 s",
            "heartbeat.interval": 1000,
            "heartbeat.timeout": 20000,
            "heartbeat.rpc-failure-threshold": 2,
            "execution.checkpointing.interval": f"{self.seconds_between_checkpoints} s",
            "execution.checkpointing.timeout": "2 min",
            "execution.checkpointing.tolerable-failed-checkpoints": 100,
            # Small state becomes objects too.
            "execution.checkpointing.data-inline-threshold": "1 kb",
            **memory(),
        }

    def zookeeper_settings(self):
        leader, election = self.quorum
        return {
            "tickTime": 1000,
            "initLimit": 10,
            "syncLimit": 5,
            "clientPort": self.zookeeper,
            "clientPortAddress": "127.0.0.1",
            "dataDir": f"{self.scratch}/zookeeper",
            "admin.enableServer": "false",
            "server.1": f"127.0.0.1:{leader}:{election}",
        }


def memory():
    """What Flink's own start scripts work out. Started without them, a TaskManager wants every figure."""
    sizes = {"framework.heap": 128, "framework.off-heap": 128, "task.heap": 384, "task.off-heap": 64, "managed": 160}
    found = {f"taskmanager.memory.{part}.size": f"{size}m" for part, size in sizes.items()}
    found["taskmanager.memory.jvm-metaspace.size"] = "256m"
    for part in ("network", "jvm-overhead"):
        found[f"taskmanager.memory.{part}.min"] = found[f"taskmanager.memory.{part}.max"] = "64m"
    found["taskmanager.cpu.cores"] = 2.0
    return found


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
