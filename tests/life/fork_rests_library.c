/* As libraries for linear algebra do: the constructor registers fork handlers, by which a thread of the library's is
 * stopped and joined, and begun again. Nothing was allocated before that. */
#include <pthread.h>
#include <semaphore.h>
#include "check.h"

static pthread_t thread;
static sem_t stop;

static void *works(void *unused)
{
    char *p = malloc(50);
    CHECK(p != NULL);
    sem_wait(&stop);
    free(p);
    return unused;
}

static void begin(void)
{
    CHECK(pthread_create(&thread, NULL, works, NULL) == 0);
}

static void end(void)
{
    sem_post(&stop);
    CHECK(pthread_join(thread, NULL) == 0);
}

__attribute__((constructor)) static void early(void)
{
    CHECK(sem_init(&stop, 0, 0) == 0);
    CHECK(pthread_atfork(end, begin, NULL) == 0);
    /* glibc's table has room for 48 handlers. */
    const char *more = getenv("MORE_HANDLERS");
    for (long n = more == NULL ? 0 : strtol(more, NULL, 10); n > 0; n--)
        CHECK(pthread_atfork(NULL, NULL, NULL) == 0);
    begin();
}
