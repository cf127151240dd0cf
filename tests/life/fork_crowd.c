/* A process with many threads that have used a few blocks forks: the child takes their heaps over, and writes little
 * of them. */
#include <pthread.h>
#include <sys/wait.h>
#include "check.h"

enum { THREADS = 200, BLOCKS = 8, STACK = 65536 };

static pthread_barrier_t all_are_there;

static void *sleeps(void *unused)
{
    void *p[BLOCKS];
    for (int i = 0; i < BLOCKS; i++)
        CHECK((p[i] = malloc(200)) != NULL);
    for (int i = 0; i < BLOCKS; i++)
        free(p[i]);
    pthread_barrier_wait(&all_are_there);
    pause();
    return unused;
}

/* Bytes of memory that no other process shares. */
static size_t own_memory(void)
{
    char line[256];
    size_t kib = 0, bytes = 0;
    FILE *rollup = fopen("/proc/self/smaps_rollup", "r");
    CHECK(rollup != NULL);
    while (fgets(line, sizeof line, rollup))
        if (sscanf(line, "Private_Dirty: %zu", &kib) == 1)
            bytes += kib * KIB;
    fclose(rollup);
    return bytes;
}

int main(void)
{
    CHECK(pthread_barrier_init(&all_are_there, NULL, THREADS + 1) == 0);
    pthread_attr_t small;
    CHECK(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, STACK) == 0);
    for (int t = 0; t < THREADS; t++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, &small, sleeps, NULL) == 0);
    }
    pthread_barrier_wait(&all_are_there);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        size_t own = own_memory();
        fprintf(stderr, "%zu KiB\n", own / KIB);
        _exit(own > THREADS * 24 * KIB);
    }
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    return ok();
}
