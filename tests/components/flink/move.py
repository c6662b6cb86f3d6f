"""Jobs of real Flink that move with their store: stopped on one S3 endpoint, gone on with on another by a new cluster.

    move.py begin    three jobs are begun, and each is stopped in another way
    move.py go-on    they are begun again with what the first step noted in the handover

    checkpoint   ends its files at each checkpoint; cancelled, and begun again from the retained checkpoint
    savepoint    held files open until it was to be moved, then ends them at each checkpoint; stopped with a savepoint
    held         holds files open over the move: it must fail, as the uploads of those files stay behind

The settings are those of deploy/components. Credentials come from the environment, as in the pods. Ends with
`N passed, N failed, N skipped`.
"""

import argparse
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import settings
import verdict
from bucket import Bucket, mistakes
from cluster import Cluster
from jobs import Jobs, until

BUCKET = "local-rocksdb-test"
PER_SECOND = 500
# The last one comes to its end, where the open upload is needed, soon after the move.
NUMBERS = {"checkpoint": 60_000, "savepoint": 60_000, "held": 20_000}


def main():
    arguments = parse()
    shipped = settings.read(arguments.config)
    placed = settings.placed(shipped, arguments.endpoint, arguments.region, "s3")
    # Jobs of two slots each. A job that is cancelled between checkpoints has committed the files of the last one.
    place = settings.Place(arguments.scratch, slots=6, seconds_between_checkpoints=4)
    bucket = Bucket(arguments.endpoint, arguments.region, None, BUCKET)
    folder = bucket.key(shipped["jobmanager.archive.fs.dir"]).rsplit("/", 1)[0] + "/moved"
    with Cluster(arguments.java, arguments.flink, arguments.scratch, ["hadoop"], placed, place) as cluster:
        session = Session(cluster, Jobs(place.rest), bucket, folder, f"{arguments.flink}/target/flink-job.jar")
        session.wait("six slots", 120, lambda: session.jobs.slots() == 6)
        if arguments.step == "begin":
            arguments.handover.write_text(json.dumps(begin(session)))
        else:
            go_on(session, json.loads(arguments.handover.read_text()))


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["begin", "go-on"])
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--config", required=True, help="a config.yaml of deploy/components")
    parser.add_argument("--flink", required=True, help="the folder that install/flink made")
    parser.add_argument("--java", required=True)
    parser.add_argument("--scratch", required=True, help="an empty folder")
    parser.add_argument("--handover", required=True, type=pathlib.Path, help="a file")
    return parser.parse_args()


def begin(session):
    """Gives the places of the state of each job."""
    for name, files in {"checkpoint": "roll", "savepoint": "hold", "held": "hold"}.items():
        session.run(name, files)
    session.more_checkpoints("held", 1)
    left = {"held": session.stop("held")}
    verdict.check("a savepoint leaves uploads of held files open", session.open_uploads("held"))
    end_held_files(session)
    left["savepoint"] = session.stop("savepoint")
    verdict.equal("nothing of a job that ends its files is open", session.open_uploads("savepoint"), [])
    left["checkpoint"] = session.cancel("checkpoint")
    return left


def end_held_files(session):
    """The policy is no part of the state: the same job with another one goes on from its savepoint."""
    savepoint = session.stop("savepoint")
    session.run("savepoint", "roll", savepoint)
    session.more_checkpoints("savepoint", 1)
    verdict.equal("a job that held its files goes on with a policy that ends them", session.restored("savepoint"), savepoint)


def go_on(session, left):
    for name, files in {"held": "hold", "checkpoint": "roll", "savepoint": "roll"}.items():
        session.run(name, files, left[name])
    for name in ("checkpoint", "savepoint"):
        session.more_checkpoints(name, 1)
        verdict.equal(f"{name}: the job goes on from it", session.restored(name), left[name])
    fail_loudly(session)
    for name in ("checkpoint", "savepoint"):
        session.finish(name)
        judge_files(session, name)
        verdict.equal(f"{name}: no other failure", session.failures(name), [])


def fail_loudly(session):
    """Again and again, with the reason, and without a file that looks complete."""
    session.wait("a second failure of the held job", 120, lambda: len(session.failures("held")) > 1)
    for trace in session.failures("held"):
        verdict.check("held: the reason is NoSuchUpload", "NoSuchUpload" in trace, trace[:2000])
    session.jobs.cancel(session.running["held"])
    session.await_state("held", "CANCELED")
    committed, _ = session.files("held")
    verdict.equal("held: no file was committed", committed, [])


def judge_files(session, name):
    committed, others = session.files(name)
    lines = (line for key in committed for line in session.bucket.text(key).splitlines())
    found = mistakes(lines, NUMBERS[name])
    print(f"{name}: {NUMBERS[name]} numbers, {len(committed)} files committed, {len(others)} other objects beside them")
    verdict.equal(f"{name}: each number was written and counted once", found, [])


class Session:
    """A session cluster with jobs that have names, each with a folder of its own."""

    def __init__(self, cluster, jobs, bucket, folder, jar):
        self.cluster, self.jobs, self.bucket, self.folder, self.jar = cluster, jobs, bucket, folder, jar
        self.running = {}

    def run(self, name, files, state=None):
        numbers = [f"s3://{BUCKET}/{self.folder}/{name}", NUMBERS[name], PER_SECOND, files]
        self.running[name] = self.jobs.run(self.jar, numbers, state)

    def stop(self, name):
        """With a savepoint; gives its place."""
        job = self.running[name]
        order = self.jobs.stop(job)
        savepoint = self.wait("a savepoint", 120, lambda: self.jobs.savepoint(job, order))
        self.await_state(name, "FINISHED")
        return savepoint

    def cancel(self, name):
        """Shortly after a checkpoint, when the files that it names are committed; gives the checkpoint's place."""
        self.more_checkpoints(name, 2)
        time.sleep(1)
        self.jobs.cancel(self.running[name])
        self.await_state(name, "CANCELED")
        return self.jobs.last_checkpoint(self.running[name])

    def finish(self, name):
        self.await_state(name, "FINISHED", 120 + NUMBERS[name] // PER_SECOND)

    def restored(self, name):
        return self.jobs.restored(self.running[name])

    def failures(self, name):
        return self.jobs.failures(self.running[name])

    def open_uploads(self, name):
        return self.bucket.open_uploads(f"{self.folder}/{name}/")

    def files(self, name):
        return self.bucket.files(f"{self.folder}/{name}/")

    def more_checkpoints(self, name, count):
        job = self.running[name]
        before = self.jobs.completed(job)
        self.wait(f"more checkpoints of {name}", 120, lambda: self.jobs.completed(job) >= before + count)

    def await_state(self, name, state, seconds=120):
        self.wait(f"{name} is {state}", seconds, lambda: self.jobs.state(self.running[name]) == state)

    def wait(self, what, seconds, condition):
        try:
            return until(what, seconds, condition, self.cluster.ended)
        except TimeoutError as error:
            troubles = {name: self.jobs.troubles(job) for name, job in self.running.items()}
            raise TimeoutError(f"{error}; the jobs: {troubles}") from error


verdict.run(main)
