/* A program that locks itself in, by a filter that ends it for a question that the heap has put at the start: the
 * heap grows and shrinks without it, and counts itself through without a file. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include "pool.h"

static struct pool pool;

static void lock_in(unsigned call)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* Whether this machine's clock is read without a call of the kernel's. */
static int reads_clock_alone(void)
{
    int status;
    struct timespec time;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        lock_in(SYS_clock_gettime);
        _exit(clock_gettime(CLOCK_MONOTONIC, &time));
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    return status == 0;
}

/* Whether figures by glibc's names are told without a file. (The report at exit reads one.) */
static int counts_itself(void)
{
    int status;
    char *block = malloc(MIB);
    pid_t pid = fork();
    CHECK(block != NULL && pid >= 0);
    if (pid == 0) {
        lock_in(SYS_openat);
        _exit(mallinfo2().uordblks < MIB);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    free(block);
    return status == 0;
}

int main(void)
{
    if (reads_clock_alone())
        lock_in(SYS_clock_gettime);
    lock_in(SYS_prlimit64);
    lock_in(SYS_sysinfo);
    lock_in(SYS_uname);
    lock_in(SYS_lseek);
    for (uint64_t round = 0; round < 3; round++) {
        pool_fill(&pool, 60 * MIB, round);
        CHECK(pool.bytes >= 60 * MIB);
        pool_check(&pool);
        pool_free(&pool);
        /* Many of one size, which huge pages are made for. */
        static char *block[40000];
        for (size_t i = 0; i < 40000; i++)
            fill(block[i] = malloc(1000), 1000, 1);
        char *large = malloc(MIB);
        CHECK(large != NULL);
        fill(large, MIB, 2);
        CHECK((large = realloc(large, 40 * MIB)) != NULL && holds(large, MIB, 2));
        free(large);
        for (size_t i = 0; i < 40000; i++)
            free(block[i]);
        malloc_trim(0);
    }
    CHECK(counts_itself());
    return ok();
}
