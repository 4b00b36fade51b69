"""Two nodes of Ray or of Spark on this machine, and the processes that belong to them."""

import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 300
# On a busy machine, a node of Ray may end because it has not reached the first one in time.
STARTS = 5


def loopback_up():
    """Switches loopback on, which is off in a new network namespace, as `ip link set lo up` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        flags_up = struct.pack("16sh14x", b"lo", 0x1 | 0x40)
        fcntl.ioctl(any_socket, 0x8914, flags_up)
    names = [name for _, name in socket.if_nameindex()]
    assert names == ["lo"], f"this network has more than loopback: {names}"


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def command_of(process):
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def parent(process):
    """Returns the parent of a process, or `None` if the process has ended or is an orphan."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    found = int(stat.rpartition(")")[2].split()[1])
    return found if found > 1 else None


def children_of(process):
    return [child for child in processes() if parent(child) == process]


def tree(process):
    """Returns a process and all its descendants."""
    found = [process]
    for each in found:
        found += children_of(each)
    return found


def shards_running(program):
    """Returns the processes that score a shard at this moment, without those whose worker has died."""
    found = []
    for process in processes():
        command = command_of(process)
        # If the program is a script, the name of its interpreter comes first.
        if str(program) in command[:2] and "--shard" in command and parent(process):
            found.append(process)
    return found


def wait_until(condition, what):
    last = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > last:
            sys.exit(f"{what} has not happened for {PATIENCE} s")
        time.sleep(0.1)


class Engine:
    """What Ray and Spark have in common. A node is a process with all its descendants."""

    def __init__(self, python, examples, folder, programs):
        self.python, self.examples, self.folder = python, examples, folder
        self.nodes = {}
        # The home folder is another one, so that the settings of the user have no influence.
        path = f"{programs}:{Path(python).parent}:{os.environ['PATH']}"
        self.environment = dict(os.environ, PATH=path, HOME=str(folder))

    def spawn(self, name, command):
        log = (self.folder / f"{name}.log").open("ab")
        self.nodes[name] = subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder, env=self.environment
        )

    def start_and_wait(self, name, command, line):
        """Starts a node, and waits until its log has one more of this line. A start that fails is tried again."""
        log = self.folder / f"{name}.log"
        lines = lambda: log.read_text().count(line) if log.exists() else 0
        wanted = lines() + 1
        for _ in range(STARTS):
            self.spawn(name, command)
            wait_until(lambda: lines() >= wanted or self.nodes[name].poll() is not None, f"the start of the node {name}")
            if self.nodes[name].poll() is None:
                return
        sys.exit(f"the node {name} has ended {STARTS} times while it started; see {log}")

    def start_submitted(self, command, out):
        return subprocess.Popen(
            command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=self.folder, env=self.environment
        )

    def kill_node(self, chance):
        """Kills a node as if its machine had lost power, or only its main process. The shards that it was scoring then go
        on while they are scored again elsewhere."""
        name = chance.choice([name for name in self.nodes if name in self.mortal])
        node = self.nodes[name]
        if node.poll() is not None:
            return 0
        everything = chance.random() < 0.5
        for process in tree(node.pid) if everything else self.main_processes(node.pid):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if everything:
            node.wait()
        return 1

    def replace_nodes(self):
        """Starts a new node for each one that has ended."""
        for name in self.mortal:
            if self.nodes[name].poll() is not None:
                self.start_node(name)

    def stop(self):
        for node in self.nodes.values():
            for process in tree(node.pid):
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            node.wait()


class Ray(Engine):
    # The program that submits tasks is attached to the first node, so only the second may die.
    mortal = ["second"]

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.environment.update(RAY_ADDRESS="127.0.0.1:6379", RAY_USAGE_STATS_ENABLED="0", RAY_AUTH_MODE="disabled")
        head = ["--head", "--port=6379", "--include-dashboard=false", f"--temp-dir={self.folder}/ray"]
        self.start("first", head)
        self.start_node("second")

    def start_node(self, name):
        self.start(name, ["--address=127.0.0.1:6379"])

    def start(self, name, options):
        common = ["--block", "--node-ip-address=127.0.0.1", "--num-cpus=1", "--object-store-memory=80000000"]
        common += [f"--node-name={name}", "--disable-usage-stats"]
        command = [Path(self.python).parent / "ray", "start", *common, *options]
        self.start_and_wait(name, command, "Ray runtime started")

    def is_worker(self, process):
        return any(part.startswith("ray::") for part in command_of(process)[:1])

    def main_processes(self, node):
        return [process for process in tree(node) if command_of(process)[:1] and command_of(process)[0].endswith("/raylet")]

    def submit(self, arguments, out):
        return self.start_submitted([self.python, self.examples / "ray_shards.py", *arguments], out)


class Spark(Engine):
    mortal = ["one", "two"]
    master = "spark://127.0.0.1:7077"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        found = subprocess.run(
            [self.python, "-c", "import pyspark; print(pyspark.__path__[0])"], stdout=subprocess.PIPE, text=True, check=True
        )
        self.home = Path(found.stdout.strip())
        self.environment.update(SPARK_HOME=str(self.home), SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=str(self.python))
        name = "org.apache.spark.deploy.master.Master"
        command = [self.home / "bin/spark-class", name, "--host", "127.0.0.1", "--port", "7077"]
        self.start_and_wait("master", command, "New state: ALIVE")
        for node in self.mortal:
            self.start_node(node)

    def start_node(self, name):
        options = ["--host", "127.0.0.1", "--cores", "1", "--memory", "600m", "--work-dir", self.folder / f"work-{name}"]
        command = [self.home / "bin/spark-class", "org.apache.spark.deploy.worker.Worker", *options, self.master]
        self.start_and_wait(name, command, "Successfully registered with master")

    def is_worker(self, process):
        return "pyspark.worker" in command_of(process)

    def main_processes(self, node):
        return [node]

    def submit(self, arguments, out):
        settings = ["spark.executor.memory=512m", "spark.ui.enabled=false", "spark.ui.showConsoleProgress=false"]
        options = [option for setting in settings for option in ("--conf", setting)]
        command = [self.home / "bin/spark-submit", "--master", self.master, *options]
        return self.start_submitted([*command, self.examples / "spark_shards.py", *arguments], out)
