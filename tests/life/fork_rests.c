/* Forks beside a library that has its thread rest meanwhile: `fork_rests_library.c`. */
#include <sys/wait.h>
#include "check.h"

int main(void)
{
    for (int f = 0; f < 20; f++) {
        pid_t child = fork();
        CHECK(child >= 0);
        char *p = malloc(100);
        CHECK(p != NULL);
        free(p);
        if (child == 0)
            _exit(0);
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    return ok();
}
