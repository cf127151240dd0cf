/* What is free is within its bound also where a thread does nothing but free, and large blocks that
 * threads keep for their next give way to a bound, or a limit, that is set later.
 *
 * So it is where many free each other's at once.
 *
 * others (frees | neighbours | lowered | limited) */
#include <pthread.h>
#include "check.h"
#include "hmm.h"

enum { BLOCKS = 200000, SIZE = 1000 };
#define LARGE (5 * MIB)

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

static int turn;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;

static void set_turn(int to)
{
    pthread_mutex_lock(&mutex);
    turn = to;
    pthread_cond_broadcast(&turned);
    pthread_mutex_unlock(&mutex);
}

static void await_turn(int is)
{
    pthread_mutex_lock(&mutex);
    while (turn != is)
        pthread_cond_wait(&turned, &mutex);
    pthread_mutex_unlock(&mutex);
}

static void pass_large(int times)
{
    for (int i = 0; i < times; i++) {
        char *p = malloc(LARGE);
        CHECK(p != NULL);
        fill(p, LARGE, 1);
        free(p);
    }
}

static void *keeps(void *unused)
{
    pass_large(1);
    set_turn(1);
    await_turn(2);
    pass_large(50);
    set_turn(3);
    await_turn(4);
    return unused;
}

/* A thread keeps a large block and sleeps. */
static void sleeper(pthread_t *thread)
{
    CHECK(pthread_create(thread, NULL, keeps, NULL) == 0);
    await_turn(1);
}

static void lowered(void)
{
    pthread_t thread;
    size_t before = resident();
    sleeper(&thread);
    CHECK(resident() > before + LARGE / 10 * 9);
    HmmSetOption(HMM_OPTION_KEEP, 0);
    set_turn(2);
    await_turn(3);
    CHECK(resident() < before + MIB);
    set_turn(4);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void limited(void)
{
    enum { LIMIT = 16 * 1024 * 1024 };
    pthread_t thread;
    HmmSetLimit(LIMIT);
    sleeper(&thread);
    void *p = malloc(LIMIT / 10 * 9);
    CHECK(p != NULL);
    free(p);
    set_turn(2);
    await_turn(3);
    set_turn(4);
    CHECK(pthread_join(thread, NULL) == 0);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    if (strcmp(argv[1], "frees") == 0)
        nobody_frees();
    else if (strcmp(argv[1], "neighbours") == 0)
        neighbours();
    else if (strcmp(argv[1], "lowered") == 0)
        lowered();
    else
        limited();
    CHECK(HmmCheck() == 0);
    return ok();
}
