/* Blocks of chosen alignment: vectors, cache lines, pages. */
#include "loads.h"

enum { LIVE = 1000, LEAST = 32, MOST = 4096 };

static void *aligned_block(uint32_t alignment, uint32_t size, uint32_t tag, uint64_t turn)
{
    void *block = NULL;
    if (turn % 2 == 0)
        block = aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    else if (posix_memalign(&block, alignment, size) != 0)
        block = NULL;
    if ((uintptr_t)not_null(block) % alignment != 0)
        fail("a block is not aligned as asked");
    stamp(block, size, tag);
    return block;
}

static uint64_t replaced(double scale, unsigned variant)
{
    (void)variant;
    static void *slot[LIVE];
    static struct sizes sizes, alignments;
    sizes_even(&sizes, 16, 4096);
    for (uint32_t i = 0, alignment = LEAST; i < COUNT(alignments.of); i++) {
        alignments.of[i] = alignment;
        alignment = alignment == MOST ? LEAST : 2 * alignment;
    }
    struct random random = random_from(0);
    uint64_t ops = times(scale, 3e6);
    measure_begin();
    for (uint64_t turn = 0; turn < ops; turn++) {
        uint64_t drawn = draw(&random);
        uint32_t at = below(LIVE, drawn);
        if (slot[at] != NULL)
            drop(slot[at], at, turn);
        slot[at] = aligned_block(size_of(&alignments, drawn >> 10), size_of(&sizes, drawn), at, turn);
    }
    measure_end();
    return ops;
}

static const struct workload rows[] = {
    {"aligned", "random replacement, 1 000 live, 16-4096 B aligned to 32-4096: vector and I/O buffers", replaced, 0},
};
GROUP(aligned, rows);
