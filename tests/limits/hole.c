/* The break as a loan: someone takes a piece of it between two of ours, ours goes back whole, then
 * theirs. What the heap grows into next begins inside the old hole. */
#include <malloc.h>
#include "check.h"

int main(void)
{
    char *kept = malloc(3 << 20);
    CHECK(kept != NULL);
    fill(kept, 3 << 20, 1);
    char *theirs = sbrk(100);
    CHECK(theirs != (void *)-1);
    void *ours[64];
    for (int i = 0; i < 64; i++)
        CHECK((ours[i] = malloc(1 << 20)) != NULL);
    for (int i = 0; i < 64; i++)
        free(ours[i]);
    malloc_trim(0);
    /* All of ours above theirs went back, but for what aligned it; now theirs goes, too. */
    char *end = sbrk(0);
    CHECK(end >= theirs + 100 && end - theirs <= 1 << 17);
    CHECK(sbrk(theirs - end) != (void *)-1);
    for (size_t n = 16; n <= (size_t)64 << 20; n *= 4) {
        char *p = malloc(n);
        CHECK(p != NULL);
        fill(p, n, 2);
    }
    CHECK(holds(kept, 3 << 20, 1));
    return ok();
}
