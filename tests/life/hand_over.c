/* Blocks allocated in one thread and freed in another: a pipeline, a ring, and a table that all
 * threads replace blocks in. Every content arrives; nothing grows; idle threads hold up nothing. */
#include <pthread.h>
#include <stdatomic.h>
#include "check.h"

enum { SLOTS = 256 };

struct block {
    size_t size;
    unsigned char with;
    unsigned char bytes[];
};

static struct block *make(uint64_t *random)
{
    size_t size = some_size(random);
    struct block *b = malloc(sizeof *b + size);
    CHECK(b != NULL);
    b->size = size;
    b->with = (unsigned char)next_random(random);
    fill(b->bytes, size, b->with);
    return b;
}

static void take(struct block *b)
{
    CHECK(holds(b->bytes, b->size, b->with));
    free(b);
}

/* A pipeline: one thread only makes, one only takes. */
static struct block *_Atomic pipe_[SLOTS];

static void *maker(void *arg)
{
    long count = (long)arg;
    uint64_t random = 1;
    for (long i = 0; i < count; i++) {
        struct block *b = make(&random);
        while (atomic_load_explicit(&pipe_[i % SLOTS], memory_order_relaxed))
            sched_yield();
        atomic_store_explicit(&pipe_[i % SLOTS], b, memory_order_release);
    }
    return NULL;
}

static void *taker(void *arg)
{
    long count = (long)arg;
    for (long i = 0; i < count; i++) {
        struct block *b;
        while (!(b = atomic_load_explicit(&pipe_[i % SLOTS], memory_order_acquire)))
            sched_yield();
        atomic_store_explicit(&pipe_[i % SLOTS], NULL, memory_order_release);
        take(b);
    }
    return NULL;
}

/* A table in which every thread replaces what any other put there. */
static struct block *_Atomic table[4096];

static void *replacer(void *arg)
{
    uint64_t random = (uint64_t)(uintptr_t)arg;
    for (int i = 0; i < 200000; i++) {
        struct block *mine = make(&random);
        mine = atomic_exchange(&table[next_random(&random) % 4096], mine);
        if (mine)
            take(mine);
    }
    return NULL;
}

static void both(void *(*a)(void *), void *(*b)(void *), void *arg)
{
    pthread_t thread[2];
    CHECK(pthread_create(&thread[0], NULL, a, arg) == 0);
    CHECK(pthread_create(&thread[1], NULL, b, arg) == 0);
    CHECK(pthread_join(thread[0], NULL) == 0);
    CHECK(pthread_join(thread[1], NULL) == 0);
}

/* Threads that allocated, and then sleep while others free all that they have. */
static pthread_barrier_t allocated, freed;
static char *idle[8][2000];

static void *idler(void *arg)
{
    char **mine = arg;
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 2000; i++)
            fill(mine[i] = malloc(3000), 3000, 1);
        pthread_barrier_wait(&allocated);
        pthread_barrier_wait(&freed);
    }
    return NULL;
}

static void idlers(void)
{
    pthread_t thread[8];
    pthread_barrier_init(&allocated, NULL, 9);
    pthread_barrier_init(&freed, NULL, 9);
    for (int t = 0; t < 8; t++)
        CHECK(pthread_create(&thread[t], NULL, idler, idle[t]) == 0);
    size_t first = 0;
    for (int round = 0; round < 6; round++) {
        pthread_barrier_wait(&allocated);
        if (round == 0)
            first = resident();
        /* At first hardly anything was free; what may be kept comes on top. */
        CHECK(resident() < first + 24 * MIB);
        for (int t = 0; t < 8; t++)
            for (int i = 0; i < 2000; i++) {
                CHECK(holds(idle[t][i], 3000, 1));
                free(idle[t][i]);
            }
        pthread_barrier_wait(&freed);
    }
    for (int t = 0; t < 8; t++)
        CHECK(pthread_join(thread[t], NULL) == 0);
}

int main(void)
{
    both(maker, taker, (void *)20000L);
    size_t before = resident();
    both(maker, taker, (void *)300000L);
    CHECK(resident() < before + 16 * MIB);

    pthread_t thread[6];
    for (uintptr_t t = 0; t < 6; t++)
        CHECK(pthread_create(&thread[t], NULL, replacer, (void *)(t + 1)) == 0);
    for (int t = 0; t < 6; t++)
        CHECK(pthread_join(thread[t], NULL) == 0);
    for (int i = 0; i < 4096; i++)
        if (table[i])
            take(table[i]);
    idlers();
    return ok();
}
