/* Runs one program and writes down what it took:
 *
 *     measure REPORT SECONDS PRELOAD PROGRAM [ARGUMENT...]
 *
 * It is a process of its own, and a small one, for a reason: Linux counts the
 * memory of who calls exec as the peak of what it becomes. Started from the
 * benchmark itself, every program would seem as large as the benchmark.
 *
 * PRELOAD is "-" for none. After SECONDS the program is killed, with all that
 * it started. REPORT gets one line: how it ended (exit code, or 128 + signal, or -1 for
 * out of time), nanoseconds, microseconds of CPU, peak KiB, page faults. */

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t child;
static volatile sig_atomic_t out_of_time;

/* The program has a process group of its own, so that its children go, too. */
static void end_child(int signal)
{
    if (signal == SIGALRM)
        out_of_time = 1;
    if (child > 0)
        kill(-child, SIGKILL);
    if (signal != SIGALRM)
        _exit(130);
}

static long long nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long microseconds(struct timeval time)
{
    return time.tv_sec * 1000000LL + time.tv_usec;
}

int main(int count, char **words)
{
    if (count < 5) {
        fprintf(stderr, "usage: measure REPORT SECONDS PRELOAD PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGINT, end_child);
    signal(SIGTERM, end_child);
    signal(SIGALRM, end_child);

    long long start = nanoseconds();
    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        if (strcmp(words[3], "-") != 0)
            setenv("LD_PRELOAD", words[3], 1);
        execvp(words[4], words + 4);
        fprintf(stderr, "%s: %s\n", words[4], strerror(errno));
        _exit(127);
    }
    if (child < 0) {
        perror("fork");
        return 2;
    }
    setpgid(child, child);
    alarm(atoi(words[2]));

    int status;
    struct rusage used;
    while (wait4(child, &status, 0, &used) < 0) {
        if (errno != EINTR) {
            perror("wait4");
            return 2;
        }
    }
    long long end = nanoseconds();

    int code = out_of_time ? -1 : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    FILE *report = fopen(words[1], "w");
    if (report == NULL) {
        perror(words[1]);
        return 2;
    }
    fprintf(report, "%d %lld %lld %ld %ld\n", code, end - start,
        microseconds(used.ru_utime) + microseconds(used.ru_stime), used.ru_maxrss, used.ru_minflt);
    return fclose(report) == 0 ? 0 : 2;
}
