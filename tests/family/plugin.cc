// A plugin in C++ for `plugin_host.c`, a C program. Its runtime may be its own, and the program have none:
// it is the plugin's handler that is called, and what is thrown is caught in the plugin.
#include <sys/resource.h>
#include <exception>
#include <new>
#include "check.h"

static volatile std::size_t huge = PTRDIFF_MAX;
static const std::align_val_t line{64};

template <typename F> static bool throws(F f)
{
    try {
        f();
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

extern "C" void throws_bad_alloc()
{
    for (int i = 0; i < 3; i++) {
        CHECK(throws([] { ::operator new(huge); }));
        CHECK(throws([] { ::operator new[](huge); }));
        CHECK(throws([] { ::operator new(huge, line); }));
        CHECK(throws([] { ::operator new[](huge, line); }));
        CHECK(::operator new(huge, std::nothrow) == nullptr);
        CHECK(::operator new[](huge, line, std::nothrow) == nullptr);
    }
}

#ifdef POOL
// Somebody's own form, which HMM has replaced: it is not the one that stands for the runtime's.
alignas(64) static char pool[64];
void *operator new(std::size_t, const std::nothrow_t &) noexcept
{
    return pool;
}
#endif

static int calls;

static void gives_up()
{
    if (++calls == 3)
        std::set_new_handler(nullptr);
}

static void throws_other()
{
    calls++;
    throw 7;
}

static struct rlimit limit;

static void allows_all()
{
    calls++;
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

extern "C" void installs_handler()
{
    std::set_new_handler(gives_up);
}

extern "C" void calls_handler()
{
    CHECK(throws([] { ::operator new(huge); }));
    CHECK(calls == 3);

    // What it throws passes through, but through no nothrow form.
    calls = 0;
    std::set_new_handler(throws_other);
    try {
        ::operator new[](huge, line);
        CHECK(!"returned");
    } catch (int thrown) {
        CHECK(thrown == 7);
    }
    CHECK(::operator new(huge, std::nothrow) == nullptr);
    CHECK(::operator new[](huge, std::nothrow) == nullptr);
    CHECK(::operator new(huge, line, std::nothrow) == nullptr);
    CHECK(::operator new[](huge, line, std::nothrow) == nullptr);
    CHECK(calls == 5);
    CHECK(std::uncaught_exceptions() == 0);

    // With memory ended for true, where a success leaves errno alone.
    std::set_new_handler(allows_all);
    CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
    limit.rlim_cur = 1;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    calls = 0;
    errno = 5;
    void *p = ::operator new(OPAQUE(300 * MIB));
    CHECK(p != nullptr && calls == 1 && errno == 5);
    ::operator delete(p);
    std::set_new_handler(nullptr);
    limit.rlim_cur = 1;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(throws([] { for (;;) *static_cast<void *volatile *>(::operator new(10000)) = nullptr; }));
    allows_all();
}
