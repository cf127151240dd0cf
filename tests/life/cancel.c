/* Threads that are cancelled while they allocate: no function of the family is a cancellation
 * point, so no lock stays behind, and cleanup handlers free what the thread had. */
#include <malloc.h>
#include <pthread.h>
#include "check.h"

static void clean_up(void *p)
{
    free(*(char **)p);
}

static void *allocates(void *arg)
{
    uint64_t random = (uint64_t)(uintptr_t)arg;
    char *kept = NULL;
    pthread_cleanup_push(clean_up, &kept);
    for (;;) {
        for (int i = 0; i < 50; i++) {
            CHECK((kept = realloc(kept, some_size(&random))) != NULL);
            /* Large blocks take system calls. */
            if (i % 10 == 0) {
                char *p = malloc(8 * MIB);
                CHECK(p != NULL);
                p[0] = p[8 * MIB - 1] = 1;
                free(p);
                malloc_trim(0);
            }
        }
        pthread_testcancel();
    }
    pthread_cleanup_pop(1);
    return NULL;
}

/* With cancellation pending from the start, all of the family runs to its end. */
static void *passes(void *unused)
{
    pthread_cancel(pthread_self());
    for (size_t size = 1; size < 64 * MIB; size *= 3) {
        char *p = malloc(size);
        CHECK(p != NULL && (p = realloc(p, size * 2)) != NULL);
        free(p);
        free(calloc(1, size));
        free(memalign(4096, size));
        malloc_trim(0);
        (void)mallinfo2();
        malloc_stats();
    }
    int *reached = unused;
    *reached = 1;
    pthread_testcancel();
    CHECK(!"reached");
    return NULL;
}

int main(void)
{
    for (uintptr_t i = 0; i < 400; i++) {
        pthread_t thread;
        void *end;
        CHECK(pthread_create(&thread, NULL, allocates, (void *)i) == 0);
        usleep((unsigned)(i % 20) * 100);
        CHECK(pthread_cancel(thread) == 0);
        CHECK(pthread_join(thread, &end) == 0 && end == PTHREAD_CANCELED);
    }
    int reached = 0;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, passes, &reached) == 0);
    CHECK(pthread_join(thread, NULL) == 0 && reached);
    return ok();
}
