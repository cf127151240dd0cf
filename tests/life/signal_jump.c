/* Signal handlers that leave by siglongjmp whatever they interrupted: what the heap was at is lost,
 * and no more than that. */
#include <malloc.h>
#include <pthread.h>
#include <sys/time.h>
#include "check.h"
#include "jump.h"

enum { SLOTS = 200 };

static char *volatile kept[SLOTS];
static volatile size_t size[SLOTS];

static void step(uint64_t *random)
{
    size_t at = next_random(random) % SLOTS, n = some_size(random);
    if (next_random(random) % 50 == 0)
        n += next_random(random) % MIB;
    char *old = kept[at];
    CHECK(holds(old, size[at], (unsigned char)at));
    size[at] = 0;
    kept[at] = NULL;
    free(old);
    char *fresh = malloc(n);
    CHECK(fresh != NULL);
    fill(fresh, n, (unsigned char)at);
    kept[at] = fresh;
    size[at] = n;
}

int main(void)
{
    struct sigaction action = {.sa_handler = leaves};
    struct itimerval every = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
    static uint64_t random = 5;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    while (jumps < rounds(1000)) {
        if (sigsetjmp(out, 1) == 0) {
            armed = 1;
            for (;;)
                step(&random);
        }
    }
    setitimer(ITIMER_REAL, &never, NULL);
    for (int i = 0; i < 100000; i++)
        step(&random);
    return ok();
}
