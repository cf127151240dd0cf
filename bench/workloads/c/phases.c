/* A program whose block sizes change from phase to phase while a tenth of each phase stays: what is
 * left pins memory that the next phase's sizes may not be able to use. */
#include "loads.h"

enum { PHASES = 6, BYTES = 32 << 20 };

static const struct {
    uint32_t low, high;
} mix[PHASES] = {{16, 64}, {256, 1024}, {64, 256}, {2048, 8192}, {32, 128}, {1024, 4096}};

static uint64_t phased(double scale, unsigned variant)
{
    (void)variant;
    static struct sizes sizes[PHASES];
    /* What is left of a phase is dropped when the phase comes again. */
    static void **block[PHASES];
    static uint32_t blocks[PHASES], dropped[PHASES], *order[PHASES];
    for (unsigned p = 0; p < PHASES; p++) {
        sizes_even(&sizes[p], mix[p].low, mix[p].high);
        blocks[p] = BYTES / ((mix[p].low + mix[p].high) / 2);
        block[p] = table(blocks[p] * sizeof **block);
        order[p] = table(blocks[p] * sizeof **order);
        for (uint32_t i = 0; i < blocks[p]; i++)
            order[p][i] = i;
        shuffle(order[p], blocks[p], p);
    }
    struct random random = random_from(0);
    uint64_t phases = times(scale, 12), ops = 0;
    measure_begin();
    for (uint64_t phase = 0; phase < phases; phase++) {
        unsigned p = phase % PHASES;
        while (dropped[p] > 0 && dropped[p] < blocks[p]) {
            uint32_t at = order[p][dropped[p]++];
            drop(block[p][at], at, at);
        }
        for (uint32_t i = 0; i < blocks[p]; i++)
            block[p][i] = take(size_of(&sizes[p], draw(&random)), i);
        dropped[p] = blocks[p] / 10 * 9;
        for (uint32_t i = 0; i < dropped[p]; i++)
            drop(block[p][order[p][i]], order[p][i], i);
        ops += blocks[p];
    }
    measure_end();
    return ops;
}

static const struct workload rows[] = {
    {"frag-phases", "32 MiB of one size mix, nine tenths dropped at random, then another mix: fragmentation", phased, 0, 1},
};
GROUP(phases, rows);
