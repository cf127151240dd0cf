/* What is free is within its bound also where a thread does nothing but free, and where many free
 * each other's at once.
 *
 * others (frees | neighbours) */
#include <pthread.h>
#include "check.h"
#include "hmm.h"

enum { BLOCKS = 200000, SIZE = 1000 };

static char *block[BLOCKS];

static void *takes(void *unused)
{
    for (int i = 0; i < BLOCKS; i++) {
        CHECK((block[i] = malloc(SIZE)) != NULL);
        fill(block[i], SIZE, 1);
    }
    return unused;
}

static void *frees(void *first)
{
    for (size_t i = (size_t)first; i < BLOCKS; i += 2)
        free(block[i]);
    return NULL;
}

static void run(void *(*work)(void *), size_t arg)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, work, (void *)arg) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void nobody_frees(void)
{
    size_t before = resident();
    run(takes, 0);
    CHECK(resident() > before + (size_t)BLOCKS * SIZE);
    /* Neither ever allocates. */
    run(frees, 0);
    run(frees, 1);
    CHECK(resident() < before + 16 * MIB);
}

enum { NEIGHBOURS = 16, SMALL = 48, EACH = 300000 };

static char *of[NEIGHBOURS][EACH];
static pthread_barrier_t all;

/* Takes blocks, and frees those of the next one at the same time as all others do; then all rest. (Once:
 * what comes and goes again and again is kept.) */
static void *frees_the_next_ones(void *number)
{
    size_t me = (size_t)number;
    for (int i = 0; i < EACH; i++) {
        CHECK((of[me][i] = malloc(SMALL)) != NULL);
        fill(of[me][i], SMALL, 1);
    }
    pthread_barrier_wait(&all);
    char **next = of[(me + 1) % NEIGHBOURS];
    uint64_t random = me;
    for (size_t left = EACH; left > 0; left--) {
        size_t at = next_random(&random) % left;
        free(next[at]);
        next[at] = next[left - 1];
    }
    pthread_barrier_wait(&all);
    if (me == 0)
        CHECK(resident() < sizeof of + 40 * MIB);
    pthread_barrier_wait(&all);
    return NULL;
}

static void neighbours(void)
{
    pthread_t thread[NEIGHBOURS];
    CHECK(pthread_barrier_init(&all, NULL, NEIGHBOURS) == 0);
    for (size_t i = 0; i < NEIGHBOURS; i++)
        CHECK(pthread_create(&thread[i], NULL, frees_the_next_ones, (void *)i) == 0);
    for (size_t i = 0; i < NEIGHBOURS; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    if (strcmp(argv[1], "frees") == 0)
        nobody_frees();
    else
        neighbours();
    CHECK(HmmCheck() == 0);
    return ok();
}
