/* Large blocks that threads keep for their next give way to a bound, or a limit, that is set later.
 *
 * kept (lowered | limited) */
#include <pthread.h>
#include "check.h"
#include "hmm.h"

#define LARGE (5 * MIB)

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
    if (strcmp(argv[1], "lowered") == 0)
        lowered();
    else
        limited();
    CHECK(HmmCheck() == 0);
    return ok();
}
