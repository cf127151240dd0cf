/* Forks when it is finalised, for `exit_forks.c`. */
#include <sys/wait.h>
#include "check.h"

enum { FORKS = 50 };

__attribute__((destructor)) static void last(void)
{
    for (int f = 0; f < FORKS; f++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(10);
            for (size_t n = 0; n < 200; n++) {
                char *p = malloc(100000 + n * 1000);
                CHECK(p != NULL);
                p[0] = 1;
                free(p);
            }
            for (int n = 0; n < 3000; n++)
                CHECK(malloc(500) != NULL);
            _exit(0);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    ok();
}
