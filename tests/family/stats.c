/* `malloc_stats`, also with a cancellation pending: it is no cancellation point that leaves a
 * lock behind, and the heap works on. */
#include <malloc.h>
#include <pthread.h>
#include "check.h"

static void *cancelled(void *unused)
{
    pthread_cancel(pthread_self());
    malloc_stats();
    free(malloc(100));
    pthread_testcancel();
    return unused;
}

int main(void)
{
    void *kept = malloc(100000);
    malloc_stats();
    for (int i = 0; i < 10; i++) {
        pthread_t thread;
        void *end;
        CHECK(pthread_create(&thread, NULL, cancelled, NULL) == 0);
        CHECK(pthread_join(thread, &end) == 0);
        CHECK(end == PTHREAD_CANCELED);
        malloc_stats();
    }
    free(kept);
    return ok();
}
