/* `exit` runs while detached threads are in the midst of the heap: no crash, no hang. */
#include <pthread.h>
#include <sys/wait.h>
#include "check.h"

static void *busy(void *arg)
{
    uint64_t random = (uint64_t)(uintptr_t)arg;
    char *kept[100] = {0};
    for (;;) {
        char **p = &kept[next_random(&random) % 100];
        *p = realloc(*p, some_size(&random));
    }
    return NULL;
}

int main(void)
{
    for (int i = 0; i < 60; i++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            alarm(20);
            pthread_t thread;
            for (uintptr_t t = 0; t < 4; t++)
                CHECK(pthread_create(&thread, NULL, busy, (void *)t) == 0);
            usleep((unsigned)(i % 10) * 300);
            exit(0);
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    }
    return ok();
}
