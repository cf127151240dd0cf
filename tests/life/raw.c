/* Children and threads that libc knows nothing of: raw fork and clone system calls, and `_Fork`, for
 * which no handlers run. The child allocates, starts threads and forks in turn. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "check.h"

static char *left[100];

static void *use(void *arg)
{
    uint64_t random = (uint64_t)(uintptr_t)arg;
    char *p[50] = {0};
    for (int i = 0; i < 500; i++) {
        size_t at = next_random(&random) % 50, size = some_size(&random);
        CHECK((p[at] = realloc(p[at], size)) != NULL);
        fill(p[at], size, 1);
    }
    for (int i = 0; i < 50; i++)
        free(p[i]);
    char *large = malloc(3 * MIB);
    CHECK(large != NULL);
    free(realloc(large, 9 * MIB));
    return NULL;
}

static void in_thread(void)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, use, (void *)7) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static pid_t raw_fork(int how)
{
    switch (how) {
    case 0:
        return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#ifdef SYS_fork
    case 1:
        return (pid_t)syscall(SYS_fork);
#endif
    default:
        return _Fork();
    }
}

static void ended(pid_t pid)
{
    int status = -1;
    CHECK(pid > 0 && waitpid(pid, &status, __WALL) == pid && status == 0);
}

static void child(int how)
{
    alarm(60);
    use((void *)3);
    for (int i = 0; i < 100; i++)
        free(left[i]);
    pid_t pid = raw_fork(how);
    if (pid == 0) {
        use((void *)4);
        _exit(0);
    }
    ended(pid);
    pid = fork();
    if (pid == 0) {
        in_thread();
        _exit(0);
    }
    ended(pid);
    _exit(0);
}

/* On its maker's memory and thread-local storage, while that one waits. */
static int beside(void *arg)
{
    use(arg);
    syscall(SYS_exit, 0);
    return 0;
}

int main(void)
{
    for (int i = 0; i < 100; i++)
        CHECK((left[i] = malloc((size_t)i * 300)) != NULL);
    for (int i = 0; i < 60; i++) {
        if (i % 10 == 5)
            in_thread();
        pid_t pid = raw_fork(i % 3);
        if (pid == 0)
            child(i % 3);
        ended(pid);
    }
    char *stack = malloc(256 * KIB);
    for (uintptr_t i = 0; i < 100; i++) {
        int how = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_VFORK | SIGCHLD;
        ended(clone(beside, stack + 256 * KIB, how, (void *)i));
        use((void *)i);
    }
    free(stack);
    return ok();
}
