/* Threads whose stacks lie 4 GiB and 64 GiB apart, to the byte: locks tell them from each other, and
 * those that wait are woken. */
#include <pthread.h>
#include <sys/mman.h>
#include "check.h"

#define THREADS 4
#define STACK MIB

static pthread_barrier_t together;

static void *contend(void *arg)
{
    uint64_t random = (uint64_t)(uintptr_t)arg;
    pthread_barrier_wait(&together);
    for (int i = 0; i < 20000; i++) {
        /* Mostly beyond what a thread keeps for itself. */
        char *p = malloc(100 * KIB + next_random(&random) % (3 * MIB));
        CHECK(p != NULL);
        char *q = malloc(50 * KIB + next_random(&random) % MIB);
        CHECK(q != NULL);
        free(p);
        free(q);
    }
    return NULL;
}

/* Stacks at the same place of four ranges. */
static int map(uintptr_t base, char *stack[THREADS])
{
    static const uintptr_t away[THREADS] = {0, 4 * GIB, 64 * GIB, 68 * GIB};
    for (int t = 0; t < THREADS; t++) {
        void *at = (void *)(base + away[t]);
        stack[t] = mmap(at, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (stack[t] != at)
            return 0;
    }
    return 1;
}

int main(void)
{
    char *stack[THREADS];
    uintptr_t base = 16 * GIB;
    while (!map(base, stack))
        CHECK((base += 256 * GIB) < 100 * 1024 * GIB);
    CHECK(pthread_barrier_init(&together, NULL, THREADS) == 0);
    pthread_t thread[THREADS];
    for (int t = 0; t < THREADS; t++) {
        pthread_attr_t attr;
        pthread_attr_init(&attr);
        CHECK(pthread_attr_setstack(&attr, stack[t], STACK) == 0);
        CHECK(pthread_create(&thread[t], &attr, contend, (void *)(uintptr_t)(t + 1)) == 0);
    }
    for (int t = 0; t < THREADS; t++)
        CHECK(pthread_join(thread[t], NULL) == 0);
    return ok();
}
