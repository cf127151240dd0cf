/* Where reports go when the program has moved its descriptors. "close": all beyond the three are closed,
 * and a file of its own takes what numbers there are; it must hold what the program wrote and nothing
 * else. "reopen": standard error is the file from now on, and a report is asked for. "both": so is standard
 * output, by the same descriptor, and a block is freed twice.
 *
 * reported (close | reopen | both) FILE */
#include <malloc.h>
#include "check.h"

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    free(malloc(100));
    if (strcmp(argv[1], "reopen") == 0) {
        CHECK(freopen(argv[2], "w", stderr) != NULL);
        malloc_stats();
        return ok();
    }
    if (strcmp(argv[1], "both") == 0) {
        char *p = malloc(100);
        int log = open(argv[2], O_RDWR);
        CHECK(dup2(log, 1) == 1 && dup2(log, 2) == 2 && write(1, "begun\n", 6) == 6);
        free(p);
        free(p);
        return 1;
    }
    for (int fd = 3; fd < 1000; fd++)
        close(fd);
    int fd = open(argv[2], O_RDWR);
    while (fd >= 0 && fd < 200)
        fd = dup(fd);
    CHECK(fd == 200 && write(fd, "mine\n", 5) == 5);
    return ok();
}
