"""Text being put together: many short strings, joins, splits, growing buffers."""

import io
import sys

scale = float(sys.argv[1])
total = 0
for round in range(int(70 * scale) or 1):
    words = [f"{n:x}-{n * round}" for n in range(20_000)]
    text = " ".join(words)
    lines = [text[at : at + 80] for at in range(0, len(text), 80)]
    upper = "\n".join(line.upper().replace("-", "--") for line in lines)
    buffer = io.StringIO()
    for word in upper.split():
        buffer.write(word)
        buffer.write(",")
    log = bytearray()
    for line in lines:
        log += line.encode()
    total += len(buffer.getvalue()) + len(log) + len(set(words))
print(total)
