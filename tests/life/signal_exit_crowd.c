/* As `signal_exit.c`, among many threads, which take their first blocks from one heap: who exits has interrupted the run
 * layer, and others wait for that with the shared heap in their hands. */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include "check.h"

static void at_exit(void)
{
    void *p[40];
    for (size_t i = 0; i < 40; i++)
        p[i] = malloc(700 + i * 128);
    for (size_t i = 0; i < 40; i++)
        free(p[i]);
}

static void ends(int unused)
{
    (void)unused;
    exit(0);
}

static void *rest(void *unused)
{
    free(malloc(1));
    for (;;)
        pause();
    return unused;
}

static void *borrow(void *unused)
{
    void *p[8];
    for (size_t size = 64; size <= 4 * KIB; size += 64) {
        for (int i = 0; i < 8; i++)
            p[i] = malloc(size);
        for (int i = 0; i < 8; i++)
            free(p[i]);
    }
    return unused;
}

static void *start_others(void *unused)
{
    for (;;) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, borrow, NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    return unused;
}

static void works(int round)
{
    sigset_t all, none;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &none);
    for (int t = 0; t < 34; t++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, t < 30 ? rest : start_others, NULL) == 0);
    }
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    struct itimerval soon = {{0, 0}, {0, 5000 + round * 137 % 30000}};
    atexit(at_exit);
    signal(SIGALRM, ends);
    setitimer(ITIMER_REAL, &soon, NULL);
    for (;;) {
        static char *p[300];
        for (size_t i = 0; i < 300; i++)
            if ((p[i] = malloc(20000 + i * 200)) != NULL)
                *p[i] = 1;
        for (size_t i = 0; i < 300; i++)
            free(p[i]);
    }
}

int main(void)
{
    for (int round = 0; round < rounds(60); round++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            works(round);
        int status = -1;
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    }
    return ok();
}
