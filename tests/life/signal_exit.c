/* A signal handler that ends the program, by `exit` or at once, whatever the heap was at: what then
 * runs at exit may find no memory, but waits for nobody. */
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include "check.h"

static void at_exit(void)
{
    for (size_t n = 1; n < (size_t)1 << 20; n = n * 3 + 1)
        free(malloc(n));
}

static int at_once;

static void ends(int unused)
{
    (void)unused;
    if (at_once)
        _exit(0);
    exit(0);
}

static void works(int round)
{
    struct sigaction action = {.sa_handler = ends};
    struct itimerval soon = {{0, 0}, {0, 200 + round % 977}};
    at_once = round % 4 == 3;
    atexit(at_exit);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    for (;;)
        free(malloc(300000));
}

int main(void)
{
    for (int round = 0; round < rounds(1000); round++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            works(round);
        int status = -1;
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    }
    return ok();
}
