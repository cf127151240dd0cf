/* Zeroed blocks: they are looked at for zeros, then written, so that what the allocator takes back is
 * never clean by chance. */
#include "loads.h"

#include <string.h>

enum { MOST_LIVE = 1000 };

static void *zeroed_block(size_t size, uint64_t turn)
{
    uint8_t *block = not_null(calloc(1, size));
    size_t inside = turn * 64 % size;
    if ((block[0] | block[inside] | block[size - 1]) != 0)
        fail("calloc gave memory that is not zero");
    return block;
}

static const struct zeroed {
    uint32_t live, low, high;
    double ops;
} sets[] = {
    {MOST_LIVE, 16, 1024, 8e6},
    {64, 1 * KIB, 1 * MIB, 60e3},
};

static uint64_t replaced(double scale, unsigned variant)
{
    static void *slot[MOST_LIVE];
    static struct sizes sizes;
    const struct zeroed *set = &sets[variant];
    sizes_skewed(&sizes, set->low, set->high);
    struct random random = random_from(variant);
    uint64_t ops = times(scale, set->ops);
    measure_begin();
    for (uint64_t turn = 0; turn < ops; turn++) {
        uint64_t drawn = draw(&random);
        uint32_t at = below(set->live, drawn), size = size_of(&sizes, drawn);
        free(slot[at]);
        slot[at] = zeroed_block(size, turn);
        memset(slot[at], 0xff, size);
    }
    measure_end();
    return ops;
}

/* A sparse table: most of its pages are never touched, and need not exist. */
static uint64_t sparse(double scale, unsigned variant)
{
    (void)variant;
    enum { LIVE = 4, TOUCHED = 32 };
    static uint8_t *slot[LIVE];
    static struct sizes sizes;
    sizes_skewed(&sizes, 4 * MIB, 64 * MIB);
    struct random random = random_from(variant);
    uint64_t ops = times(scale, 1000);
    measure_begin();
    for (uint64_t turn = 0; turn < ops; turn++) {
        uint64_t drawn = draw(&random);
        uint32_t at = below(LIVE, drawn), size = size_of(&sizes, drawn);
        free(slot[at]);
        slot[at] = zeroed_block(size, turn);
        for (unsigned i = 0; i < TOUCHED; i++) {
            uint8_t *cell = slot[at] + i * (size / TOUCHED) + below(size / TOUCHED, draw(&random));
            if (*cell != 0)
                fail("calloc gave memory that is not zero");
            *cell = 0xff;
        }
    }
    measure_end();
    return ops;
}

static const struct workload rows[] = {
    {"calloc-small", "zeroed blocks of 16-1024 B, replaced and written: objects of C libraries", replaced, 0},
    {"calloc-large", "zeroed blocks of 1 KiB-1 MiB, replaced and written: hash tables and pages", replaced, 1},
    {"calloc-huge", "zeroed blocks of 4-64 MiB, touched in 32 places: sparse tables and matrices", sparse, 0},
};
GROUP(zeroed, rows);
