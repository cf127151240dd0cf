/* All file descriptors are in use: the heap needs none. It grows, moves pages, gives back, and counts
 * itself through. */
#include <malloc.h>
#include <sys/resource.h>
#include "check.h"
#include "hmm.h"

#pragma weak HmmStats
#pragma weak HmmCheck

int main(void)
{
    struct rlimit few = {200, 200};
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    while (open("/dev/null", O_RDONLY) >= 0)
        ;
    CHECK(errno == EMFILE);
    char *p[20] = {0};
    for (int i = 0; i < 3000; i++) {
        char **at = &p[i % 20];
        CHECK((*at = realloc(*at, (size_t)(i % 37 + 1) * 300 * KIB)) != NULL);
        **at = 1;
    }
    HmmStatistics statistics;
    HmmStats(&statistics);
    CHECK(statistics.resident > 0 && statistics.mapped >= statistics.allocated);
    for (int i = 0; i < 20; i++)
        free(p[i]);
    malloc_trim(0);
    CHECK(HmmCheck() == 0);
    return ok();
}
