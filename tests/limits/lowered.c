/* A limit that the program lowers and raises while it runs.
 *
 * lowered (data | address-space | tightly | by-others) */
#include <sys/resource.h>
#include <sys/wait.h>
#include "pool.h"

static struct pool pool;

/* The figure of a line of /proc/self/status, in bytes. */
static size_t status(const char *line)
{
    char text[4096];
    int fd = open("/proc/self/status", O_RDONLY);
    CHECK(fd >= 0);
    ssize_t n = read(fd, text, sizeof text - 1);
    CHECK(n > 0);
    close(fd);
    text[n] = 0;
    char *at = strstr(text, line);
    CHECK(at != NULL);
    return strtoul(at + strlen(line), NULL, 10) * KIB;
}

static int by_others;

static void limit(int which, size_t bytes)
{
    struct rlimit l;
    CHECK(getrlimit(which, &l) == 0);
    l.rlim_cur = bytes == 0 ? l.rlim_max : bytes;
    if (!by_others) {
        CHECK(setrlimit(which, &l) == 0);
        return;
    }
    /* By another process. It needs nothing of this one's heap. */
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(prlimit(getppid(), which, &l, NULL) != 0);
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void lower_and_raise(int which, const char *line)
{
    pool_fill(&pool, 20 * MIB, 1);
    size_t had = pool.bytes;
    limit(which, status(line) + 1 * MIB);
    pool_exhaust(&pool, 2);
    pool_check(&pool);
    /* Far less than there would be without the limit. */
    CHECK(pool.bytes < had + 64 * MIB);
    /* Lower than what is in use: all goes on with what there is. */
    limit(which, 1 * MIB);
    pool_check(&pool);
    free(pool.block[0].p);
    pool.block[0].p = realloc(NULL, pool.block[0].size);
    if (pool.block[0].p == NULL)
        pool.block[0].size = 0;
    fill(pool.block[0].p, pool.block[0].size, 0);
    CHECK(malloc(100 * MIB) == NULL && errno == ENOMEM);
    pool_check(&pool);
    limit(which, 0);
    size_t full = pool.bytes;
    pool_fill(&pool, full + 50 * MIB, 3);
    CHECK(pool.bytes >= full + 50 * MIB);
    pool_check(&pool);
    pool_free(&pool);
    char *large = malloc(200 * MIB);
    CHECK(large != NULL);
    fill(large, 200 * MIB, 1);
    free(large);
}

/* To a limit that programs set for themselves at their start: what was merely reserved by then
 * must not use it up. */
static void lower_tightly(void)
{
    free(malloc(1));
    limit(RLIMIT_AS, 128 * MIB);
    pool_exhaust(&pool, 1);
    pool_check(&pool);
    CHECK(pool.bytes >= 64 * MIB);
    pool_free(&pool);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    by_others = strcmp(argv[1], "by-others") == 0;
    if (strcmp(argv[1], "data") == 0)
        lower_and_raise(RLIMIT_DATA, "VmData:");
    else if (strcmp(argv[1], "tightly") == 0)
        lower_tightly();
    else
        lower_and_raise(RLIMIT_AS, "VmSize:");
    return ok();
}
