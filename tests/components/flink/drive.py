"""A life of real Flink with an S3 endpoint: killed, killed again, moved by savepoint and by checkpoint, finished.

The settings are those of deploy/components. Credentials come from the environment, as in the pods. Ends with
`N passed, N failed, N skipped`.
"""

import argparse
import os
import signal
import sys
import time

import settings
from bucket import Bucket, mistakes
from cluster import Cluster
from jobs import Jobs, until

BUCKET = "local-rocksdb-test"
PER_SECOND = 800
SCHEMES = {"hadoop": "s3", "native": "s3", "presto": "s3p"}
# Presto writes no FileSink files: hadoop does it beside it.
PLUGINS = {"hadoop": ["hadoop"], "native": ["native"], "presto": ["presto", "hadoop"]}


def main():
    arguments = parse()
    report = Report()
    try:
        story(arguments, report)
    except Exception as error:  # the story cannot go on, whatever it is
        report.check(f"the story goes on: {type(error).__name__}: {error}", False)
    print(f"{report.passed} passed, {report.failed} failed, 0 skipped")
    sys.exit(report.failed > 0)


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--ca", help="who vouches for the endpoint, over https")
    parser.add_argument("--config", required=True, help="a config.yaml of deploy/components")
    parser.add_argument("--flink", required=True, help="the folder that install/flink made")
    parser.add_argument("--java", required=True)
    parser.add_argument("--plugin", choices=PLUGINS, required=True)
    parser.add_argument("--files", choices=["hold", "roll"], required=True, help="over checkpoints")
    parser.add_argument("--numbers", type=int, default=48_000)
    parser.add_argument("--scratch", required=True, help="an empty folder")
    parser.add_argument("--kill-replica", type=int, help="a process that dies in the middle")
    return parser.parse_args()


class Report:
    def __init__(self):
        self.passed = self.failed = 0
        self.begun = time.monotonic()

    def check(self, name, right):
        self.passed, self.failed = self.passed + bool(right), self.failed + (not right)
        print(f"{'ok  ' if right else 'FAIL'} {time.monotonic() - self.begun:6.1f} s  {name}", flush=True)


def story(arguments, report):
    shipped = settings.read(arguments.config)
    placed = settings.placed(shipped, arguments.endpoint, arguments.region, SCHEMES[arguments.plugin])
    place = settings.Place(arguments.scratch)
    bucket = Bucket(arguments.endpoint, arguments.region, arguments.ca, BUCKET)
    with Cluster(arguments.java, arguments.flink, arguments.scratch, PLUGINS[arguments.plugin], placed, place) as cluster:
        life = Life(arguments, report, cluster, Jobs(place.rest), bucket, shipped)
        life.begin()
        life.lose_task_manager()
        if arguments.kill_replica:
            life.lose_replica()
        life.lose_job_manager()
        life.move_by_savepoint()
        life.move_by_checkpoint()
        life.finish()
    life.judge_files()


class Life:
    def __init__(self, arguments, report, cluster, jobs, bucket, shipped):
        self.arguments, self.report, self.cluster, self.jobs, self.bucket = arguments, report, cluster, jobs, bucket
        self.archive = bucket.key(shipped["jobmanager.archive.fs.dir"])
        self.folder = self.archive.rsplit("/", 1)[0] + "/files"
        self.job, self.ran = None, []

    def begin(self):
        self.wait("two slots", 120, lambda: self.jobs.slots() == 2)
        self.run()
        self.wait("three checkpoints", 120, lambda: self.jobs.completed(self.job) >= 3)
        self.report.check("a job runs and takes checkpoints", True)

    def run(self, state=None):
        # With both plugins loaded s3:// would be either's.
        scheme = "s3a" if self.arguments.plugin == "presto" else "s3"
        folder = f"{scheme}://{BUCKET}/{self.folder}"
        numbers = [folder, self.arguments.numbers, PER_SECOND, self.arguments.files]
        self.job = self.jobs.run(f"{self.arguments.flink}/target/flink-job.jar", numbers, state)
        self.ran.append(self.job)

    def lose_task_manager(self):
        self.cluster.kill("task manager")
        self.cluster.start_task_manager()
        self.wait("restored", 180, lambda: self.jobs.restored(self.job))
        self.more_checkpoints(2)
        self.report.check("a killed TaskManager's work goes on from a checkpoint", True)

    def lose_replica(self):
        os.kill(self.arguments.kill_replica, signal.SIGKILL)
        self.more_checkpoints(3)
        self.report.check("a killed replica of the facade changes nothing", self.jobs.state(self.job) == "RUNNING")

    def lose_job_manager(self):
        self.cluster.kill("job manager")
        self.cluster.start_job_manager()
        self.wait("the job is back", 180, lambda: self.jobs.state(self.job) == "RUNNING")
        self.wait("restored", 60, lambda: self.jobs.restored(self.job))
        self.more_checkpoints(2)
        self.report.check("a new JobManager finds the job and its last checkpoint", True)

    def move_by_savepoint(self):
        order = self.jobs.stop(self.job)
        savepoint = self.wait("a savepoint", 180, lambda: self.jobs.savepoint(self.job, order))
        self.wait("the job has stopped", 120, lambda: self.jobs.state(self.job) == "FINISHED")
        self.report.check("a savepoint is complete", self.bucket.keys(self.bucket.key(savepoint) + "/_metadata"))
        self.run(savepoint)
        self.more_checkpoints(2)
        self.report.check("a job goes on from the savepoint", self.jobs.restored(self.job) == savepoint)

    def move_by_checkpoint(self):
        self.jobs.cancel(self.job)
        self.wait("the job is cancelled", 120, lambda: self.jobs.state(self.job) == "CANCELED")
        checkpoint = self.jobs.last_checkpoint(self.job)
        self.report.check("the last checkpoint is retained", self.bucket.keys(self.bucket.key(checkpoint) + "/_metadata"))
        self.run(checkpoint)
        self.more_checkpoints(2)
        self.report.check("a job goes on from the retained checkpoint", self.jobs.restored(self.job) == checkpoint)

    def finish(self):
        seconds = 120 + 3 * self.arguments.numbers // PER_SECOND
        self.wait("the job is done", seconds, lambda: self.jobs.state(self.job) == "FINISHED")
        self.wait("the archive", 60, self.is_archived)
        self.report.check(f"the archive has the {len(self.ran)} jobs", True)

    def is_archived(self):
        """Under names that differ between versions, but for the id at the end."""
        ends = {key.rsplit("/", 1)[1] for key in self.bucket.keys(self.archive + "/")}
        return ends.issuperset(self.ran)

    def judge_files(self):
        committed, others = self.bucket.files(self.folder + "/")
        lines = (line for key in committed for line in self.bucket.text(key).splitlines())
        found = mistakes(lines, self.arguments.numbers)
        print(f"{len(committed)} files committed, {len(others)} other objects beside them", *found[:10], sep="\n")
        self.report.check(f"each of {self.arguments.numbers} numbers was written and counted once", not found)

    def more_checkpoints(self, count):
        before = self.jobs.completed(self.job)
        self.wait("more checkpoints", 180, lambda: self.jobs.completed(self.job) >= before + count)

    def wait(self, what, seconds, condition):
        try:
            return until(what, seconds, condition, self.cluster.ended)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; the job: {self.jobs.troubles(self.job) if self.job else ''}") from error


main()
