/* Threads that are stopped wherever they are, a handler's sleep long: the others go on, but for what
 * the sleeper has locked, and nobody who waits keeps the processor busy. On one core, too. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include "check.h"

enum { THREADS = 6, SLOTS = 50 };

static atomic_int over;
static atomic_ulong steps[THREADS];
static void *_Atomic shared[SLOTS];

static void sleeps(int unused)
{
    (void)unused;
    int kept = errno;
    struct timespec time = {0, 5000000};
    nanosleep(&time, NULL);
    errno = kept;
}

static void *works(void *arg)
{
    uintptr_t me = (uintptr_t)arg;
    uint64_t random = me;
    char *kept[SLOTS] = {0};
    while (!over) {
        size_t at = next_random(&random) % SLOTS;
        size_t size = some_size(&random) + (at == 0 ? MIB : 0);
        CHECK((kept[at] = realloc(kept[at], size)) != NULL);
        /* And frees of others' blocks. */
        free(atomic_exchange(&shared[at], malloc(size)));
        steps[me]++;
    }
    for (int i = 0; i < SLOTS; i++)
        free(kept[i]);
    return NULL;
}

int main(void)
{
    struct sigaction action = {.sa_handler = sleeps, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    pthread_t thread[THREADS];
    for (uintptr_t t = 0; t < THREADS; t++)
        CHECK(pthread_create(&thread[t], NULL, works, (void *)t) == 0);
    uint64_t random = 1;
    struct timespec pause = {0, 500000};
    for (int i = 0; i < rounds(500); i++) {
        CHECK(pthread_kill(thread[next_random(&random) % THREADS], SIGUSR1) == 0);
        nanosleep(&pause, NULL);
    }
    /* Everybody gets on. */
    for (int t = 0; t < THREADS; t++) {
        unsigned long now = steps[t];
        while (steps[t] < now + 10)
            nanosleep(&pause, NULL);
    }
    over = 1;
    for (int t = 0; t < THREADS; t++)
        CHECK(pthread_join(thread[t], NULL) == 0);
    for (int i = 0; i < SLOTS; i++)
        free(shared[i]);
    return ok();
}
