"""The init container of deploy/components/flink-deployment: fetches the job's jar with the AWS CLI, as it is written there."""

import os
import re
import subprocess
import textwrap

from settings import ENDPOINT


def fetch(manifest, aws, endpoint, scratch):
    """Runs the container's command with its environment and configuration file; gives the path of the jar.

    Its key pair comes as INIT_ACCESS_KEY and INIT_SECRET_KEY.
    """
    with open(manifest) as file:
        text = file.read()
    arguments = re.search(r"args: \[(.*)\]", text)[1].split(", ")
    environment = dict(re.findall(r"- \{name: (AWS_\w+), value: \"?([^}\"]*)\"?\}", text.split("\n      containers:\n")[0]))
    configuration = re.search(r"  aws-config: \|\n((?:    .*\n)+)", text)[1]
    environment["AWS_CONFIG_FILE"] = os.path.join(scratch, "aws-config")
    with open(environment["AWS_CONFIG_FILE"], "w") as file:
        file.write(textwrap.dedent(configuration))
    # A name and not an address: the bucket is in the path only because the configuration says so.
    named = endpoint.replace("127.0.0.1", "localhost")
    environment = {name: value.replace(ENDPOINT, named) for name, value in environment.items()}
    environment["AWS_ACCESS_KEY_ID"] = os.environ["INIT_ACCESS_KEY"]
    environment["AWS_SECRET_ACCESS_KEY"] = os.environ["INIT_SECRET_KEY"]
    jar = arguments[-1] = os.path.join(scratch, os.path.basename(arguments[-1]))
    subprocess.run([aws, *arguments], env={**os.environ, **environment}, check=True, timeout=120)
    return jar


def source(manifest, bucket):
    """The key that the container reads."""
    with open(manifest) as file:
        return re.search(rf"args: \[s3, cp, s3://{bucket}/([^,]*),", file.read())[1]
