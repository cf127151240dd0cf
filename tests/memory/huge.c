/* Huge pages are behind the heap if they were asked for, and only then.
 *
 * huge (0 | 1): what HMM_HUGE_PAGES was set to */
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

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    int asked = strcmp(argv[1], "1") == 0 && there_are_some();
    size_t before = huge();
    char *small = malloc(20 * MIB);
    CHECK(small != NULL);
    fill(small, 20 * MIB, 1);
    CHECK(huge() == before);
    char *large = malloc(200 * MIB);
    CHECK(large != NULL);
    fill(large, 200 * MIB, 1);
    size_t now = huge() - before;
    fprintf(stderr, "%zu MiB of huge pages\n", now / MIB);
    CHECK(asked ? now >= 20 * MIB : now == 0);
    /* They count, and go back, like others. */
    free(large);
    CHECK(stats().resident <= 40 * MIB);
    free(small);
    CHECK(HmmCheck() == 0);
    return ok();
}
