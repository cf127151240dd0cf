/* What the workloads share: their list, the clock, random numbers, and blocks that are written
 * when they are taken and looked at when they are dropped.
 *
 * The tables of a workload are static or come from `table`, and are set up before `measure_begin`:
 * between that and `measure_end` only the work itself calls malloc. */
#ifndef LOADS_H
#define LOADS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A row of the benchmark. `run` does the work, multiplied by `scale`, and says how many operations
 * that were; rows that differ only in their figures share a `run` and tell them apart by `variant`. */
struct workload {
    const char *name, *about;
    uint64_t (*run)(double scale, unsigned variant);
    unsigned variant;
    /* Whether it is told what memory the process still has a while after the work. */
    int settles;
};

/* A file's rows; `main.c` lists the groups. */
struct group {
    const struct workload *row;
    size_t rows;
};
#define GROUP(name, rows) const struct group name = {rows, COUNT(rows)}

/* Ends the process with a message: memory was refused, or was not what had been written. */
_Noreturn void fail(const char *what);

void measure_begin(void);
void measure_end(void);
/* Nanoseconds between the two. */
uint64_t measured(void);
/* Bytes of memory that the process has. */
uint64_t resident(void);

/* How often to do what is done `base` times at scale 1; at least once. */
uint64_t times(double scale, double base);

/* Zeroed memory from the system, already resident, that is never given back. */
void *table(size_t bytes);

/* Runs `body` in `threads` threads, told apart by `id`. The measured part begins when all of them
 * stand ready and ends when the last has been joined. */
enum { MOST_THREADS = 16 };
void measure_threads(unsigned threads, void (*body)(unsigned id, void *shared), void *shared);

/* Xorshift64*: a few instructions, and its state stays in a register. */
struct random {
    uint64_t state;
};

static inline struct random random_from(uint64_t seed)
{
    return (struct random){(seed + 1) * 0x9e3779b97f4a7c15};
}

static inline uint64_t draw(struct random *random)
{
    uint64_t x = random->state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    random->state = x;
    return x * 0x2545f4914f6cdd1d;
}

/* An index below `bound` from the upper half of a draw; the lower half is left for a size. */
static inline uint32_t below(uint32_t bound, uint64_t drawn)
{
    return (uint32_t)((drawn >> 32) * bound >> 32);
}

void shuffle(uint32_t *order, uint32_t count, uint64_t seed);

/* Sizes drawn beforehand; which of them is next is told by the lower half of a draw. */
struct sizes {
    uint32_t of[1024];
};

/* All sizes from `low` to `high` are equally likely. */
void sizes_even(struct sizes *sizes, uint32_t low, uint32_t high);
/* All doublings from `low` to `high` are equally likely, as small blocks are commoner in programs. */
void sizes_skewed(struct sizes *sizes, uint32_t low, uint32_t high);

static inline uint32_t size_of(const struct sizes *sizes, uint64_t drawn)
{
    return sizes->of[drawn % COUNT(sizes->of)];
}

/* What a user leaves in a block of at least 8 bytes: whose it is and how large, and for more than
 * one cache line a last byte too. */
static inline void stamp(void *block, size_t size, uint32_t tag)
{
    *(uint64_t *)block = (uint64_t)tag << 32 | (uint32_t)size;
    if (size > 64)
        ((uint8_t *)block)[size - 1] = (uint8_t)tag;
}

static inline void check(const void *block, uint32_t tag)
{
    uint64_t head = *(const uint64_t *)block;
    uint32_t size = (uint32_t)head;
    if (head >> 32 != tag)
        fail("the first bytes of a block have changed");
    if (size > 64 && ((const uint8_t *)block)[size - 1] != (uint8_t)tag)
        fail("the last byte of a block has changed");
}

static inline void *not_null(void *block)
{
    if (block == NULL)
        fail("no memory");
    return block;
}

static inline void *take(size_t size, uint32_t tag)
{
    void *block = not_null(malloc(size));
    stamp(block, size, tag);
    return block;
}

/* One block in eight is looked at, told by `turn`, a counter of the loop: that costs little, and
 * leaves it to the allocator whether a block's memory is touched when it is freed. */
static inline void drop(void *block, uint32_t tag, uint64_t turn)
{
    if (turn % 8 == 0)
        check(block, tag);
    free(block);
}

#endif
