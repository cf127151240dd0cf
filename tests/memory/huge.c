/* Huge pages are behind the heap if they were asked for; else behind slabs alone, and only in a heap
 * that is not small.
 *
 * huge (0 | 1 | slabs): what HMM_HUGE_PAGES was set to, or that it was not */
#include <sys/utsname.h>
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

static int there_are_some(void)
{
    FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
    char text[100] = "";
    int read = file != NULL && fgets(text, sizeof text, file) != NULL;
    if (file != NULL)
        fclose(file);
    return read && strstr(text, "[never]") == NULL;
}

/* Whether pages are moved across mappings here: without, there are none unasked. */
static int across_mappings(void)
{
    struct utsname system;
    unsigned major, minor;
    return uname(&system) == 0 && sscanf(system.release, "%u.%u", &major, &minor) == 2
        && (major > 6 || (major == 6 && minor >= 17));
}

/* Adds blocks of a few hundred bytes, which stay. */
static void small_blocks(size_t bytes)
{
    for (size_t size; bytes > 0; bytes -= size < bytes ? size : bytes) {
        size = 100 + next_random(&seed) % 900;
        CHECK(memset(malloc(size), 1, size) != NULL);
    }
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    int asked = strcmp(argv[1], "1") == 0 && there_are_some();
    size_t before = huge();
    if (strcmp(argv[1], "slabs") == 0) {
        small_blocks(8 * MIB);
        CHECK(huge() == before);
        small_blocks(64 * MIB);
        CHECK(huge() - before >= (there_are_some() && across_mappings() ? 32 * MIB : 0));
        /* No more than was added to the heap last is there too early. */
        CHECK(stats().resident <= stats().held + 2 * MIB);
    }
    char *small = malloc(20 * MIB);
    CHECK(small != NULL);
    fill(small, 20 * MIB, 1);
    size_t of_slabs = huge();
    CHECK(of_slabs == before || strcmp(argv[1], "slabs") == 0);
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
