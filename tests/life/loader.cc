// A thread calls `new[]`, the nothrow `new` and `delete[]` for the first time while the loader waits for it:
// a module's constructor, see `waiting_module.c`. And between a `dlopen` that fails and `dlerror`.
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <new>
#include "check.h"

extern "C" {
volatile int waiting;
pthread_t worker;
}

static void use_operators()
{
    char *p = OPAQUE(new char[100]);
    char *q = OPAQUE(new (std::nothrow) char[100]);
    CHECK(p != nullptr && q != nullptr);
    delete[] p;
    delete[] q;
    delete OPAQUE(new (std::nothrow) long);
}

static void *work(void *)
{
    while (!__atomic_load_n(&waiting, __ATOMIC_ACQUIRE))
        sched_yield();
    use_operators();
    return nullptr;
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    if (fork() == 0) {
        CHECK(dlopen("/no/such/module.so", RTLD_NOW) == nullptr);
        use_operators();
        const char *error = dlerror();
        CHECK(error != nullptr && strstr(error, "/no/such/module.so") != nullptr);
        _exit(0);
    }
    int status;
    CHECK(wait(&status) > 0 && status == 0);
    CHECK(pthread_create(&worker, nullptr, work, nullptr) == 0);
    CHECK(dlopen(argv[1], RTLD_NOW) != nullptr);
    return ok();
}
