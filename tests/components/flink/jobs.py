"""The REST API of a JobManager, as far as the story needs it."""

import json
import time
import urllib.request
import uuid


class Jobs:
    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"

    def slots(self):
        return sum(one["slotsNumber"] for one in self.get("/taskmanagers")["taskmanagers"])

    def run(self, jar, arguments, state=None):
        """Uploads the jar and starts its job, from a savepoint or checkpoint if one is named."""
        order = {"entryClass": "Numbers", "parallelism": 2, "programArgsList": [str(one) for one in arguments]}
        if state:
            order["savepointPath"] = state
        return self.post(f"/jars/{self.upload(jar)}/run", order)["jobid"]

    def upload(self, jar):
        edge = uuid.uuid4().hex
        head = (
            f'--{edge}\r\nContent-Disposition: form-data; name="jarfile"; filename="job.jar"\r\n'
            "Content-Type: application/x-java-archive\r\n\r\n"
        )
        with open(jar, "rb") as file:
            form = head.encode() + file.read() + f"\r\n--{edge}--\r\n".encode()
        answer = self.ask("POST", "/jars/upload", form, f"multipart/form-data; boundary={edge}")
        return answer["filename"].rsplit("/", 1)[1]

    def state(self, job):
        return self.get(f"/jobs/{job}")["state"]

    def completed(self, job):
        return self.get(f"/jobs/{job}/checkpoints")["counts"]["completed"]

    def restored(self, job):
        """Where the job was last restored from, or None."""
        last = self.get(f"/jobs/{job}/checkpoints")["latest"]["restored"]
        return last and last["external_path"]

    def last_checkpoint(self, job):
        return self.get(f"/jobs/{job}/checkpoints")["latest"]["completed"]["external_path"]

    def stop(self, job):
        """Asks for a savepoint and then the end; gives the number of the order."""
        return self.post(f"/jobs/{job}/stop", {"drain": False})["request-id"]

    def savepoint(self, job, order):
        """Where the savepoint lies, or None while it is being written."""
        answer = self.get(f"/jobs/{job}/savepoints/{order}")
        if answer["status"]["id"] != "COMPLETED":
            return None
        if "location" not in answer["operation"]:
            raise RuntimeError(f"no savepoint: {answer['operation']}"[:1000])
        return answer["operation"]["location"]

    def cancel(self, job):
        self.ask("PATCH", f"/jobs/{job}?mode=cancel", b"")

    def troubles(self, job):
        """The first lines of what the job failed with last."""
        for trace in self.failures(job)[:1]:
            return [line for line in trace.splitlines() if not line.startswith("\tat")][:5]
        return []

    def failures(self, job):
        """The stack traces of what the job failed with, the last one first."""
        return [entry["stacktrace"] for entry in self.get(f"/jobs/{job}/exceptions")["exceptionHistory"]["entries"]]

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, body):
        return self.ask("POST", path, json.dumps(body).encode())

    def ask(self, method, path, body=None, kind="application/json"):
        request = urllib.request.Request(self.url + path, method=method, data=body)
        if body:
            request.add_header("Content-Type", kind)
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else {}


def until(what, seconds, condition, watched):
    """Waits until the condition gives something, and gives that. What it raises counts as nothing yet."""
    end, last = time.monotonic() + seconds, None
    while time.monotonic() < end:
        if gone := watched():
            raise TimeoutError(f"{what}: {gone}")
        try:
            if found := condition():
                return found
        except (OSError, KeyError, TypeError, ValueError) as error:
            last = error
        time.sleep(0.5)
    raise TimeoutError(f"{what}: not within {seconds} s ({last})")
