"""Real Flink as processes of this machine: ZooKeeper, a JobManager and a TaskManager, killed and started at will."""

import json
import os
import pathlib
import signal
import subprocess

MAIN = "org.apache.flink.runtime"
# What Flink's start scripts open of Java 17.
OPENED = (
    "java.lang java.net java.io java.nio sun.nio.ch java.lang.reflect java.text java.time java.util "
    "java.util.concurrent java.util.concurrent.atomic java.util.concurrent.locks"
).split()
EXPORTED = ("java.base/sun.net.util", "java.security.jgss/sun.security.krb5")


class Cluster:
    """The processes, by name. Leaving its context ends them all."""

    def __init__(self, java, home, scratch, plugins, settings, place):
        self.java, self.home, self.scratch = java, pathlib.Path(home), pathlib.Path(scratch)
        self.running, self.starts = {}, 0
        for folder in ("tmp", "web", "zookeeper", "conf"):
            (self.scratch / folder).mkdir(parents=True)
        self.link(plugins)
        # A flat YAML file whose values are JSON.
        lines(self.scratch / "conf/config.yaml", ": ", {**settings, **place.settings()}, json.dumps)
        lines(self.scratch / "conf/zoo.cfg", "=", place.zookeeper_settings(), str)

    def __enter__(self):
        self.start("zookeeper", 128, f"{MAIN}.zookeeper.FlinkZooKeeperQuorumPeer", "--zkConfigFile",
                   self.scratch / "conf/zoo.cfg", "--peerId", "1")
        self.start_job_manager()
        self.start_task_manager()
        return self

    def __exit__(self, *_):
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(8)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start_job_manager(self):
        self.start("job manager", 640, f"{MAIN}.entrypoint.StandaloneSessionClusterEntrypoint", "--configDir",
                   self.scratch / "conf", "--host", "127.0.0.1")

    def start_task_manager(self):
        self.start("task manager", 640, f"{MAIN}.taskexecutor.TaskManagerRunner", "--configDir", self.scratch / "conf")

    def kill(self, name):
        """With SIGKILL: it says goodbye to nobody."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def ended(self):
        """Names of processes that ended by themselves."""
        return [name for name, process in self.running.items() if process.poll() is not None]

    def link(self, plugins):
        for plugin in plugins:
            [jar] = (self.home / "plugins").glob(f"flink-s3-fs-{plugin}-*.jar")
            folder = self.scratch / "plugins" / plugin
            folder.mkdir(parents=True)
            (folder / jar.name).symlink_to(jar)

    def start(self, name, heap, main, *arguments):
        self.starts += 1
        opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED]
        exported = [f"--add-exports={package}=ALL-UNNAMED" for package in EXPORTED]
        environment = {**os.environ, "FLINK_PLUGINS_DIR": str(self.scratch / "plugins"),
                       "FLINK_CONF_DIR": str(self.scratch / "conf")}
        command = [self.java, f"-Xmx{heap}m", *opened, *exported, "-Dorg.slf4j.simpleLogger.showDateTime=true", "-cp",
                   f"{self.home}/target/dependency/*", main, *map(str, arguments)]
        with open(self.scratch / f"{self.starts}-{name.replace(' ', '-')}.log", "w") as log:
            self.running[name] = subprocess.Popen(command, env=environment, stdout=log, stderr=log)


def lines(path, between, entries, written):
    path.write_text("".join(f"{key}{between}{written(value)}\n" for key, value in entries.items()))
