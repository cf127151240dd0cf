/* All that the process may have is free inside the heap, and small blocks need a table of their
 * slots: it is made of that. */
#include <sys/resource.h>
#include "check.h"

enum { LIMIT = 100 * 1024 * 1024, SMALL = 48, MOST = LIMIT / 500 };

static char *block[MOST];

/* Takes blocks of `size` bytes until one is refused. Returns how many those are. */
static size_t exhaust(size_t size, char **into)
{
    size_t count = 0;
    char *p;
    while ((p = malloc(size)) != NULL) {
        fill(p, size, 1);
        if (into != NULL)
            into[count] = p;
        count++;
    }
    CHECK(errno == ENOMEM);
    return count;
}

static void free_at_random(size_t count, size_t size)
{
    uint64_t random = 1;
    for (; count > 0; count--) {
        size_t at = next_random(&random) % count;
        CHECK(holds(block[at], size, 1));
        free(block[at]);
        block[at] = block[count - 1];
    }
}

int main(void)
{
    struct rlimit limit = {LIMIT, LIMIT};
    CHECK(setrlimit(RLIMIT_DATA, &limit) == 0);
    for (size_t size = 500; size < 100 * 1000; size *= 6)
        free_at_random(exhaust(size, block), size);
    size_t bytes = exhaust(SMALL, NULL) * SMALL;
    if (bytes < LIMIT / 4 * 3)
        fprintf(stderr, "%zu bytes\n", bytes);
    CHECK(bytes >= LIMIT / 4 * 3);
    return ok();
}
