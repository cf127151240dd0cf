/* What the kernel is told about huge pages behind the heap: none for who wants none, also where more was asked for
 * before, and where nobody tells what the kernel does by itself. What others have between is not touched.
 *
 * advice (0 | calls | unknown): HMM_HUGE_PAGES is 0, or not set */
#include <inttypes.h>
#include <sys/resource.h>
#include "check.h"
#include "hmm.h"

/* What holds for the mapping in which `p` lies: `nh` and `hg` are the two kinds of advice. */
static int is_advised(const void *p, const char *flag)
{
    FILE *file = fopen("/proc/self/smaps", "r");
    CHECK(file != NULL);
    char line[1000];
    uintptr_t start, end, at = (uintptr_t)p;
    int is_here = 0, is = -1;
    while (is < 0 && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &start, &end) == 2)
            is_here = start <= at && at < end;
        else if (is_here && strncmp(line, "VmFlags:", 8) == 0)
            is = strstr(line, flag) != NULL;
    }
    fclose(file);
    CHECK(is >= 0);
    return is;
}

enum { BLOCKS = 4 };
static char *block[BLOCKS];

static void take(int i, size_t bytes)
{
    block[i] = malloc(bytes);
    CHECK(block[i] != NULL);
    fill(block[i], 1, 1);
    fill(block[i] + bytes - 1, 1, 1);
}

static void all_are(int blocks, const char *flag)
{
    for (int i = 0; i < blocks; i++)
        CHECK(is_advised(block[i], flag));
}

static void by_calls(void)
{
    CHECK(HmmSetOption(HMM_OPTION_HUGE_PAGES, 1) == 0);
    take(0, 100);
    take(1, 40 * MIB);
    char *others = sbrk(MIB);
    CHECK(others != (void *)-1);
    take(2, 64 * MIB);
    CHECK(is_advised(block[2], " hg"));

    CHECK(HmmSetOption(HMM_OPTION_HUGE_PAGES, 0) == 0);
    all_are(3, " nh");
    take(3, 80 * MIB);
    all_are(4, " nh");

    CHECK(HmmSetOption(HMM_OPTION_HUGE_PAGES, 1) == 0);
    all_are(4, " hg");
    CHECK(!is_advised(others + MIB / 2, " nh") && !is_advised(others + MIB / 2, " hg"));
}

/* Begins anew with no descriptor left to look into files by. */
static void begin_blind(char **argv)
{
    struct rlimit files;
    CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
    files.rlim_cur = 3;
    CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
    char *again[] = {argv[0], argv[1], "again", NULL};
    execv("/proc/self/exe", again);
    CHECK(!"this is not reached");
}

static void see_again(void)
{
    struct rlimit files;
    CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
    files.rlim_cur = files.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
}

int main(int argc, char **argv)
{
    CHECK(argc >= 2);
    int is_unknown = strcmp(argv[1], "unknown") == 0;
    if (is_unknown && argc == 2)
        begin_blind(argv);
    if (is_unknown)
        see_again();
    if (access("/sys/kernel/mm/transparent_hugepage/enabled", R_OK) != 0)
        return ok();
    if (strcmp(argv[1], "calls") == 0) {
        by_calls();
        return ok();
    }
    take(0, 100);
    take(1, 20 * MIB);
    take(2, 200 * MIB);
    all_are(3, " nh");
    return ok();
}
