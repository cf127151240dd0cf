/* Forks while threads free each other's blocks: a child lacks threads that were in the middle of a free, and its
 * heap is sound. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include "check.h"

#pragma weak HmmCheck
int HmmCheck(void);

enum { THREADS = 4, BOXES = 4096, SIZE = 64 };

static _Atomic(void *) box[BOXES];
static atomic_int is_over;

static void *swaps(void *number)
{
    uint64_t random = (uintptr_t)number;
    while (!is_over)
        free(atomic_exchange(&box[next_random(&random) % BOXES], malloc(SIZE)));
    return NULL;
}

int main(void)
{
    pthread_t thread[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&thread[i], NULL, swaps, (void *)(i + 1)) == 0);
    for (int round = 0; round < rounds(800); round++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            CHECK(HmmCheck == NULL || HmmCheck() == 0);
            _exit(0);
        }
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    is_over = 1;
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
    return ok();
}
