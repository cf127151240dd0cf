/* A library's fork handlers take its own lock, under which its threads allocate: in whatever order the
 * locks are taken, nobody waits for ever. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include "check.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *kept[100];
static atomic_int over;

static void take(void)
{
    CHECK(pthread_mutex_lock(&lock) == 0);
    free(malloc(300000));
}

static void let_go(void)
{
    free(malloc(500000));
    CHECK(pthread_mutex_unlock(&lock) == 0);
}

static void *works(void *arg)
{
    uint64_t random = (uint64_t)(uintptr_t)arg;
    while (!over) {
        char **p = &kept[next_random(&random) % 100];
        CHECK(pthread_mutex_lock(&lock) == 0);
        CHECK((*p = realloc(*p, some_size(&random) * 8)) != NULL);
        CHECK(pthread_mutex_unlock(&lock) == 0);
    }
    return NULL;
}

int main(void)
{
    CHECK(pthread_atfork(take, let_go, let_go) == 0);
    pthread_t thread[4];
    for (uintptr_t t = 0; t < 4; t++)
        CHECK(pthread_create(&thread[t], NULL, works, (void *)t) == 0);
    for (int i = 0; i < rounds(60); i++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            alarm(30);
            take();
            for (int k = 0; k < 100; k++)
                free(kept[k]);
            let_go();
            _exit(0);
        }
        int status = -1;
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    }
    over = 1;
    for (int t = 0; t < 4; t++)
        CHECK(pthread_join(thread[t], NULL) == 0);
    return ok();
}
