/* Threads without end, a few at a time: each takes over the heap of one that went, and what it leaves
 * is freed by those after it. Neither heaps nor memory grow with the number of threads that were.
 *
 * generations THREADS */
#include <pthread.h>
#include "hmm_by_name.h"

enum { WAVE = 10, LEFT = 8 };

struct left {
    unsigned char *p[LEFT];
    size_t size[LEFT];
};

static struct left left[WAVE];

/* Frees what its predecessor left, leaves as much itself, and touches classes that change with time. */
static void *live(void *arg)
{
    struct left *mine = arg;
    static _Atomic uint64_t births;
    uint64_t random = births++;
    for (size_t i = 0; i < LEFT; i++) {
        CHECK(holds(mine->p[i], mine->size[i], 7));
        free(mine->p[i]);
        mine->size[i] = some_size(&random);
        CHECK((mine->p[i] = malloc(mine->size[i])) != NULL);
        fill(mine->p[i], mine->size[i], 7);
        free(malloc(some_size(&random)));
    }
    return NULL;
}

static void wave(void)
{
    static pthread_t thread[WAVE];
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 64 * KIB);
    for (size_t i = 0; i < WAVE; i++)
        CHECK(pthread_create(&thread[i], &attr, live, &left[i]) == 0);
    for (size_t i = 0; i < WAVE; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
    pthread_attr_destroy(&attr);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    size_t threads = strtoul(argv[1], NULL, 10);
    for (size_t done = 0; done < threads / 10; done += WAVE)
        wave();
    struct HmmStatistics early = hmm_stats();
    for (size_t done = threads / 10; done < threads; done += WAVE)
        wave();
    struct HmmStatistics late = hmm_stats();
    fprintf(stderr, "%zu threads: %zu heaps, %zu KiB resident and %zu KiB metadata; after a tenth %zu, %zu and %zu\n",
        threads, late.heaps, late.resident / KIB, late.metadata / KIB, early.heaps, early.resident / KIB,
        early.metadata / KIB);
    CHECK(late.heaps <= WAVE + 1);
    CHECK(late.resident <= early.resident + 8 * MIB);
    CHECK(late.metadata <= early.metadata + 1 * MIB);
    for (size_t i = 0; i < WAVE; i++)
        for (size_t j = 0; j < LEFT; j++)
            free(left[i].p[j]);
    hmm_is_sound();
    return ok();
}
