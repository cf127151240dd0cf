/* A handler that forks in the midst of the heap's work, while other threads of a crowd are in the midst
 * of theirs: what they held does not keep the child waiting. */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include "check.h"

enum { CROWD = 24, SIZES = 60 };

static volatile sig_atomic_t arrived, done;

/* Few blocks of many sizes: such as threads take side by side. */
static void few_of_many(size_t first)
{
    void *block[SIZES];
    for (size_t i = 0; i < SIZES; i++)
        block[i] = malloc(first + i * 131);
    for (size_t i = 0; i < SIZES; i++)
        free(block[i]);
}

static void forks(int unused)
{
    (void)unused;
    int kept = errno;
    arrived++;
    pid_t pid = fork();
    if (pid == 0) {
        alarm(20);
        few_of_many(7);
        _exit(0);
    }
    int status = -1;
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
    errno = kept;
}

static void *rests(void *barrier)
{
    free(malloc(1));
    pthread_barrier_wait(barrier);
    while (!done)
        usleep(10000);
    return NULL;
}

static void *begins(void *unused)
{
    few_of_many(16);
    return unused;
}

static void *starts_others(void *unused)
{
    while (!done) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, begins, NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    return unused;
}

int main(void)
{
    pthread_barrier_t barrier;
    pthread_t crowd[CROWD], starter;
    pthread_barrier_init(&barrier, NULL, CROWD + 1);
    sigset_t alarms, before;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarms, &before);
    for (int i = 0; i < CROWD; i++)
        CHECK(pthread_create(&crowd[i], NULL, rests, &barrier) == 0);
    pthread_barrier_wait(&barrier);
    CHECK(pthread_create(&starter, NULL, starts_others, NULL) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);

    struct sigaction action = {.sa_handler = forks};
    struct itimerval every = {{0, 1500}, {0, 1500}}, never = {{0, 0}, {0, 0}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    uint64_t state = 7;
    while (arrived < 300)
        free(malloc(200000 + next_random(&state) % 2000000));
    setitimer(ITIMER_REAL, &never, NULL);
    done = 1;
    CHECK(pthread_join(starter, NULL) == 0);
    for (int i = 0; i < CROWD; i++)
        CHECK(pthread_join(crowd[i], NULL) == 0);
    return ok();
}
