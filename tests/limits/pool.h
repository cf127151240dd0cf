/* Blocks that a program holds on to, each full of its own byte, to use up memory with. */
#ifndef POOL_H
#define POOL_H

#include "check.h"

enum { POOL_MOST = 1 << 15 };

struct pool {
    size_t count, bytes;
    struct { char *p; size_t size; } block[POOL_MOST];
};

/* Allocates blocks of mixed sizes, some of them resized or asked to be zero, until a request is
 * refused or `most` bytes are had. */
static inline void pool_fill(struct pool *pool, size_t most, uint64_t seed)
{
    uint64_t random = seed;
    while (pool->bytes < most && pool->count < POOL_MOST) {
        size_t size = next_random(&random) % 20 == 0 ? next_random(&random) % MIB
                                                     : some_size(&random) * 4;
        char *p;
        errno = 0;
        switch (next_random(&random) % 4) {
        case 0:
            p = calloc(1, size);
            CHECK(p == NULL || holds(p, size, 0));
            break;
        case 1: {
            p = malloc(size / 2 + 1);
            if (p == NULL)
                break;
            fill(p, size / 2 + 1, 0x77);
            char *more = realloc(p, size);
            if (more == NULL) {
                CHECK(errno == ENOMEM);
                CHECK(holds(p, size / 2 + 1, 0x77));
                free(p);
            } else {
                CHECK(holds(more, size < size / 2 + 1 ? size : size / 2 + 1, 0x77));
            }
            p = more;
            break;
        }
        default:
            p = malloc(size);
        }
        if (p == NULL) {
            CHECK(errno == ENOMEM);
            return;
        }
        fill(p, size, (unsigned char)pool->count);
        pool->block[pool->count].p = p;
        pool->block[pool->count++].size = size;
        pool->bytes += size;
    }
}

/* After the first refusal, small requests may succeed for a while: takes all of them too. */
static inline void pool_exhaust(struct pool *pool, uint64_t seed)
{
    pool_fill(pool, SIZE_MAX, seed);
    for (size_t size = MIB; size >= 1; size /= 4) {
        char *p;
        while (pool->count < POOL_MOST && (errno = 0, p = malloc(size)) != NULL) {
            fill(p, size, (unsigned char)pool->count);
            pool->block[pool->count].p = p;
            pool->block[pool->count++].size = size;
            pool->bytes += size;
        }
        CHECK(pool->count == POOL_MOST || errno == ENOMEM);
    }
}

static inline void pool_check(const struct pool *pool)
{
    for (size_t i = 0; i < pool->count; i++)
        CHECK(holds(pool->block[i].p, pool->block[i].size, (unsigned char)i));
}

static inline void pool_free(struct pool *pool)
{
    /* In an order that is neither that of allocation nor its reverse. */
    for (size_t k = 0; k < 7; k++)
        for (size_t i = k; i < pool->count; i += 7) {
            CHECK(holds(pool->block[i].p, pool->block[i].size, (unsigned char)i));
            free(pool->block[i].p);
        }
    pool->count = pool->bytes = 0;
}

#endif
