/* The break as a loan: someone takes a piece of it between two of ours, ours goes back whole, then
 * theirs. What the heap grows into next begins inside the old hole. */
#include <malloc.h>
#include "check.h"

/* Memory beyond what others took comes and goes back. */
static void come_and_go(void)
{
    void *ours[64];
    for (int i = 0; i < 64; i++)
        CHECK((ours[i] = malloc(MIB)) != NULL);
    for (int i = 0; i < 64; i++)
        free(ours[i]);
    malloc_trim(0);
}

/* Others take a piece of the break `times` times, and give all back at once. */
static void lend(int times)
{
    char *theirs = sbrk(0), *end = theirs;
    for (int i = 0; i < times; i++) {
        char *next = sbrk(100);
        CHECK(next != (void *)-1);
        come_and_go();
        /* All of ours above theirs went back, but for what aligned it; now theirs goes, too. */
        end = sbrk(0);
        CHECK(end >= next + 100 && end - next <= 1 << 17);
    }
    CHECK(sbrk(theirs - end) != (void *)-1);
}

int main(void)
{
    char *kept = malloc(3 * MIB);
    CHECK(kept != NULL);
    fill(kept, 3 * MIB, 1);
    for (int times = 1; times < 5; times++) {
        lend(times);
        for (size_t n = 16; n <= 64 * MIB; n *= 4) {
            char *p = malloc(n);
            CHECK(p != NULL);
            fill(p, n, 2);
            if (times < 4)
                free(p);
        }
        malloc_trim(0);
        CHECK(holds(kept, 3 * MIB, 1));
    }
    return ok();
}
