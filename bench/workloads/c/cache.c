/* A cache that grows to its limit and then evicts the longest unused: memcached, a browser. */
#include "loads.h"

#include <string.h>

enum { ITEMS = 1 << 14, LIMIT = 96 << 20 };

struct item {
    uint8_t *bytes;
    uint32_t size;
    uint32_t used;
};

/* The items stand in a ring in the order in which they came; one that was used since is passed to the
 * end instead of being evicted. */
struct cache {
    struct item ring[ITEMS];
    uint32_t first, filled;
    size_t bytes;
};

static struct item *item(struct cache *cache, uint32_t number)
{
    return &cache->ring[(cache->first + number) % ITEMS];
}

static void append(struct cache *cache, struct item added)
{
    *item(cache, cache->filled++) = added;
}

static void evict(struct cache *cache)
{
    for (;;) {
        struct item oldest = *item(cache, 0);
        cache->first = (cache->first + 1) % ITEMS;
        cache->filled--;
        if (oldest.used == 0) {
            check(oldest.bytes, oldest.size);
            free(oldest.bytes);
            cache->bytes -= oldest.size;
            return;
        }
        oldest.used = 0;
        append(cache, oldest);
    }
}

static uint64_t evicting(double scale, unsigned variant)
{
    (void)variant;
    static struct sizes sizes;
    struct cache *cache = table(sizeof *cache);
    sizes_skewed(&sizes, 100, 100 * KIB);
    struct random random = random_from(0);
    uint64_t ops = times(scale, 250e3);
    measure_begin();
    for (uint64_t turn = 0; turn < ops; turn++) {
        uint64_t drawn = draw(&random);
        uint32_t size = size_of(&sizes, drawn);
        while (cache->bytes + size > LIMIT || cache->filled == ITEMS)
            evict(cache);
        struct item added = {not_null(malloc(size)), size, 0};
        memset(added.bytes, (int)turn, size);
        stamp(added.bytes, size, size);
        append(cache, added);
        cache->bytes += size;
        /* As many hits as misses; an item that was hit will outlive its neighbours. */
        item(cache, below(cache->filled, drawn))->used = 1;
    }
    measure_end();
    return ops;
}

static const struct workload rows[] = {
    {"cache-evict", "a cache of 96 MiB, items of 100 B-100 KiB, the longest unused evicted: memcached", evicting, 0, 1},
};
GROUP(cache, rows);
