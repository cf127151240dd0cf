/* Fork handlers registered before anything was allocated, as many as the environment says: where libc's
 * own table of them is full, it grows it by malloc, also in the midst of HMM's set-up. */
#include <pthread.h>
#include <sys/wait.h>
#include "check.h"

static int prepared;

static void prepare(void)
{
    prepared++;
}

__attribute__((constructor(101))) static void early(void)
{
    const char *handlers = getenv("HANDLERS");
    for (long n = handlers == NULL ? 0 : strtol(handlers, NULL, 10); n > 0; n--)
        CHECK(pthread_atfork(prepare, NULL, NULL) == 0);
}

int main(void)
{
    pid_t child = fork();
    CHECK(child >= 0);
    char *p = malloc(100);
    CHECK(p != NULL);
    fill(p, 100, 1);
    free(p);
    if (child == 0)
        _exit(0);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(prepared == strtol(getenv("HANDLERS"), NULL, 10));
    return ok();
}
