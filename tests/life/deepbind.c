/* Modules opened with RTLD_DEEPBIND free what the program allocated and the other way round. The
 * module opens one more, which is found by the module's search path: `dlopen` knows who calls.
 *
 * deepbind MODULE NAME */
#include <dlfcn.h>
#include "check.h"

static void *must_have(void *module, const char *name)
{
    void *found = dlsym(module, name);
    CHECK(found != NULL);
    return found;
}

static void exchange(void *module)
{
    void (*take)(void *) = (void (*)(void *))must_have(module, "take");
    void *(*give)(void *, size_t) = (void *(*)(void *, size_t))must_have(module, "give");
    uint64_t random = 3;
    for (int i = 0; i < 5000; i++) {
        size_t size = some_size(&random);
        char *p = malloc(size);
        CHECK(p != NULL);
        fill(p, size, 1);
        CHECK((p = give(p, size * 2)) != NULL && holds(p, size, 1));
        i % 2 ? take(p) : free(p);
        free(give(NULL, size));
        take(strdup("mine"));
    }
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    CHECK(dlopen("/nowhere.so", RTLD_NOW | RTLD_DEEPBIND) == NULL);
    CHECK(strstr(dlerror(), "/nowhere.so") != NULL);
    CHECK(dlopen(argv[2], RTLD_NOW) == NULL);
    for (int i = 0; i < 3; i++) {
        int flags = RTLD_NOW | RTLD_DEEPBIND;
        void *module = i % 2 ? dlmopen(LM_ID_BASE, argv[1], flags) : dlopen(argv[1], flags);
        CHECK(module != NULL);
        exchange(module);
        void *(*open_another)(const char *) = (void *(*)(const char *))must_have(module, "open_another");
        void *another = open_another(argv[2]);
        CHECK(another != NULL && another != module);
        exchange(another);
        CHECK(dlclose(another) == 0 && dlclose(module) == 0);
    }
    void *program = dlopen(NULL, RTLD_NOW);
    CHECK(program != NULL && dlclose(program) == 0);
    return ok();
}
