# SPDX-License-Identifier: ISC
"""Processor time of processes: what work costs, however little of a machine they
get. Where a test holds us to a time, it is to this one and not to a clock's."""
import os

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pids):
    """Seconds that these have had in all."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as f:
            # Behind the name, which may have blanks: utime and stime.
            fields = f.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS
