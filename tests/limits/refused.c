/* System calls that the kernel refuses from some moment on, as a sandbox does: the heap goes on with
 * what it has or can get otherwise, and answers ENOMEM at worst.
 *
 * refused (EPERM | ENOSYS) CALL... [-- PROGRAM]
 *
 * With a program, that is what goes on, in the same sandbox from its start. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "pool.h"

static struct pool pool;

static const struct { const char *name; long number; } calls[] = {
    {"brk", SYS_brk}, {"mmap", SYS_mmap}, {"mremap", SYS_mremap}, {"madvise", SYS_madvise},
    {"munmap", SYS_munmap}, {"mprotect", SYS_mprotect}, {"sched_yield", SYS_sched_yield},
    {"getrandom", SYS_getrandom},
};

static void refuse(const char *name, unsigned error)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (strcmp(calls[i].name, name) != 0)
            continue;
        struct sock_filter code[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {sizeof code / sizeof *code, code};
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
        return;
    }
    CHECK(!"a known call");
}

int main(int argc, char **argv)
{
    CHECK(argc > 2);
    unsigned error = strcmp(argv[1], "EPERM") == 0 ? EPERM : ENOSYS;
    pool_fill(&pool, 20 * MIB, 1);
    char *large = malloc(10 * MIB), *gone = malloc(10 * MIB);
    CHECK(large != NULL && gone != NULL);
    fill(large, 10 * MIB, 1);
    fill(gone, 10 * MIB, 2);

    int brk = 0, mmap = 0, mprotect = 0;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            execv(argv[i + 1], argv + i + 1);
            return 1;
        }
        brk |= strcmp(argv[i], "brk") == 0;
        mmap |= strcmp(argv[i], "mmap") == 0;
        mprotect |= strcmp(argv[i], "mprotect") == 0;
        refuse(argv[i], error);
    }

    /* Growth comes first: some calls' refusal looks like success to libc. */
    char *grown = malloc(50 * MIB);
    CHECK(grown != NULL || errno == ENOMEM);
    if (grown != NULL)
        fill(grown, 50 * MIB, 4);
    CHECK(holds(gone, 10 * MIB, 2));
    /* Its neighbour is in the way: it has to move. */
    char *moved = realloc(large, 12 * MIB);
    CHECK(moved != NULL || errno == ENOMEM);
    large = moved != NULL ? moved : large;
    CHECK(holds(large, 10 * MIB, 1));
    free(gone);
    free(grown);
    for (uint64_t round = 0; round < 3; round++) {
        pool_fill(&pool, pool.bytes + 60 * MIB, round);
        pool_check(&pool);
        /* A request that can not be met is refused; what it was for stays as it is. */
        errno = 0;
        char *more = realloc(large, 40 * MIB);
        CHECK(more != NULL || errno == ENOMEM);
        large = more != NULL ? more : large;
        CHECK(holds(large, 10 * MIB, 1));
        char *aligned = aligned_alloc(8 * MIB, 100);
        CHECK(aligned == NULL || is_aligned(OPAQUE(aligned), 8 * MIB));
        free(aligned);
        char *zero = calloc(1, 20 * MIB);
        CHECK(zero == NULL || holds(zero, 20 * MIB, 0));
        if (zero != NULL)
            fill(zero, 20 * MIB, 3);
        free(zero);
        malloc_trim(0);
        /* With one of the two ways to memory open, and tables that can grow, there is memory. */
        CHECK((brk && mmap) || mprotect || pool.bytes >= 60 * MIB);
        pool_free(&pool);
        pool_check(&pool);
    }
    /* What was freed can be had again, in any case. */
    pool_fill(&pool, 15 * MIB, 1);
    CHECK(pool.bytes >= 15 * MIB);
    pool_check(&pool);
    pool_free(&pool);
    CHECK(holds(large, 10 * MIB, 1));
    free(large);
    return ok();
}
