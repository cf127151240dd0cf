/* A module that php might load: it is opened so that its own dependencies, libc first of all, come
 * before all else when its names are looked up. It takes and gives blocks, and opens another. */
#include <dlfcn.h>
#include <stdlib.h>

void take(void *block)
{
    free(block);
}

void *give(void *block, size_t size)
{
    return realloc(block, size);
}

/* Found in a folder that only this module's own search path names. */
void *open_another(const char *name)
{
    /* Not as the last thing done: the caller would be whoever called this. */
    void *volatile another = dlopen(name, RTLD_NOW | RTLD_DEEPBIND);
    return another;
}
