/* Blocks that grow by realloc: strings, vectors, files read whole. */
#include "loads.h"

#include <string.h>

/* Strings that grow by some bytes, each in its turn among many, until they are 4 KiB long. */
static uint64_t small_steps(double scale, unsigned variant)
{
    (void)variant;
    enum { STRINGS = 1000, LONGEST = 4096 };
    static char *string[STRINGS];
    static uint32_t length[STRINGS];
    struct random random = random_from(0);
    uint64_t ops = times(scale, 6e6);
    measure_begin();
    for (uint64_t turn = 0; turn < ops; turn++) {
        uint64_t drawn = draw(&random);
        uint32_t at = below(STRINGS, drawn), step = 1 + drawn % 32, old = length[at];
        if (old + step > LONGEST) {
            free(string[at]);
            string[at] = NULL;
            old = 0;
        }
        string[at] = not_null(realloc(string[at], old + step));
        if (old > 0 && string[at][old - 1] != (char)at)
            fail("the end of a string has changed");
        memset(string[at] + old, (int)at, step);
        length[at] = old + step;
    }
    measure_end();
    return ops;
}

/* Vectors that double when they are full, and are written to their end. */
static uint64_t doubling(double scale, unsigned variant)
{
    (void)variant;
    enum { VECTORS = 64, LARGEST = 256 * 1024 };
    static char *vector[VECTORS];
    static uint32_t capacity[VECTORS];
    struct random random = random_from(0);
    uint64_t ops = times(scale, 300e3);
    measure_begin();
    for (uint64_t turn = 0; turn < ops; turn++) {
        uint32_t at = below(VECTORS, draw(&random)), old = capacity[at];
        if (old == LARGEST) {
            free(vector[at]);
            vector[at] = NULL;
            old = 0;
        }
        uint32_t new = old == 0 ? 16 : 2 * old;
        vector[at] = not_null(realloc(vector[at], new));
        if (old > 0 && (vector[at][0] != (char)at || vector[at][old - 1] != (char)at))
            fail("the elements of a vector have changed");
        memset(vector[at] + old, (int)at, new - old);
        capacity[at] = new;
    }
    measure_end();
    return ops;
}

/* One block that grows by 1 MiB to 512 MiB. Each new MiB is touched in one byte a page: an allocator
 * that moves pages or grows in place pays for those faults alone, one that copies pays for all. */
static uint64_t huge(double scale, unsigned variant)
{
    (void)variant;
    enum { PAGE = 4096, STEPS = 512 };
    uint64_t rounds = times(scale, 2);
    measure_begin();
    for (uint64_t round = 0; round < rounds; round++) {
        char *block = NULL;
        for (size_t step = 0; step < STEPS; step++) {
            block = not_null(realloc(block, (step + 1) * MIB));
            for (size_t at = step * MIB; at < (step + 1) * MIB; at += PAGE)
                block[at] = (char)step;
            if (block[step / 2 * MIB] != (char)(step / 2))
                fail("a large block has changed as it grew");
        }
        free(block);
    }
    measure_end();
    return rounds * STEPS;
}

static const struct workload rows[] = {
    {"realloc-small-steps", "1 000 strings growing by 1-32 B to 4 KiB: text assembled piece by piece", small_steps, 0},
    {"realloc-doubling", "64 vectors doubling from 16 B to 256 KiB and filled: dynamic arrays", doubling, 0},
    {"realloc-huge", "one block growing by 1 MiB to 512 MiB, a byte a page touched: a file read to its end", huge, 0},
};
GROUP(resizing, rows);
