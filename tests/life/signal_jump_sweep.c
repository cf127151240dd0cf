/* Handlers that leave by siglongjmp while their thread looks through the slabs that nobody owns: others
 * go on with that. */
#include <pthread.h>
#include <sys/time.h>
#include "check.h"
#include "jump.h"

enum { BLOCKS = 60000, SIZE = 1000 };

static char *block[BLOCKS];
static volatile int freed;

static void *takes(void *unused)
{
    for (int i = 0; i < BLOCKS; i++) {
        CHECK((block[i] = malloc(SIZE)) != NULL);
        fill(block[i], SIZE, 1);
    }
    return unused;
}

static void *frees(void *unused)
{
    for (int i = 0; i < BLOCKS; i++)
        free(block[i]);
    return unused;
}

/* On a thread without signals. */
static void run(void *(*work)(void *))
{
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    CHECK(pthread_create(&thread, NULL, work, NULL) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    CHECK(pthread_join(thread, NULL) == 0);
}

int main(void)
{
    size_t before = resident();
    signal(SIGALRM, leaves);
    for (int round = 0; round < rounds(20); round++) {
        run(takes);
        freed = 0;
        struct itimerval soon = {{0, 0}, {0, 500 + round * 977 % 12000}}, never = {{0, 0}, {0, 0}};
        if (sigsetjmp(out, 1) == 0) {
            armed = 1;
            setitimer(ITIMER_REAL, &soon, NULL);
        }
        while (freed < BLOCKS) {
            int next = freed;
            freed = next + 1;
            free(block[next]);
        }
        armed = 0;
        setitimer(ITIMER_REAL, &never, NULL);
    }
    for (int round = 0; round < 4; round++) {
        run(takes);
        run(frees);
    }
    CHECK(resident() < before + 24 * MIB);
    return ok();
}
