"""Further processes on the store or book under test."""

import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 240


@contextmanager
def second_process(module, *arguments):
    """Run a module of the tests beside this process; killed with no chance to tidy up when the block ends."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:
        watchdog = threading.Timer(PATIENCE, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def run_together(starts):
    """Let processes that say ``ready`` go at once, and give what each said then; ``starts`` are of :func:`second_process`."""
    with ExitStack() as running:
        processes = [running.enter_context(start) for start in starts]
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [process.communicate(timeout=PATIENCE) for process in processes]
        assert [process.returncode for process in processes] == [0] * len(processes), said
        return [out.strip() for out, _ in said]
