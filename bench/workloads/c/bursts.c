/* Threads that allocate in bursts, keep some blocks, and exchange others with whoever comes by: the
 * behaviour of mstress. */
#include "loads.h"

#include <stdatomic.h>

enum { KEPT = 2000, EXCHANGED = 1000, BURST = 500 };

struct place {
    struct sizes sizes;
    uint64_t bursts_each;
    _Atomic(void *) exchange[EXCHANGED];
    void *kept[MOST_THREADS][KEPT];
};

/* A block that travels is known by its address: no table says where it is. */
static uint32_t tag_of(const void *block)
{
    return (uint32_t)((uintptr_t)block >> 4);
}

static void *make(size_t size)
{
    void *block = not_null(malloc(size));
    stamp(block, size, tag_of(block));
    return block;
}

static void burst_after_burst(unsigned id, void *shared)
{
    struct place *place = shared;
    void **kept = place->kept[id];
    struct random random = random_from(id);
    for (uint64_t burst = 0; burst < place->bursts_each; burst++) {
        void *own[BURST];
        for (uint32_t i = 0; i < BURST; i++)
            own[i] = make(size_of(&place->sizes, draw(&random)));
        for (uint32_t i = 0; i < BURST; i++) {
            uint64_t drawn = draw(&random);
            void *out = own[i];
            if (drawn % 4 == 0) {
                out = atomic_exchange(&place->exchange[below(EXCHANGED, drawn)], out);
            } else if (drawn % 4 == 1) {
                uint32_t slot = below(KEPT, drawn);
                void *replaced = kept[slot];
                kept[slot] = out;
                out = replaced;
            }
            if (out != NULL)
                drop(out, tag_of(out), i);
        }
    }
}

static uint64_t migrate(double scale, unsigned threads)
{
    struct place *place = table(sizeof *place);
    sizes_skewed(&place->sizes, 16, 4096);
    place->bursts_each = times(scale, 5e6 / BURST / threads);
    measure_threads(threads, burst_after_burst, place);
    return place->bursts_each * threads * BURST;
}

static const struct workload rows[] = {
    {"migrate-2", "2 threads allocate in bursts, keep or exchange half, 16-4096 B: mstress", migrate, 2},
    {"migrate-8", "8 threads allocate in bursts, keep or exchange half, 16-4096 B: mstress", migrate, 8},
};
GROUP(bursts, rows);
