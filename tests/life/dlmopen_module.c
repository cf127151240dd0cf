/* A module that is loaded with a libc of its own, whose heap has to find memory beside ours. */
#include <stdlib.h>
#include <string.h>

int works(int rounds)
{
    char *kept[100] = {0};
    for (int i = 0; i < rounds; i++) {
        size_t size = (size_t)i * 7919 % 300000 + 1;
        char **p = &kept[i % 100];
        if ((*p = realloc(*p, size)) == NULL)
            return 1;
        memset(*p, i, size);
    }
    for (int i = 0; i < 100; i++)
        free(kept[i]);
    return 0;
}
