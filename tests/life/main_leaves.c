/* The first thread ends by pthread_exit; the others go on with the heap, free what it left,
 * and the last of them ends the process. */
#include <pthread.h>
#include <stdatomic.h>
#include "check.h"

static char *from_main[1000];
static pthread_t main_thread;
static atomic_int running = 4;

static void *stays(void *arg)
{
    uintptr_t mine = (uintptr_t)arg;
    if (mine == 0) {
        CHECK(pthread_join(main_thread, NULL) == 0);
        for (int i = 0; i < 1000; i++) {
            CHECK(holds(from_main[i], (size_t)i * 10, 1));
            free(from_main[i]);
        }
    }
    uint64_t random = mine;
    char *kept[100] = {0};
    for (int i = 0; i < 100000; i++) {
        char **p = &kept[next_random(&random) % 100];
        CHECK((*p = realloc(*p, some_size(&random))) != NULL);
    }
    for (int i = 0; i < 100; i++)
        free(kept[i]);
    if (atomic_fetch_sub(&running, 1) == 1) {
        puts("ok");
        exit(0);
    }
    return NULL;
}

int main(void)
{
    main_thread = pthread_self();
    for (int i = 0; i < 1000; i++)
        fill(from_main[i] = malloc((size_t)i * 10), (size_t)i * 10, 1);
    for (uintptr_t t = 0; t < 4; t++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, stays, (void *)t) == 0);
        pthread_detach(thread);
    }
    pthread_exit(NULL);
}
