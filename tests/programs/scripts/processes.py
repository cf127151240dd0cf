# Processes: subprocess, and fork by multiprocessing, also while threads are at work.
import multiprocessing
import subprocess
import sys
import threading

for n in range(8):
    code = f"print(sum(len(str(n)) for n in range({n} * 1000)))"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout.strip())
print(subprocess.run(["sort", "-n"], input="3\n1\n2\n", stdout=subprocess.PIPE, text=True).stdout.split())

def square(n):
    kept = [[k] * 10 for k in range(n % 1000)]
    return n * n + len(kept) - n % 1000

stop = threading.Event()
def churn():
    while not stop.is_set():
        kept = [str(n) * 3 for n in range(1000)]
        kept.clear()

threads = [threading.Thread(target=churn) for _ in range(2)]
for thread in threads:
    thread.start()
fork = multiprocessing.get_context("fork")
for round in range(3):
    with fork.Pool(4) as pool:
        print(sum(pool.map(square, range(4000), chunksize=100)))
        pool.close()
        pool.join()
queue = fork.Queue()
def put(n):
    queue.put((n, "x" * n))
children = [fork.Process(target=put, args=(n * 1000,)) for n in range(10)]
for child in children:
    child.start()
print(sorted((n, len(text)) for n, text in (queue.get() for _ in children)))
for child in children:
    child.join()
    assert child.exitcode == 0
stop.set()
for thread in threads:
    thread.join()
