#include <stdio.h>
#include <string.h>

#include "hmm.h"

int main(void)
{
    char *words = HmmAlloc(16);
    if (words == NULL)
        return 1;
    strcpy(words, "Hello");

    char *more = HmmRealloc(words, 1000); /* NULL would leave the old block alone */
    if (more == NULL) {
        HmmFree(words);
        return 1;
    }
    strcat(more, " from HMM");

    HmmStatistics heap;
    HmmStats(&heap);
    printf("%s: %zu bytes usable\n", more, HmmUsableSize(more));
    printf("the heap holds blocks: %s\n", heap.blocks > 0 ? "yes" : "no");

    HmmFree(more);
    printf("the heap is sound: %s\n", HmmCheck() == 0 ? "yes" : "no");
    return 0;
}
