#!/usr/bin/env python3
"""Runs a program as a container of a manifest of deploy/components would run it.

    in_pod.py --manifest FILE --container NAME --endpoint THEIRS=OURS --secrets DIR --scratch DIR [--program PATH] -- [COMMAND...]

The environment is the container's: values as they stand there but for the endpoint, and of each secret the file
DIR/SECRET/KEY. Paths below its mounts lie below the scratch folder, where the files of a ConfigMap of the same manifest
are put. Without a COMMAND it is the program with the container's arguments.
"""

import argparse
import os
import pathlib
import sys

import yaml


def main():
    arguments = parse()
    with open(arguments.manifest) as file:
        documents = list(yaml.safe_load_all(file))
    pod = pod_with(documents, arguments.container)
    container = next(one for one in containers(pod) if one["name"] == arguments.container)
    places = mount(pod, container, documents, arguments.scratch)
    theirs, _, ours = arguments.endpoint.partition("=")

    def here(text):
        for path, place in places.items():
            text = text.replace(path, place)
        return text.replace(theirs, ours)

    environment = {one["name"]: here(value_of(one, arguments.secrets)) for one in container.get("env", [])}
    command = arguments.command or [arguments.program, *map(here, container["args"])]
    os.execvpe(command[0], command, {**os.environ, **environment})


def parse():
    parser = argparse.ArgumentParser()
    for name in ("manifest", "container", "endpoint", "scratch"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--secrets", required=True, type=pathlib.Path)
    parser.add_argument("--program")
    parser.add_argument("command", nargs="*")
    return parser.parse_args()


def pod_with(documents, name):
    """The pod template that has the container, wherever a kind of manifest keeps it."""
    for document in documents:
        for pod in pods(document):
            if any(one["name"] == name for one in containers(pod)):
                return pod
    sys.exit(f"no container {name}")


def pods(node):
    if isinstance(node, dict):
        if "containers" in node or "initContainers" in node:
            yield node
        for child in node.values():
            yield from pods(child)


def containers(pod):
    return pod.get("initContainers", []) + pod.get("containers", [])


def mount(pod, container, documents, scratch):
    """The folder that stands for each mount, with its files in it."""
    volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
    files = {one["metadata"]["name"]: one["data"] for one in documents if one["kind"] == "ConfigMap"}
    places = {}
    for mounted in container.get("volumeMounts", []):
        place = pathlib.Path(scratch, mounted["name"])
        place.mkdir(parents=True, exist_ok=True)
        source = volumes[mounted["name"]].get("configMap")
        for name, content in files[source["name"]].items() if source else ():
            (place / name).write_text(content)
        places[mounted["mountPath"]] = str(place)
    return places


def value_of(variable, secrets):
    if "value" in variable:
        return variable["value"]
    secret = variable["valueFrom"]["secretKeyRef"]
    return (secrets / secret["name"] / secret["key"]).read_text()


main()
