/* One block at a time: taken, used, dropped, as the scratch memory of a function is. */
#include "loads.h"

#include <string.h>

/* Eight sizes in turn, so that not one free slot serves them all. */
static const uint32_t small[8] = {16, 128, 32, 64, 24, 96, 48, 112};

static uint64_t pair_small(double scale, unsigned variant)
{
    (void)variant;
    uint64_t ops = times(scale, 40e6);
    measure_begin();
    for (uint64_t i = 0; i < ops; i++)
        drop(take(small[i % 8], (uint32_t)i), (uint32_t)i, i);
    measure_end();
    return ops;
}

/* `filled` is how much of the block its user writes; of a large one only the ends are touched, so
 * that the row measures the allocator and not memset. */
static const struct pair {
    uint32_t low, high, filled;
    double ops;
} pairs_of[] = {
    {1 * KIB, 1 * KIB, 64, 40e6},
    {16 * KIB, 16 * KIB, 64, 20e6},
    {64 * KIB, 256 * KIB, 8, 10e6},
    {1 * MIB, 4 * MIB, 8, 8e6},
};

static uint64_t pair_of(double scale, unsigned variant)
{
    const struct pair *pair = &pairs_of[variant];
    static struct sizes sizes;
    sizes_even(&sizes, pair->low, pair->high);
    struct random random = random_from(variant);
    uint64_t ops = times(scale, pair->ops);
    measure_begin();
    for (uint64_t i = 0; i < ops; i++) {
        void *block = not_null(malloc(size_of(&sizes, draw(&random))));
        memset(block, (int)i, pair->filled);
        if (((volatile uint8_t *)block)[pair->filled - 1] != (uint8_t)i)
            fail("a block does not hold what was just written");
        free(block);
    }
    measure_end();
    return ops;
}

static const struct workload rows[] = {
    {"pair-small", "a small temporary at a time, 16-128 B: the scratch memory of a function", pair_small, 0},
    {"pair-1k", "one buffer of 1 KiB at a time: a line or packet that is read and dropped", pair_of, 0},
    {"pair-16k", "one buffer of 16 KiB at a time: a stdio or TLS record buffer", pair_of, 1},
    {"pair-256k", "one buffer of 64-256 KiB at a time, first bytes touched: a file opened and closed", pair_of, 2},
    {"pair-4m", "one buffer of 1-4 MiB at a time, first bytes touched: a work area made for each task", pair_of, 3},
};
GROUP(pairs, rows);
