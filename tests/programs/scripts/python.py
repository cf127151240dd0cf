# Data structures, json, regular expressions, threads, sqlite3, decimal and the collector.
import collections
import decimal
import gc
import hashlib
import io
import json
import re
import sqlite3
import threading
import weakref
import zlib

numbers = [n * 2654435761 % 1000003 for n in range(100_000)]
index = {n: str(n) for n in numbers}
groups = collections.defaultdict(list)
for n in numbers:
    groups[n % 101].append(n)
print(len(index), sum(map(len, index.values())), max(groups, key=lambda k: (len(groups[k]), k)))
print(sorted(set(numbers))[::10007], sum(numbers) ** 40 % 1000007)
del index

tree = {"a": [1, 2.5, None, {"b": "x" * 1000}], "many": [{"n": n, "s": str(n)} for n in range(20_000)]}
text = json.dumps(tree)
assert json.loads(text) == tree
print(len(text), hashlib.sha256(text.encode()).hexdigest(), len(zlib.compress(text.encode())))

words = re.findall(r'"n": (\d*)7(?=, "s": "\1)', text)
print(len(words), words[-3:], len(re.sub(r"\d+", lambda m: m[0] * 3, text)))

out = io.StringIO()
for n in range(50_000):
    out.write(f"{n:x}-")
print(len(out.getvalue()), out.getvalue()[-20:])

data = bytearray()
for n in range(3000):
    data += bytes([n % 256]) * (n % 300)
print(len(data), zlib.crc32(data))
del data[1000:-1000]
print(zlib.crc32(data))

decimal.getcontext().prec = 500
print(decimal.Decimal(2).sqrt(), decimal.Decimal(1).exp())
print(3 ** 60_000 % 10 ** 50, (7 ** 20_000).bit_length())

totals = [0] * 8
def work(which):
    kept = []
    for n in range(20_000):
        kept.append([n] * (n % 40))
        if n % 3 == 0:
            kept.pop(n * 7 % len(kept))
    totals[which] = sum(map(len, kept))
for round in range(3):
    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(totals)

class Node:
    pass
gone = 0
def count(_):
    global gone
    gone += 1
refs = []
for n in range(20_000):
    a, b = Node(), Node()
    a.other, b.other = b, a
    refs.append(weakref.ref(a, count))
del a, b
gc.collect()
print(gone, gc.isenabled())

base = sqlite3.connect(":memory:")
base.execute("create table t (id integer primary key, name text, value real)")
base.executemany("insert into t (name, value) values (?, ?)", ((f"n{n % 500}", n / 3) for n in range(30_000)))
base.execute("create index by_name on t (name, value)")
for row in base.execute("select name, count(*), round(sum(value), 3) from t group by name order by 3 desc limit 5"):
    print(row)
print(base.execute("pragma integrity_check").fetchone())
