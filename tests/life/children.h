/* Children of forks at any moment, whose heaps are to be sound. */
#ifndef CHILDREN_H
#define CHILDREN_H

#include <sys/wait.h>
#include "check.h"

#pragma weak HmmCheck
int HmmCheck(void);

static void children_are_sound(int forks)
{
    for (int i = 0; i < rounds(forks); i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            CHECK(HmmCheck == NULL || HmmCheck() == 0);
            _exit(0);
        }
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
}

#endif
