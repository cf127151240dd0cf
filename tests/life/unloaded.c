/* Threads that used a module's heap end after the module was unloaded, and processes fork; it is loaded again.
 *
 * unloaded MODULE */
#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include "check.h"

enum { THREADS = 4 };

static int (*works)(int);
static pthread_barrier_t used, unloaded;

static void *uses(void *number)
{
    CHECK(works((int)(intptr_t)number));
    pthread_barrier_wait(&used);
    pthread_barrier_wait(&unloaded);
    return NULL;
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    for (int round = 0; round < 3; round++) {
        void *module = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
        if (module == NULL)
            puts(dlerror());
        CHECK(module != NULL);
        CHECK((works = (int (*)(int))(intptr_t)dlsym(module, "works")) != NULL);
        pthread_barrier_init(&used, NULL, THREADS + 1);
        pthread_barrier_init(&unloaded, NULL, THREADS + 1);
        pthread_t thread[THREADS];
        for (int t = 0; t < THREADS; t++)
            CHECK(pthread_create(&thread[t], NULL, uses, (void *)(intptr_t)t) == 0);
        pthread_barrier_wait(&used);
        CHECK(works(round));
        CHECK(dlclose(module) == 0);
        CHECK(dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD) == NULL);
        pthread_barrier_wait(&unloaded);
        for (int t = 0; t < THREADS; t++)
            CHECK(pthread_join(thread[t], NULL) == 0);
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        int status = -1;
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    }
    return ok();
}
