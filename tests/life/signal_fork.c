/* Signals that arrive in the midst of the heap's work, and a handler that forks: no lock that
 * the interrupted thread holds may keep the fork waiting. */
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include "check.h"

static volatile sig_atomic_t arrived;

static void forks(int unused)
{
    (void)unused;
    int kept = errno;
    arrived++;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    int status = -1;
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
    errno = kept;
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
    struct sigaction action = {.sa_handler = forks};
    struct itimerval every = {{0, 1500}, {0, 1500}}, never = {{0, 0}, {0, 0}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    while (arrived < 300)
        step();
    setitimer(ITIMER_REAL, &never, NULL);
    for (int i = 0; i < 200000; i++)
        step();
    return ok();
}
