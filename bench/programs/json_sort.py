"""A web service's day: records to JSON and back, grouped in dictionaries, sorted."""

import json
import sys

scale = float(sys.argv[1])
state = 12345


def number(limit):
    global state
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    return state % limit


records = [
    {
        "id": n,
        "user": f"user{number(5000)}",
        "tags": [f"tag{number(200)}" for _ in range(number(6))],
        "amount": number(1_000_000) / 100,
        "address": {"city": f"city{number(300)}", "zip": str(number(99999))},
    }
    for n in range(int(25_000 * scale))
]
for _ in range(3):
    records = json.loads(json.dumps(records))
    by_user = {}
    for record in records:
        by_user.setdefault(record["user"], []).append(record)
    totals = {user: sum(one["amount"] for one in mine) for user, mine in by_user.items()}
    order = sorted(records, key=lambda record: (record["address"]["city"], -record["amount"]))
print(len(by_user), len(totals), order[0]["id"])
