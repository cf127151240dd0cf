/* Huge pages are behind the heap if they were asked for; else behind blocks that fill much memory,
 * and then they count from the start.
 *
 * huge (0 | 1 | slabs | mixed | partly): what HMM_HUGE_PAGES was set to, or that it was not */
#include <malloc.h>
#include "phases.h"

/* Bytes of huge pages that the process has. */
static size_t huge(void)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    CHECK(file != NULL);
    char line[256];
    size_t kib = 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "AnonHugePages: %zu", &kib) == 1)
            break;
    fclose(file);
    return kib * KIB;
}

/* Whether the system has any, or in this setting of its. */
static int there_are_some(const char *setting)
{
    FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
    char text[100] = "";
    int read = file != NULL && fgets(text, sizeof text, file) != NULL;
    if (file != NULL)
        fclose(file);
    return read && (setting != NULL ? strstr(text, setting) != NULL : strstr(text, "[never]") == NULL);
}

/* Whether one is made here when asked for. */
static int can_collapse(void)
{
    char *p = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    char *unit = (char *)(((uintptr_t)p + 2 * MIB - 1) & ~(uintptr_t)(2 * MIB - 1));
    *unit = 1;
    int can = madvise(unit, 2 * MIB, 25 /* MADV_COLLAPSE */) == 0;
    munmap(p, 4 * MIB);
    return can;
}

/* Adds blocks of a few hundred bytes, which stay. */
static void small_blocks(size_t bytes)
{
    for (size_t size; bytes > 0; bytes -= size < bytes ? size : bytes) {
        size = 100 + next_random(&seed) % 900;
        CHECK(memset(malloc(size), 1, size) != NULL);
    }
}

/* Blocks that use little of the last page that they have for themselves leave none of a huge one unused. */
static void mixed(void)
{
    phases_begin();
    grow_to(400 * MIB, 1000, 100000);
    struct HmmStatistics s = stats();
    fprintf(stderr, "%zu MiB for %zu\n", s.resident / MIB, live_bytes / MIB);
    CHECK(s.resident <= live_bytes / 100 * 106);
    shrink_at_random(0);
}

/* Blocks of `size` bytes, `used` of them written, and small ones among them, hold little more than the pages of
 * the system's that are written, and `more` bytes. */
static void written_in_part(size_t size, size_t used, size_t more)
{
    size_t n = 256 * MIB / size, written = n * ((used + 4095) / 4096 * 4096) + n / 8 * 600;
    char **p = table(n * sizeof *p, 1);
    malloc_trim(0);
    size_t before = stats().resident, before_huge = huge();
    for (size_t i = 0; i < n; i++) {
        p[i] = malloc(size);
        CHECK(p[i] != NULL);
        memset(p[i], 1, used);
        if (i % 8 == 0)
            small_blocks(100);
    }
    size_t now = stats().resident - before, now_huge = huge() - before_huge;
    fprintf(stderr, "%zu of %zu: %zu MiB for %zu, huge %zu\n", used, size, now / MIB, written / MIB, now_huge / MIB);
    CHECK(now <= written / 100 * 110 + more);
    if (used == size && there_are_some("[madvise]") && can_collapse())
        CHECK(now_huge >= 2 * MIB);
    for (size_t i = 0; i < n; i++)
        free(p[i]);
    munmap(p, n * sizeof *p);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    if (strcmp(argv[1], "mixed") == 0) {
        mixed();
        return ok();
    }
    if (strcmp(argv[1], "partly") == 0) {
        written_in_part(64 * KIB, 3000, 0);
        written_in_part(16 * KIB, 1500, 0);
        written_in_part(8 * KIB, 2000, 0);
        written_in_part(16 * KIB, 16 * KIB, 0);
        /* What was filled vouches for eight huge pages that come after it. */
        written_in_part(32 * KIB, 1500, 16 * MIB);
        return ok();
    }
    int asked = strcmp(argv[1], "1") == 0 && there_are_some(NULL);
    size_t before = huge();
    if (strcmp(argv[1], "slabs") == 0) {
        small_blocks(8 * MIB);
        CHECK(huge() == before);
        small_blocks(64 * MIB);
        /* After one that takes the kernel long there is a pause: on a busy machine there may be few. */
        if (there_are_some("[madvise]") && can_collapse())
            CHECK(huge() - before >= 2 * MIB);
        struct HmmStatistics s = stats();
        /* Classes and tables take their part of it. */
        CHECK(s.resident <= s.held + 64 * KIB);
        CHECK(s.resident <= s.allocated + 8 * MIB);
    }
    size_t of_slabs = huge();
    char *small = malloc(20 * MIB);
    CHECK(small != NULL);
    fill(small, 20 * MIB, 1);
    CHECK(huge() == of_slabs);
    char *large = malloc(200 * MIB);
    CHECK(large != NULL);
    fill(large, 200 * MIB, 1);
    size_t now = huge() - of_slabs;
    fprintf(stderr, "%zu MiB of huge pages\n", now / MIB);
    CHECK(asked ? now >= 20 * MIB : now == 0);
    /* They count, and go back, like others. */
    free(large);
    CHECK(stats().resident <= 40 * MIB + stats().allocated);
    free(small);
    CHECK(HmmCheck() == 0);
    return ok();
}
