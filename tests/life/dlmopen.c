/* Namespaces of their own: each has another libc, whose heap is not ours. Both work side by side.
 *
 * dlmopen MODULE */
#include <dlfcn.h>
#include <pthread.h>
#include "check.h"

static void *works(void *arg)
{
    int (*module)(int) = (int (*)(int))arg;
    CHECK(module(3000) == 0);
    return NULL;
}

static void beside(uint64_t seed)
{
    uint64_t random = seed;
    char *kept[100] = {0};
    for (int i = 0; i < 3000; i++) {
        char **p = &kept[next_random(&random) % 100];
        CHECK((*p = realloc(*p, some_size(&random) * 4)) != NULL);
    }
    for (int i = 0; i < 100; i++)
        free(kept[i]);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    for (uint64_t i = 0; i < 10; i++) {
        void *module = dlmopen(LM_ID_NEWLM, argv[1], RTLD_NOW | (i % 2 ? RTLD_DEEPBIND : 0));
        CHECK(module != NULL);
        void *function = dlsym(module, "works");
        CHECK(function != NULL);
        works(function);
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, works, function) == 0);
        beside(i);
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK(dlclose(module) == 0);
        beside(i);
    }
    return ok();
}
