/* Threads of a crowd, which borrow their first blocks, come and go, while the heap grows and looks for
 * what is free first. */
#include <pthread.h>
#include <time.h>
#include "check.h"

static volatile int stop;

static void *rest(void *unused)
{
    free(malloc(1));
    while (!stop)
        usleep(10000);
    return unused;
}

static void *borrow(void *unused)
{
    for (int round = 0; round < 64; round++)
        for (size_t size = 64; size <= KIB; size += 64) {
            char *p = malloc(size);
            CHECK(p != NULL);
            *p = 1;
            free(p);
        }
    return unused;
}

static void *start_others(void *unused)
{
    while (!stop) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, borrow, NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    return unused;
}

static void *grow(void *unused)
{
    while (!stop) {
        char *p = malloc(96 * MIB);
        CHECK(p != NULL);
        *p = 1;
        free(p);
    }
    return unused;
}

int main(void)
{
    void *(*const work[])(void *) = {start_others, start_others, start_others, start_others, grow};
    enum { RESTING = 30, WORKING = sizeof work / sizeof *work };
    pthread_t thread[RESTING + WORKING];
    for (int t = 0; t < RESTING + WORKING; t++)
        CHECK(pthread_create(&thread[t], NULL, t < RESTING ? rest : work[t - RESTING], NULL) == 0);
    sleep((unsigned)rounds(2));
    stop = 1;
    for (int t = 0; t < RESTING + WORKING; t++)
        CHECK(pthread_join(thread[t], NULL) == 0);
    return ok();
}
