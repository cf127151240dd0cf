/* Calls from before `main`: an array of functions that runs before all constructors, and
 * constructors of the first and last priority. What they allocate lives on. */
#include "check.h"

static char *from[3];

static void allocate(int which)
{
    from[which] = malloc(10000);
    if (from[which])
        fill(from[which], 10000, (unsigned char)(which + 1));
    free(realloc(calloc(10, 10), 5000));
}

static void before_all(void)
{
    allocate(0);
}

__attribute__((section(".preinit_array"), used)) static void (*preinit)(void) = before_all;

__attribute__((constructor(101))) static void first(void)
{
    allocate(1);
}

__attribute__((constructor)) static void last(void)
{
    allocate(2);
}

int main(void)
{
    for (int i = 0; i < 3; i++) {
        CHECK(from[i] != NULL && holds(from[i], 10000, (unsigned char)(i + 1)));
        free(from[i]);
    }
    return ok();
}
