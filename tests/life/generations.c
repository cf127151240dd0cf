/* A process that forks in the midst of its threads' work, whose child does the same, and so on: the
 * heaps of threads that stayed behind are taken over, generation after generation. */
#include <pthread.h>
#include <sys/wait.h>
#include "check.h"
#include "hmm.h"

#pragma weak HmmStats
#pragma weak HmmCheck

enum { GENERATIONS = 20, BUSY = 4 };

static volatile int over;

static void *busy(void *arg)
{
    uint64_t random = (uint64_t)(uintptr_t)arg;
    char *kept[64] = {0};
    while (!over) {
        char **p = &kept[next_random(&random) % 64];
        CHECK((*p = realloc(*p, some_size(&random))) != NULL);
    }
    return NULL;
}

int main(void)
{
    int generations = rounds(GENERATIONS);
    for (int i = 0; i < generations; i++) {
        pthread_t thread;
        for (uintptr_t t = 0; t < BUSY; t++)
            CHECK(pthread_create(&thread, NULL, busy, (void *)t) == 0);
        usleep(3000);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid != 0) {
            over = 1;
            int status = -1;
            CHECK(waitpid(pid, &status, 0) == pid);
            _exit(status != 0);
        }
        alarm(60);
    }
    /* But for those that were being changed at that moment. */
    HmmStatistics statistics;
    HmmStats(&statistics);
    printf("%zu heaps\n", statistics.heaps);
    CHECK(statistics.heaps <= (size_t)generations * 3 + BUSY + 1);
    CHECK(HmmCheck() == 0);
    return ok();
}
