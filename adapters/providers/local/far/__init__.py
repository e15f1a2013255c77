"""What runs on the host itself: sent over the Shell as one program, run by the host's own Python, answered in JSON.

Everything in this folder is standard library only and keeps to Python 3.8, because a workstation has what it
has. Nothing here imports from outside this folder.

    keeper      the commands (probe, create, list, inspect, destroy) and the answer
    machines    what a "machine" on a host is: a folder, what we started in it, and the GPUs it holds
    locks       one rental per GPU
    way_in      the machine's own sshd
    processes   which processes are ours, and their end
    wipe        secrets first, then the folder, never through a symlink
    facts, nvml what the computer has
"""
