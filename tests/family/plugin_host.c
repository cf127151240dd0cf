/* A C program that keeps its plugins to themselves. Behind `all`, their handlers can be seen, and are each plugin's own. */
#include <dlfcn.h>
#include "check.h"

static void call(void *plugin, const char *name)
{
    void (*function)(void) = (void (*)(void))dlsym(plugin, name);
    CHECK(function != NULL);
    function();
}

int main(int argc, char **argv)
{
    void *plugins[8];
    CHECK(argc > 2 && argc < 8);
    int all = strcmp(argv[1], "all") == 0;
    for (int i = 2; i < argc; i++) {
        plugins[i] = dlopen(argv[i], RTLD_NOW | RTLD_LOCAL);
        if (!plugins[i])
            fprintf(stderr, "%s\n", dlerror());
        CHECK(plugins[i] != NULL);
        call(plugins[i], "throws_bad_alloc");
    }
    for (int i = 2; i < argc && all; i++)
        call(plugins[i], "installs_handler");
    for (int i = 2; i < argc && all; i++)
        call(plugins[i], "calls_handler");
    return ok();
}
