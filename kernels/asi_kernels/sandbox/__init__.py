"""The wall around candidate code: namespaces, system-call filter, Landlock, cgroups, and the canaries that prove it.

Covers: files, processes, network, kernel calls and resources of one job on Linux. Does not cover: defects of the kernel
itself, side channels between jobs that run at the same time, devices.
"""
