/* A program that becomes itself over and over, from the first thread and from others, with blocks
 * allocated and threads at work at that moment.
 *
 * exec [LEFT] */
#include <pthread.h>
#include "check.h"

static char **arguments;

static void *busy(void *arg)
{
    for (;;)
        free(malloc((size_t)(uintptr_t)arg));
    return NULL;
}

static void *becomes(void *unused)
{
    execv("/proc/self/exe", arguments);
    CHECK(!"reached");
    return unused;
}

int main(int argc, char **argv)
{
    int left = argc > 1 ? atoi(argv[1]) : 100;
    if (left == 0)
        return ok();
    char *text;
    CHECK(asprintf(&text, "%d", left - 1) > 0);
    char *next[] = {argv[0], text, NULL};
    arguments = next;
    for (int i = 0; i < 50; i++)
        CHECK(malloc((size_t)i * 1000) != NULL);
    pthread_t thread;
    if (left % 4 == 0)
        for (uintptr_t t = 1; t < 4; t++)
            CHECK(pthread_create(&thread, NULL, busy, (void *)(t * 1000)) == 0);
    if (left % 3 != 0)
        becomes(NULL);
    CHECK(pthread_create(&thread, NULL, becomes, NULL) == 0);
    pthread_join(thread, NULL);
    return 1;
}
