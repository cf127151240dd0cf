"""Tools that read programs: source is tokenised by expressions, parsed, walked and compiled."""

import ast
import re
import sys

scale = float(sys.argv[1])
PARTS = '''
class Thing{n}(Base):
    """A thing."""
    def method(self, first, *rest, named={n}, **more):
        total = [item * {n} + 1 for item in rest if item % 2 == 0]
        try:
            with open(f"file{{first}}") as stream:
                return {{key: value for key, value in zip(stream, total)}}
        except (OSError, ValueError) as error:
            raise RuntimeError("no {n}") from error

    async def other(self, a: int = {n}) -> "Thing{n}":
        while a > 0 and not self.done:
            a -= 1 if a & 1 else 2
        return lambda x, y=a: (x + y) ** {n} // 3
'''
source = "class Base: pass\n" + "".join(PARTS.format(n=n) for n in range(int(480 * scale) or 1))
token = re.compile(r"\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<number>\d+)|(?P<string>\"[^\"]*\")|(?P<mark>.))")
counts = {}
for _ in range(2):
    for match in token.finditer(source):
        key = (match.lastgroup, match.group(match.lastgroup))
        counts[key] = counts.get(key, 0) + 1
    tree = ast.parse(source)
    nodes = sum(1 for _ in ast.walk(tree))
    text = ast.unparse(tree)
    code = compile(text, "generated", "exec")
print(len(counts), nodes, len(code.co_consts))
