"""Look up the locked packages in the database of known vulnerabilities: `python -m tests.audit`, part of `make lint`.

It fails on a finding. Where the database cannot be reached it says so and passes.
"""

import json
import subprocess
import sys

LOCKS = ("requirements.lock", "requirements-gpu.lock", "requirements-bench.lock")
UNREACHABLE = ("ConnectionError", "ServiceError", "Connection", "timed out")


def audited(lock: str) -> str:
    """What pip-audit finds, as JSON. Raises ConnectionError where it reaches no database, RuntimeError where it fails."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "-r", lock]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", "10"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.stdout.startswith("{"):
        return done.stdout
    last = done.stderr.strip().splitlines()[-1:]
    kind = ConnectionError if any(word in done.stderr for word in UNREACHABLE) else RuntimeError
    raise kind(f"{lock}: pip-audit found nothing out: {' '.join(last)}")


def findings(report: str) -> tuple[list[str], int, int]:
    """Known vulnerabilities, how many packages were looked up, and how many there are."""
    packages = json.loads(report)["dependencies"]
    found = [
        f"{package['name']} {package['version']}: {flaw['id']}; mended in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for package in packages
        for flaw in package.get("vulns", [])
    ]
    return found, sum("vulns" in package for package in packages), len(packages)


def main() -> int:
    """Print what is known; returns the exit status."""
    status = 0
    for lock in LOCKS:
        try:
            found, known, packages = findings(audited(lock))
        except ConnectionError:
            found, known, packages = [], 0, 0
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 1
        if not known:
            print(f"{lock}: not audited, the database of vulnerabilities cannot be reached from here")
            break
        print(
            "\n".join([f"{lock}: {known} of {packages} packages looked up, {len(found)} known vulnerabilities", *found])
        )
        status |= bool(found)
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
