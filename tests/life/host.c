/* Loads a module in threads, works with it there, and closes it before they end: what the module
 * holds for a thread is freed when the thread ends, or when the module goes. */
#include <dlfcn.h>
#include <pthread.h>
#include "check.h"

static const char *file;

static void *live(void *arg)
{
    void *module = dlopen(file, RTLD_NOW);
    if (!module)
        fprintf(stderr, "%s\n", dlerror());
    CHECK(module != NULL);
    size_t (*work)(int) = (size_t (*)(int))dlsym(module, "work");
    CHECK(work != NULL);
    CHECK(work((int)(uintptr_t)arg) > 0);
    dlclose(module);
    free(malloc(100));
    return NULL;
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    file = argv[1];
    for (uintptr_t i = 0; i < 200; i++) {
        pthread_t thread[2];
        for (int t = 0; t < 2; t++)
            CHECK(pthread_create(&thread[t], NULL, live, (void *)(i + 1)) == 0);
        for (int t = 0; t < 2; t++)
            CHECK(pthread_join(thread[t], NULL) == 0);
    }
    live((void *)500);
    return ok();
}
