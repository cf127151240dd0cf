/* Forks while threads free each other's blocks: a child lacks threads that were in the middle of a free, and its
 * heap is sound. */
#include <pthread.h>
#include <stdatomic.h>
#include "children.h"

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
    children_are_sound(800);
    is_over = 1;
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
    return ok();
}
