/* Blocks that come and go in phases of one mix of sizes each, and what of the process's memory they
 * account for: the pages of the system's that live blocks lie on. */
#ifndef PHASES_H
#define PHASES_H

#include <sys/mman.h>
#include "check.h"
#include "hmm.h"

enum { MOST_BLOCKS = 4 << 20 };
#define ROOM (16 * GIB)

struct block {
    unsigned char *p;
    size_t size;
};

/* Tables of the test's own lie outside the heap and are touched from the start. */
static struct block *block;
static size_t blocks, live_bytes;
static unsigned char *on_page;
static unsigned char *heap_start;
static uint64_t seed = 1;

static inline void *table(size_t bytes, int touched)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(p != MAP_FAILED);
    if (touched)
        memset(p, 0, bytes);
    return p;
}

static inline void phases_begin(void)
{
    block = table(MOST_BLOCKS * sizeof *block, 1);
    on_page = table(ROOM / 4096 / 8, 0);
    void *first = malloc(1);
    heap_start = (unsigned char *)((uintptr_t)first & ~(uintptr_t)4095) - 64 * MIB;
    free(first);
}

static inline void add(size_t size)
{
    unsigned char *p = malloc(size);
    CHECK(p != NULL && blocks < MOST_BLOCKS);
    fill(p, size, 1);
    block[blocks++] = (struct block){p, size};
    live_bytes += size;
}

static inline void drop(size_t i)
{
    CHECK(holds(block[i].p, block[i].size, 1));
    live_bytes -= block[i].size;
    free(block[i].p);
    block[i] = block[--blocks];
}

static inline void grow_to(size_t bytes, size_t least, size_t most)
{
    while (live_bytes < bytes)
        add(least + next_random(&seed) % (most - least + 1));
}

/* Frees blocks anywhere. */
static inline void shrink_at_random(size_t bytes)
{
    while (live_bytes > bytes)
        drop(next_random(&seed) % blocks);
}

/* Frees neighbours in the order in which they came. */
static inline void shrink_in_clusters(size_t bytes)
{
    while (live_bytes > bytes) {
        size_t at = next_random(&seed) % blocks;
        for (size_t n = blocks / 64 + 1; n > 0 && at < blocks && live_bytes > bytes; n--, at++)
            drop(at);
    }
}

/* Bytes of the pages that live blocks lie on. */
static inline size_t live_pages(void)
{
    size_t pages = 0;
    for (int clear = 0; clear < 2; clear++)
        for (size_t i = 0; i < blocks; i++) {
            size_t first = (size_t)(block[i].p - heap_start) / 4096;
            size_t last = (size_t)(block[i].p + block[i].size - 1 - heap_start) / 4096;
            CHECK(last < ROOM / 4096);
            for (size_t page = first; page <= last; page++) {
                unsigned char bit = (unsigned char)(1 << page % 8);
                pages += !clear && !(on_page[page / 8] & bit);
                on_page[page / 8] = clear ? 0 : on_page[page / 8] | bit;
            }
        }
    return pages * 4096;
}

static inline struct HmmStatistics stats(void)
{
    struct HmmStatistics now;
    HmmStats(&now);
    return now;
}

static inline size_t max(size_t a, size_t b)
{
    return a > b ? a : b;
}

#endif
