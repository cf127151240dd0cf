/* Threads that allocate for the first time in a key's destructor leave no heap behind. */
#include <pthread.h>
#include "check.h"
#include "hmm.h"

static pthread_key_t key;

static void destructor(void *unused)
{
    (void)unused;
    char *p = malloc(100);
    CHECK(p != NULL);
    free(p);
}

static void *idle(void *unused)
{
    (void)unused;
    CHECK(pthread_setspecific(key, &key) == 0);
    return NULL;
}

int main(void)
{
    free(malloc(1));
    CHECK(pthread_key_create(&key, destructor) == 0);
    for (int i = 0; i < 200; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, idle, NULL) == 0 && pthread_join(thread, NULL) == 0);
    }
    HmmStatistics now;
    HmmStats(&now);
    CHECK(now.heaps <= 3);
    return ok();
}
