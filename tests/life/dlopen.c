/* HMM as a library that a program loads, uses by its own names, and unloads, over and over;
 * in threads; and many copies of it side by side, each beside the others. */
#include <dlfcn.h>
#include <pthread.h>
#include "check.h"

struct hmm {
    void *handle;
    void *(*alloc)(size_t);
    void *(*resize)(void *, size_t);
    void (*free)(void *);
};

static struct hmm load(const char *file)
{
    struct hmm h = {.handle = dlopen(file, RTLD_NOW | RTLD_LOCAL)};
    if (!h.handle)
        fprintf(stderr, "%s\n", dlerror());
    CHECK(h.handle != NULL);
    h.alloc = (void *(*)(size_t))dlsym(h.handle, "HmmAlloc");
    h.resize = (void *(*)(void *, size_t))dlsym(h.handle, "HmmRealloc");
    h.free = (void (*)(void *))dlsym(h.handle, "HmmFree");
    CHECK(h.alloc && h.resize && h.free);
    return h;
}

static void use(const struct hmm *h, uint64_t seed)
{
    uint64_t random = seed;
    char *p[50] = {0};
    size_t size[50] = {0};
    for (int i = 0; i < 2000; i++) {
        size_t at = next_random(&random) % 50;
        CHECK(holds(p[at], size[at], (unsigned char)at));
        size[at] = some_size(&random);
        CHECK((p[at] = h->resize(p[at], size[at])) != NULL);
        fill(p[at], size[at], (unsigned char)at);
        /* libc's own heap goes on beside it. */
        free(malloc(size[at]));
    }
    for (int i = 0; i < 50; i++)
        h->free(p[i]);
}

static void *thread(void *arg)
{
    use(arg, 7);
    return NULL;
}

static const char *file;

/* Loads and uses the library; it is unloaded before the thread that used it ends. */
static void *outlives(void *unused)
{
    struct hmm h = load(file);
    use(&h, 8);
    dlclose(h.handle);
    return unused;
}

static void in_thread(void *(*what)(void *), void *arg)
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, what, arg) == 0);
    CHECK(pthread_join(t, NULL) == 0);
}

int main(int argc, char **argv)
{
    file = argv[1];
    size_t early = 0;
    for (int round = 0; round < 300; round++) {
        struct hmm h = load(argv[1 + round % 3]);
        use(&h, (uint64_t)round);
        if (round % 10 == 0)
            in_thread(thread, &h);
        dlclose(h.handle);
        if (round % 10 == 0)
            in_thread(outlives, NULL);
        if (round == 100)
            early = resident();
    }
    CHECK(resident() < early + 32 * MIB);

    struct hmm all[64];
    CHECK(argc <= 64);
    for (int i = 1; i < argc; i++)
        all[i] = load(argv[i]);
    for (int round = 0; round < 5; round++)
        for (int i = 1; i < argc; i++)
            use(&all[i], (uint64_t)i);
    for (int i = 1; i < argc; i++)
        in_thread(thread, &all[i]);
    for (int i = 1; i < argc; i++)
        dlclose(all[i].handle);
    return ok();
}
