/* The clock, tables and threads that the workloads share. */
#include "loads.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static uint64_t begun, ended;

static uint64_t now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

void measure_begin(void)
{
    begun = now();
}

void measure_end(void)
{
    ended = now();
}

uint64_t measured(void)
{
    return ended - begun;
}

uint64_t resident(void)
{
    unsigned long long all, here = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm == NULL || fscanf(statm, "%llu %llu", &all, &here) != 2)
        fail("/proc/self/statm cannot be read");
    fclose(statm);
    return here * (uint64_t)sysconf(_SC_PAGESIZE);
}

void fail(const char *what)
{
    fprintf(stderr, "loads-c: %s\n", what);
    /* Not exit: other threads may be in the heap that has just been found damaged. */
    _exit(1);
}

uint64_t times(double scale, double base)
{
    double count = scale * base;
    return count < 1 ? 1 : (uint64_t)count;
}

void *table(size_t bytes)
{
    void *made = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (made == MAP_FAILED)
        fail("no memory for the workload's own tables");
    return made;
}

void shuffle(uint32_t *order, uint32_t count, uint64_t seed)
{
    struct random random = random_from(seed);
    for (uint32_t i = count; i > 1; i--) {
        uint32_t other = below(i, draw(&random)), swapped = order[i - 1];
        order[i - 1] = order[other];
        order[other] = swapped;
    }
}

void sizes_even(struct sizes *sizes, uint32_t low, uint32_t high)
{
    struct random random = random_from(low + high);
    for (size_t i = 0; i < COUNT(sizes->of); i++)
        sizes->of[i] = low + below(high - low + 1, draw(&random));
}

void sizes_skewed(struct sizes *sizes, uint32_t low, uint32_t high)
{
    struct random random = random_from(low + high);
    uint32_t doublings = 0;
    while (low << (doublings + 1) <= high)
        doublings++;
    for (size_t i = 0; i < COUNT(sizes->of); i++) {
        uint32_t from = low << below(doublings, draw(&random));
        sizes->of[i] = from + below(from + 1, draw(&random));
    }
}

struct threads {
    pthread_barrier_t ready;
    void (*body)(unsigned id, void *shared);
    void *shared;
};

struct thread {
    struct threads *all;
    unsigned id;
};

static void *thread(void *arg)
{
    struct thread *own = arg;
    pthread_barrier_wait(&own->all->ready);
    own->all->body(own->id, own->all->shared);
    return NULL;
}

void measure_threads(unsigned count, void (*body)(unsigned id, void *shared), void *shared)
{
    struct threads all = {.body = body, .shared = shared};
    struct thread own[MOST_THREADS];
    pthread_t handle[MOST_THREADS];
    pthread_barrier_init(&all.ready, NULL, count + 1);
    for (unsigned id = 0; id < count; id++) {
        own[id] = (struct thread){&all, id};
        if (pthread_create(&handle[id], NULL, thread, &own[id]) != 0)
            fail("no thread");
    }
    /* Read before the last one arrives: the others may run long before this thread goes on. */
    measure_begin();
    pthread_barrier_wait(&all.ready);
    for (unsigned id = 0; id < count; id++)
        pthread_join(handle[id], NULL);
    measure_end();
}
