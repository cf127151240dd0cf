/* A set of live blocks of constant number, whose members are replaced: last, oldest or any first.
 * The set is filled before and emptied after the measured part: the rows show the steady state. */
#include "loads.h"

enum order { LAST, OLDEST, ANY };

static const struct live_set {
    enum order order;
    uint32_t live, low, high;
    double ops;
} sets[] = {
    {LAST, 1000, 16, 128, 20e6},      {LAST, 200000, 16, 1024, 8e6},
    {OLDEST, 1000, 16, 128, 20e6},    {OLDEST, 200000, 16, 1024, 6e6},
    {ANY, 1000, 16, 128, 20e6},       {ANY, 1000, 16, 1024, 15e6},
    {ANY, 200000, 16, 128, 6e6},      {ANY, 200000, 16, 1024, 5e6},
    {ANY, 20000, 16, 4096, 5e6},
};

static struct sizes sizes;
static struct random draws;

static void replace(void **slot, uint32_t tag, uint64_t turn, uint64_t drawn)
{
    drop(*slot, tag, turn);
    *slot = take(size_of(&sizes, drawn), tag);
}

/* The upper part of the stack, of a random depth, goes and comes again. */
static void last_first(void **block, uint32_t live, uint64_t ops)
{
    uint32_t deepest = live / 4;
    while (ops > 0) {
        uint32_t depth = 1 + below(deepest, draw(&draws));
        if (depth > ops)
            depth = (uint32_t)ops;
        for (uint32_t i = live; i > live - depth; i--)
            drop(block[i - 1], i - 1, i);
        for (uint32_t i = live - depth; i < live; i++)
            block[i] = take(size_of(&sizes, draw(&draws)), i);
        ops -= depth;
    }
}

static void oldest_first(void **block, uint32_t live, uint64_t ops)
{
    uint32_t oldest = 0;
    for (uint64_t turn = 0; turn < ops; turn++) {
        replace(&block[oldest], oldest, turn, draw(&draws));
        if (++oldest == live)
            oldest = 0;
    }
}

static void any_first(void **block, uint32_t live, uint64_t ops)
{
    for (uint64_t turn = 0; turn < ops; turn++) {
        uint64_t drawn = draw(&draws);
        uint32_t slot = below(live, drawn);
        replace(&block[slot], slot, turn, drawn);
    }
}

static uint64_t live_set(double scale, unsigned variant)
{
    const struct live_set *set = &sets[variant];
    sizes_even(&sizes, set->low, set->high);
    draws = random_from(variant);
    void **block = table(set->live * sizeof *block);
    for (uint32_t i = 0; i < set->live; i++)
        block[i] = take(size_of(&sizes, draw(&draws)), i);
    uint64_t ops = times(scale, set->ops);
    measure_begin();
    switch (set->order) {
    case LAST:
        last_first(block, set->live, ops);
        break;
    case OLDEST:
        oldest_first(block, set->live, ops);
        break;
    case ANY:
        any_first(block, set->live, ops);
        break;
    }
    measure_end();
    for (uint32_t i = 0; i < set->live; i++)
        drop(block[i], i, 0);
    return ops;
}

static const struct workload rows[] = {
    {"lifo-small", "last in, first out, 1 000 live, 16-128 B: nested scopes, a parser's stack", live_set, 0},
    {"lifo-mix", "last in, first out, 200 000 live, 16-1024 B: deep recursion over a large document", live_set, 1},
    {"fifo-small", "first in, first out, 1 000 live, 16-128 B: an event queue", live_set, 2},
    {"fifo-mix", "first in, first out, 200 000 live, 16-1024 B: a long message queue", live_set, 3},
    {"replace-1k", "random replacement, 1 000 live, 16-128 B: a small program's objects, all in the cache", live_set, 4},
    {"replace-1k-mix", "random replacement, 1 000 live, 16-1024 B: the same with strings and buffers", live_set, 5},
    {"replace-200k", "random replacement, 200 000 live, 16-128 B: objects of a large program, beyond the cache", live_set, 6},
    {"replace-200k-mix", "random replacement, 200 000 live, 16-1024 B: the same with strings and buffers", live_set, 7},
    {"replace-wide", "random replacement, 20 000 live, 16-4096 B: records and pages of all sizes", live_set, 8},
};
GROUP(live_sets, rows);
