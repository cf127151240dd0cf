/* Small blocks that are written again and again: an allocator that lets two threads have parts of the
 * same cache line makes them slow. What Hoard's cache-scratch and cache-thrash look for. */
#include "loads.h"

enum { HELD = 32, WRITES = 400, SIZE = 16 };

struct street {
    uint64_t blocks_each;
    volatile uint8_t *held[MOST_THREADS][HELD];
};

static void use(volatile uint8_t *block, unsigned id)
{
    block[0] = (uint8_t)id;
    for (unsigned i = 0; i < WRITES; i++)
        block[1]++;
    if (block[0] != (uint8_t)id)
        fail("another thread has written to a block");
}

/* Starts with the blocks that were handed to it, if any, and goes on with its own. */
static void write_and_replace(unsigned id, void *shared)
{
    struct street *street = shared;
    volatile uint8_t **held = street->held[id];
    for (uint64_t i = 0; i < street->blocks_each; i++) {
        uint32_t slot = i % HELD;
        if (held[slot] == NULL)
            held[slot] = not_null(calloc(1, SIZE));
        use(held[slot], id);
        free((void *)held[slot]);
        held[slot] = not_null(calloc(1, SIZE));
    }
}

static struct street *street_of(double scale, double blocks, unsigned threads)
{
    struct street *street = table(sizeof *street);
    street->blocks_each = times(scale, blocks / threads);
    return street;
}

static uint64_t active(double scale, unsigned threads)
{
    struct street *street = street_of(scale, 2000e3, threads);
    measure_threads(threads, write_and_replace, street);
    return street->blocks_each * threads;
}

/* The first blocks of all threads come from the main thread, in turn: neighbours. */
static uint64_t passive(double scale, unsigned threads)
{
    struct street *street = street_of(scale, 2000e3, threads);
    for (unsigned slot = 0; slot < HELD; slot++)
        for (unsigned id = 0; id < threads; id++)
            street->held[id][slot] = not_null(calloc(1, SIZE));
    measure_threads(threads, write_and_replace, street);
    return street->blocks_each * threads;
}

static const struct workload rows[] = {
    {"false-sharing-2", "2 threads write blocks of 16 B that they made (op: 400 writes): cache-thrash", active, 2},
    {"false-sharing-8", "8 threads write blocks of 16 B that they made (op: 400 writes): cache-thrash", active, 8},
    {"false-sharing-passive", "2 threads write, free and replace neighbours made by main: cache-scratch", passive, 2},
};
GROUP(neighbours, rows);
