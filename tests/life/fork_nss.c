/* A thread looks up a name for the first time, so that libc reads its configuration and allocates with
 * a lock held; another forks meanwhile, which takes that lock after the heap's. */
#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include "check.h"

static atomic_int done;

static void *looks_up(void *unused)
{
    CHECK(getpwnam("root") != NULL);
    done = 1;
    return unused;
}

static void once(void)
{
    alarm(20);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, looks_up, NULL) == 0);
    while (!done) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            _exit(0);
        int status = -1;
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    }
    CHECK(pthread_join(thread, NULL) == 0);
    _exit(0);
}

int main(void)
{
    free(malloc(100));
    for (int i = 0; i < rounds(200); i++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            once();
        int status = -1;
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    }
    return ok();
}
