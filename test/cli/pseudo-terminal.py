"""Runs a command in a pseudo-terminal of 80 columns and types answers into it.

Standard input is JSON: {"argv": [...], "cwd": "...", "env": {...}, "steps": [{"expect": "...",
"send": "..."}]}. Each answer is typed once its text was seen after the one before. Standard output
is JSON: {"code": n, "output": "..."}.
"""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

spec = json.load(sys.stdin)
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.chdir(spec["cwd"])
    os.execvpe(spec["argv"][0], spec["argv"], {**os.environ, **spec["env"]})
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

output = b""
seen = 0
steps = list(spec["steps"])
deadline = time.monotonic() + 50
while time.monotonic() < deadline:
    readable, _, _ = select.select([terminal], [], [], 0.2)
    if readable:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the other side has closed
            break
        if not data:
            break
        output += data
    if steps:
        at = output.find(steps[0]["expect"].encode(), seen)
        if at >= 0:
            step = steps.pop(0)
            seen = len(output)
            os.write(terminal, step["send"].encode())
else:
    os.kill(pid, 9)

_, status = os.waitpid(pid, 0)
json.dump(
    {"code": os.waitstatus_to_exitcode(status), "output": output.decode(errors="replace")},
    sys.stdout,
)
