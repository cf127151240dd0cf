/* Signal handlers that leave a free of another thread's block by a jump: its neighbours are not lost with it. */
#include <pthread.h>
#include <stdatomic.h>
#include <malloc.h>
#include "check.h"
#include "jump.h"

#pragma weak HmmCheck
int HmmCheck(void);

enum { BOXES = 16384, SIZE = 1024 };

static _Atomic(void *) box[BOXES];
static atomic_int is_over;

static void *takes(void *unused)
{
    uint64_t random = 1;
    while (!is_over) {
        _Atomic(void *) *at = &box[next_random(&random) % BOXES];
        if (*at == NULL)
            *at = malloc(SIZE);
    }
    return unused;
}

static void *frees(void *unused)
{
    static uint64_t random = 2;
    sigsetjmp(out, 1);
    while (!is_over) {
        void *block = atomic_exchange(&box[next_random(&random) % BOXES], NULL);
        if (block != NULL) {
            armed = 1;
            free(block);
            armed = 0;
        }
    }
    return unused;
}

int main(void)
{
    size_t before = resident();
    pthread_t taker, freer;
    signal(SIGUSR1, leaves);
    CHECK(pthread_create(&taker, NULL, takes, NULL) == 0);
    CHECK(pthread_create(&freer, NULL, frees, NULL) == 0);
    while (jumps < rounds(2000)) {
        CHECK(pthread_kill(freer, SIGUSR1) == 0);
        usleep(200);
    }
    is_over = 1;
    CHECK(pthread_join(freer, NULL) == 0);
    CHECK(pthread_join(taker, NULL) == 0);
    CHECK(HmmCheck == NULL || HmmCheck() == 0);
    for (int i = 0; i < BOXES; i++)
        free(box[i]);
    malloc_trim(0);
    /* Each cost a block at most, not a slab of 64 KiB. */
    CHECK(resident() < before + 2 * MIB + jumps * KIB);
    return ok();
}
