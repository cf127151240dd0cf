/* A signal handler that leaves by siglongjmp, whatever the heap was at: that may cost a block, but
 * no lock stays behind, and no block has two owners. */
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include "check.h"

static volatile sig_atomic_t arrived;
static sigjmp_buf back;

static void leaves(int unused)
{
    (void)unused;
    arrived++;
    siglongjmp(back, 1);
}

static uint64_t state = 5;
static char *kept[200];
static size_t size[200];

static void step(void)
{
    size_t at = next_random(&state) % 200, n = some_size(&state);
    CHECK(holds(kept[at], size[at], (unsigned char)at));
    char *old = kept[at];
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
    struct itimerval every = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    /* Left at any point, `kept` knows each block or has lost it. */
    sigsetjmp(back, 1);
    while (arrived < 1000)
        step();
    setitimer(ITIMER_REAL, &never, NULL);
    for (int i = 0; i < 200000; i++)
        step();
    return ok();
}
