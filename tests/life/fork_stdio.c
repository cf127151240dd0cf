/* A thread that allocates while it holds the list of stdio's files, and one that forks: each wants
 * what the other has. */
#include <pthread.h>
#include <sys/wait.h>
#include "check.h"

static volatile int over;

static ssize_t writes(void *cookie, const char *text, size_t n)
{
    (void)cookie, (void)text;
    free(malloc(300000));
    return (ssize_t)n;
}

static void *flushes(void *unused)
{
    cookie_io_functions_t functions = {.write = writes};
    FILE *stream = fopencookie(NULL, "w", functions);
    CHECK(stream != NULL);
    while (!over) {
        fputc('x', stream);
        fflush(NULL);
    }
    return unused;
}

int main(void)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, flushes, NULL) == 0);
    for (int round = 0; round < 3000; round++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            _exit(0);
        CHECK(waitpid(pid, NULL, 0) == pid);
    }
    over = 1;
    CHECK(pthread_join(thread, NULL) == 0);
    return ok();
}
