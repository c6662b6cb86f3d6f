"""An AWS CLI of any version, as a program."""

import os
import subprocess


class Cli:
    """The environment is that of the pod, with what is given put over it."""

    def __init__(self, program, endpoint, **environment):
        self.program, self.endpoint = program, endpoint
        self.environment = {**os.environ, "AWS_PAGER": "", "LC_ALL": "C.UTF-8", **environment}

    def version(self):
        return self.run("--version").stdout.decode().split()[0]

    def s3(self, command, *arguments, **more):
        """What it printed."""
        quiet = ["--only-show-errors"] if command in ("cp", "sync", "rm") and "--dryrun" not in arguments else []
        return self.succeed("s3", command, *quiet, *arguments, **more)

    def api(self, operation, *arguments, bucket, key):
        """`aws s3api`, with one value of the answer if the arguments end with a --query."""
        named = ["--bucket", bucket, "--key", key, "--output", "text"]
        return self.succeed("s3api", operation, *named, *arguments).decode().strip()

    def succeed(self, *arguments, **more):
        done = self.run("--endpoint-url", self.endpoint, *arguments, **more)
        if done.returncode:
            raise RuntimeError(f"aws {' '.join(map(str, arguments[:3]))}: {done.stderr.decode().strip()[-500:]}")
        return done.stdout

    def refusal(self, *arguments):
        """What it said when it failed; empty if it did not."""
        done = self.run("--endpoint-url", self.endpoint, *arguments)
        return done.stderr.decode() if done.returncode else ""

    def run(self, *arguments, **more):
        return subprocess.run([self.program, *map(str, arguments)], env=self.environment, capture_output=True, timeout=300, **more)
