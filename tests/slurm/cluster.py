"""A SLURM of its own on this machine: a controller and several nodes on loopback, without systemd
or cgroups.

It needs root, for slurmd to start jobs, and Debian's slurmctld, slurmd, slurm-client and munge;
with `accounting` slurmdbd, mariadb-server-core and mariadb-client-core too.
"""

import os
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel")
ACCOUNTING = ("slurmdbd", "mariadbd", "mariadb-install-db", "sacct")
# The executor keeps no SLURM_CONF for what a job starts, so the file has to be where SLURM looks by
# itself.
DEFAULT_CONF = Path("/etc/slurm/slurm.conf")


def missing(accounting: bool = False) -> list[str]:
    """Programs that the cluster needs and this machine has not."""
    return [name for name in (*PROGRAMS, *(ACCOUNTING if accounting else ())) if not shutil.which(name)]


class Cluster:
    """Started by `with`, stopped at its end. cpus, memory (MB): what each node says that it has."""

    def __init__(self, folder: Path, nodes: int = 3, cpus: int = 2, memory: int = 8000, accounting: bool = False):
        self.folder, self.accounting = folder, accounting
        self.nodes, self.cpus, self.memory = [f"node{i}" for i in range(1, nodes + 1)], cpus, memory
        self.host = socket.gethostname().split(".")[0]
        self.ports = _free_ports(nodes + 2)
        self.daemons: list[subprocess.Popen] = []

    def __enter__(self) -> "Cluster":
        if DEFAULT_CONF.is_symlink() and not self.ask("sinfo", "-h"):
            DEFAULT_CONF.unlink()  # of a cluster whose test was killed
        if DEFAULT_CONF.exists():
            raise RuntimeError(f"{DEFAULT_CONF} exists: this machine has a SLURM")
        self.folder.chmod(0o755)  # munged wants its socket to be reached by all
        for name in ("munge", "state", "log", *(f"spool/{node}" for node in self.nodes)):
            (self.folder / name).mkdir(parents=True, mode=0o755)
        try:
            self._start_munge()
            if self.accounting:
                self._start_accounting()
            conf = self.folder / "slurm.conf"
            conf.write_text(self._conf())
            DEFAULT_CONF.symlink_to(conf)
            self._start("slurmctld", "-D", "-f", conf)
            for node in self.nodes:
                self._start("slurmd", "-D", "-N", node, "-f", conf)
            self._wait(lambda: len(self.ask("sinfo", "-h", "-N", "-t", "idle", "-o", "%N").split()) == len(self.nodes))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        if DEFAULT_CONF.exists() and any(daemon.poll() is None for daemon in self.daemons[1:]):
            self.ask("scancel", "--user", "root")
            self._wait(lambda: not self.jobs(), 20, must=False)
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        if DEFAULT_CONF.is_symlink() and DEFAULT_CONF.readlink() == self.folder / "slurm.conf":
            DEFAULT_CONF.unlink()

    def ask(self, *command: str) -> str:
        """What a client program says; nothing where the controller does not answer."""
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout
        except subprocess.TimeoutExpired:
            return ""

    def jobs(self, *states: str) -> dict[str, str]:
        """The comment (rule and wildcards) of each job in these states, or of all that have not
        ended."""
        chosen = ("--states", ",".join(states)) if states else ()
        lines = self.ask("squeue", "-h", "-o", "%i|%k", *chosen).splitlines()
        return dict(line.split("|", 1) for line in lines)

    def _start(self, *command) -> subprocess.Popen:
        with (self.folder / "log" / f"{command[0]}-{len(self.daemons)}.out").open("wb") as log:
            # A test that is killed must not leave daemons behind.
            parts = ["setpriv", "--pdeathsig", "KILL", *(str(part) for part in command)]
            started = subprocess.Popen(parts, stdout=log, stderr=log)
        self.daemons.append(started)
        return started

    def _wait(self, ready, seconds: float = 30, must: bool = True) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if ready():
                return
            time.sleep(0.1)
        if must:
            logs = "\n".join(path.read_text()[-1500:] for path in sorted((self.folder / "log").iterdir()))
            raise RuntimeError(f"the cluster did not start:\n{logs}")

    def _start_munge(self) -> None:
        place = self.folder / "munge"
        (place / "key").write_bytes(secrets.token_bytes(1024))
        (place / "key").chmod(0o400)
        options = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        self._start("munged", "--foreground", *(f"--{option}={place / name}" for option, name in options.items()))
        self._wait((place / "socket").exists)

    def _start_accounting(self) -> None:
        """MariaDB on a socket in the folder, and the daemon that keeps SLURM's records in it."""
        data, sock = self.folder / "database", self.folder / "mysql"
        install = ["mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={data}", "--skip-test-db"]
        install += ["--auth-root-authentication-method=normal"]
        subprocess.run(install, check=True, capture_output=True)
        server = ["mariadbd", "--no-defaults", "--user=root", f"--datadir={data}", f"--socket={sock}"]
        self._start(*server, "--skip-networking", "--innodb-lock-wait-timeout=900")
        client = ["mariadb", "--no-defaults", "-uroot", "-S", str(sock), "-e"]
        self._wait(lambda: subprocess.run([*client, "select 1"], capture_output=True, check=False).returncode == 0)
        setup = "create database slurm_acct_db; create user slurm@localhost identified by 'slurm'; "
        subprocess.run([*client, f"{setup} grant all on slurm_acct_db.* to slurm@localhost"], check=True)
        conf = self.folder / "slurmdbd.conf"
        conf.write_text(
            _lines(
                AuthType="auth/munge",
                AuthInfo=f"socket={self.folder}/munge/socket",
                DbdHost=self.host,
                DbdAddr="127.0.0.1",
                DbdPort=self.ports[-1],
                SlurmUser="root",
                StorageType="accounting_storage/mysql",
                StorageUser="slurm",
                StoragePass="slurm",
                StorageLoc="slurm_acct_db",
                PidFile=f"{self.folder}/slurmdbd.pid",
            )
        )
        conf.chmod(0o600)  # it refuses another
        os.environ |= {"SLURM_CONF": str(conf), "MYSQL_UNIX_PORT": str(sock)}
        try:
            self._start("slurmdbd", "-D")
        finally:
            del os.environ["SLURM_CONF"], os.environ["MYSQL_UNIX_PORT"]
        self._wait(lambda: _answers(self.ports[-1]))

    def _conf(self) -> str:
        settings = {
            "ClusterName": "tests",
            "SlurmctldHost": f"{self.host}(127.0.0.1)",
            "SlurmctldPort": self.ports[0],
            "SlurmUser": "root",
            "AuthType": "auth/munge",
            "AuthInfo": f"socket={self.folder}/munge/socket",
            "StateSaveLocation": self.folder / "state",
            "SlurmdSpoolDir": f"{self.folder}/spool/%n",
            "SlurmctldPidFile": self.folder / "slurmctld.pid",
            "SlurmdPidFile": f"{self.folder}/slurmd-%n.pid",
            "ProctrackType": "proctrack/linuxproc",
            "TaskPlugin": "task/none",
            "MpiDefault": "none",
            "JobAcctGatherType": "jobacct_gather/linux",
            "SelectType": "select/cons_tres",
            "SelectTypeParameters": "CR_CPU_Memory",
            "SlurmdParameters": "config_overrides",  # nodes may claim more than the machine has
            "ReturnToService": 2,
            "SchedulerParameters": "sched_interval=2,bf_interval=5,sched_min_interval=0",
            "MinJobAge": 300,  # how long squeue knows of a job that ended
            "KillWait": 3,
            "AccountingStorageType": "accounting_storage/none",
        }
        if socket.gethostbyname(self.host).startswith("127."):
            settings["CommunicationParameters"] = "NoInAddrAny,NoCtldInAddrAny"  # listen where the name leads
        if self.accounting:
            settings |= {
                "AccountingStorageType": "accounting_storage/slurmdbd",
                "AccountingStorageHost": "127.0.0.1",
                "AccountingStoragePort": self.ports[-1],
                "AccountingStoragePass": self.folder / "munge" / "socket",  # AuthInfo is not asked for this one
                "AccountingStoreFlags": "job_comment",
            }
        nodes = [
            f"NodeName={node} NodeHostname={self.host} NodeAddr=127.0.0.1 Port={port} CPUs={self.cpus} RealMemory={self.memory}"
            for node, port in zip(self.nodes, self.ports[1:], strict=False)
        ]
        partition = f"PartitionName=main Nodes={','.join(self.nodes)} Default=YES MaxTime=INFINITE State=UP"
        return _lines(**settings) + "\n".join([*nodes, partition, ""])


def _lines(**settings) -> str:
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
