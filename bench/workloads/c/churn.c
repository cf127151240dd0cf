/* Threads by the thousand: each starts, allocates, leaves some blocks behind, and ends. */
#include "loads.h"

#include <pthread.h>

enum { AT_ONCE = 4, BLOCKS = 64, LEFT = 16 };

struct visit {
    const struct sizes *sizes;
    uint32_t number;
    void *left[LEFT];
};

static void *visitor(void *arg)
{
    struct visit *visit = arg;
    void *block[BLOCKS];
    struct random random = random_from(visit->number);
    for (uint32_t i = 0; i < BLOCKS; i++)
        block[i] = take(size_of(visit->sizes, draw(&random)), visit->number + i);
    for (uint32_t i = 0; i < LEFT; i++)
        visit->left[i] = block[i];
    for (uint32_t i = LEFT; i < BLOCKS; i++)
        drop(block[i], visit->number + i, i);
    return NULL;
}

static uint64_t churned(double scale, unsigned variant)
{
    (void)variant;
    static struct sizes sizes;
    static struct visit visit[AT_ONCE];
    sizes_even(&sizes, 16, 512);
    uint64_t rounds = times(scale, 5000);
    measure_begin();
    for (uint64_t round = 0; round < rounds; round++) {
        pthread_t thread[AT_ONCE];
        for (uint32_t t = 0; t < AT_ONCE; t++) {
            visit[t].sizes = &sizes;
            visit[t].number = (uint32_t)round * BLOCKS;
            if (pthread_create(&thread[t], NULL, visitor, &visit[t]) != 0)
                fail("no thread");
        }
        for (uint32_t t = 0; t < AT_ONCE; t++) {
            pthread_join(thread[t], NULL);
            for (uint32_t i = 0; i < LEFT; i++)
                drop(visit[t].left[i], visit[t].number + i, i);
        }
    }
    measure_end();
    return rounds * AT_ONCE;
}

static const struct workload rows[] = {
    {"thread-churn", "threads that take 64 blocks, leave 16 and end (op: a thread): a thread for each request", churned, 0, 1},
};
GROUP(churn, rows);
