"""Four tasks, in one of three ways: efficiency.py single|threads|processes computing|waiting AMOUNT

AMOUNT is how far each counts, or how many milliseconds it waits. Prints the seconds it took, how many
of them a processor worked for this process, and whether this Python has a lock that lets only one
thread compute at a time (the GIL).
"""
import multiprocessing
import sys
import threading
import time

TASKS = 4


def computing(amount):
    x, y = 0, 0
    while x < amount:
        x += 1
        y += x


def waiting(amount):
    time.sleep(amount / 1000)


def together(kind, task, amount):
    members = [kind(target=task, args=(amount,)) for _ in range(TASKS)]
    for member in members:
        member.start()
    for member in members:
        member.join()


def main():
    way, work, amount = sys.argv[1], sys.argv[2], int(sys.argv[3])
    task = {"computing": computing, "waiting": waiting}[work]
    begun, used = time.perf_counter(), time.process_time()
    if way == "single":
        for _ in range(TASKS):
            task(amount)
    elif way == "threads":
        together(threading.Thread, task, amount)
    else:
        together(multiprocessing.get_context("fork").Process, task, amount)
    seconds, used = time.perf_counter() - begun, time.process_time() - used
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    print(seconds, used, "GIL" if gil else "no GIL", sys.version.split()[0])


main()
