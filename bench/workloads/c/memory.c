/* What stays in memory: programs that change the mix of their sizes, that shrink to a twentieth, and
 * threads that sleep. */
#include "loads.h"

#include <pthread.h>
#include <string.h>

/* A live set that grows to so many bytes in one mix of sizes and loses most of it, again and again;
 * tables are as large as the smallest blocks demand. */
struct set {
    void **block;
    uint32_t *size;
    uint32_t blocks, room;
    size_t bytes;
};

static struct set set_for(size_t bytes, uint32_t low)
{
    uint32_t room = (uint32_t)(bytes / low);
    return (struct set){table(room * sizeof(void *)), table(room * sizeof(uint32_t)), 0, room, 0};
}

static void grow(struct set *set, size_t bytes, const struct sizes *sizes, struct random *random)
{
    while (set->bytes < bytes && set->blocks < set->room) {
        uint32_t size = size_of(sizes, draw(random));
        set->block[set->blocks] = memset(not_null(malloc(size)), 1, size);
        stamp(set->block[set->blocks], size, size);
        set->size[set->blocks++] = size;
        set->bytes += size;
    }
}

static void drop_at(struct set *set, uint32_t at)
{
    set->bytes -= set->size[at];
    drop(set->block[at], set->size[at], at);
    set->blocks--;
    set->block[at] = set->block[set->blocks];
    set->size[at] = set->size[set->blocks];
}

/* Drops blocks anywhere, `cluster` neighbours at a time. */
static void shrink(struct set *set, size_t bytes, uint32_t cluster, struct random *random)
{
    while (set->bytes > bytes) {
        uint32_t at = below(set->blocks, draw(random));
        for (uint32_t i = 0; i < cluster && at < set->blocks && set->bytes > bytes; i++, at++)
            drop_at(set, at);
    }
}

enum { PHASES = 6, SHIFTING = 64 << 20 };

static const struct shift {
    uint32_t cluster;
    struct {
        uint32_t low, high;
    } mix[PHASES];
} shifts[] = {
    {256, {{16, 128}, {1024, 8192}, {64, 512}, {4096, 32768}, {32, 256}, {256, 2048}}},
    {1, {{16, 128}, {1024, 8192}, {64, 512}, {4096, 32768}, {32, 256}, {256, 2048}}},
    {1, {{16, 32}, {48, 64}, {16, 64}, {32, 48}, {64, 96}, {16, 32}}},
};

static uint64_t shifting(double scale, unsigned variant)
{
    static struct sizes sizes[PHASES];
    const struct shift *shift = &shifts[variant];
    for (unsigned p = 0; p < PHASES; p++)
        sizes_even(&sizes[p], shift->mix[p].low, shift->mix[p].high);
    struct set set = set_for(SHIFTING, 24);
    struct random random = random_from(variant);
    uint64_t phases = times(scale, PHASES), ops = 0;
    measure_begin();
    for (uint64_t phase = 0; phase < phases; phase++) {
        grow(&set, SHIFTING, &sizes[phase % PHASES], &random);
        ops += set.blocks;
        shrink(&set, SHIFTING / 10, shift->cluster, &random);
    }
    measure_end();
    return ops;
}

/* README's demonstration. */
static uint64_t shrinking(double scale, unsigned variant)
{
    (void)variant;
    static struct sizes sizes;
    sizes_even(&sizes, 1000, 100000);
    size_t bytes = (size_t)(scale * 1e9);
    struct set set = set_for(bytes, 10000);
    struct random random = random_from(0);
    measure_begin();
    grow(&set, bytes, &sizes, &random);
    uint64_t ops = set.blocks;
    shrink(&set, bytes / 20, 1, &random);
    measure_end();
    return ops;
}

enum { SLEEPERS = 256, TURNS = 4, MINE = 300 };

static pthread_barrier_t asleep;
static struct sizes sleepers_sizes;

static void *sleeper(void *arg)
{
    struct random random = random_from((uintptr_t)arg);
    void *mine[MINE];
    uint32_t size[MINE];
    for (unsigned turn = 0; turn < TURNS; turn++) {
        for (unsigned i = 0; i < MINE; i++) {
            size[i] = size_of(&sleepers_sizes, draw(&random));
            mine[i] = take(size[i], size[i]);
        }
        for (unsigned i = 0; i < MINE; i++)
            drop(mine[i], size[i], i);
    }
    pthread_barrier_wait(&asleep);
    for (;;)
        pthread_barrier_wait(&asleep);
    return NULL;
}

static uint64_t sleeping(double scale, unsigned variant)
{
    (void)variant, (void)scale;
    sizes_skewed(&sleepers_sizes, 16, 16384);
    pthread_barrier_init(&asleep, NULL, SLEEPERS + 1);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 * KIB);
    measure_begin();
    for (uintptr_t t = 0; t < SLEEPERS; t++) {
        pthread_t thread;
        if (pthread_create(&thread, &small, sleeper, (void *)t) != 0)
            fail("no thread");
    }
    pthread_barrier_wait(&asleep);
    measure_end();
    return SLEEPERS * TURNS * MINE;
}

static const struct workload rows[] = {
    {"shift-clustered", "64 MiB of one size mix, 90 % dropped in clusters, then another mix: a service between tasks", shifting, 0, 1},
    {"shift-random", "64 MiB of one size mix, 90 % dropped at random, then another mix: the same with caches", shifting, 1, 1},
    {"shift-tiny", "64 MiB of objects of 16-96 B, 90 % dropped at random, then others: interpreters", shifting, 2, 1},
    {"idle-256", "256 threads that worked with blocks of 16 B-16 KiB, freed all and sleep: a pool after a burst", sleeping, 0, 1},
    {"shrink-1g", "1 GB in blocks of 1-100 kB, all but a twentieth dropped at random: a server after its peak hour", shrinking, 0, 1},
};
GROUP(memory, rows);
