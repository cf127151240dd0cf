"""A program of classes: a binary search tree of instances grows, is walked and shrinks."""

import sys

sys.setrecursionlimit(10_000)
scale = float(sys.argv[1])


class Node:
    def __init__(self, key, value):
        self.key = key
        self.value = value
        self.left = None
        self.right = None


class Tree:
    def __init__(self):
        self.root = None
        self.size = 0

    def put(self, key, value):
        fresh = Node(key, value)
        self.size += 1
        if self.root is None:
            self.root = fresh
            return
        node = self.root
        while True:
            if key < node.key:
                if node.left is None:
                    node.left = fresh
                    return
                node = node.left
            else:
                if node.right is None:
                    node.right = fresh
                    return
                node = node.right

    def walk(self):
        stack, node = [], self.root
        while stack or node:
            while node:
                stack.append(node)
                node = node.left
            node = stack.pop()
            yield node.key, node.value
            node = node.right


state = 42
checksum = 0
for round in range(3):
    tree = Tree()
    for n in range(int(45_000 * scale)):
        state = (state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        tree.put(state >> 33, (n, str(n)))
    checksum += sum(len(value[1]) for _, value in tree.walk())
    pairs = dict(tree.walk())
    checksum += len(pairs)
print(checksum)
