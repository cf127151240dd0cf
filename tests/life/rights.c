/* A program that runs with more rights than its user has: settings from the environment are none.
 * The user asked for a limit of 1 MiB, and for a report at exit. */
#include <sys/auxv.h>
#include "check.h"

int main(void)
{
    if (!getauxval(AT_SECURE)) {
        puts("not secure");
        return 0;
    }
    for (int i = 0; i < 64; i++)
        fill(malloc(MIB), MIB, 1);
    return ok();
}
