/* A module with a heap of its own, for `unloaded.c` to load. */
#include "hmm.h"

int works(int n)
{
    char *kept[100];
    for (int i = 0; i < 100; i++) {
        kept[i] = HmmAlloc((size_t)(n + i * 97) % 5000 + 1);
        if (kept[i] == NULL)
            return 0;
        *kept[i] = (char)i;
    }
    for (int i = 0; i < 100; i++)
        HmmFree(kept[i]);
    /* The program's malloc is another, which moves the break: memory is had elsewhere. */
    HmmStatistics heap;
    HmmStats(&heap);
    return heap.brk_bytes == 0 && heap.reserve_bytes > 0;
}
