/* Many blocks of one size taken, then all dropped in the order in which they came. */
#include "loads.h"

static const struct batch {
    uint32_t blocks, size;
    double rounds;
} batches_of[] = {
    {1000, 32, 30000},
    {1000, 1 * KIB, 7000},
    {1000000, 64, 10},
};

static uint64_t batch(double scale, unsigned variant)
{
    const struct batch *batch = &batches_of[variant];
    void **block = table(batch->blocks * sizeof *block);
    uint64_t rounds = times(scale, batch->rounds);
    measure_begin();
    for (uint64_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < batch->blocks; i++)
            block[i] = take(batch->size, i);
        for (uint32_t i = 0; i < batch->blocks; i++)
            drop(block[i], i, i);
    }
    measure_end();
    return rounds * batch->blocks;
}

static const struct workload rows[] = {
    {"batch-32", "1 000 blocks of 32 B taken, then dropped: the nodes of a request", batch, 0},
    {"batch-1k", "1 000 blocks of 1 KiB taken, then dropped: the buffers of a burst of packets", batch, 1},
    {"batch-1m", "1 000 000 blocks of 64 B taken, then dropped: a data set loaded and discarded", batch, 2},
};
GROUP(batches, rows);
