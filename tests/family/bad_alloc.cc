// When memory ends, operator new calls the new-handler as long as there is one, then throws
// std::bad_alloc, which can be caught; the nothrow forms return null.
#include <sys/resource.h>
#include <cstdio>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>
#include "check.h"

static int calls;

static void gives_up()
{
    if (++calls == 3)
        std::set_new_handler(nullptr);
}

static void throws_other()
{
    calls++;
    throw std::runtime_error("from the handler");
}

struct More : std::bad_alloc {};

static void throws_more()
{
    calls++;
    throw More();
}

template <typename F> static bool throws(F f)
{
    try {
        f();
    } catch (const std::bad_alloc &e) {
        CHECK(std::string(e.what()).find("bad_alloc") != std::string::npos);
        return true;
    }
    return false;
}

static struct rlimit limit;
static void *released;

// The address space this process has taken.
static std::size_t taken()
{
    std::size_t pages = 0;
    FILE *file = std::fopen("/proc/self/statm", "r");
    CHECK(file && std::fscanf(file, "%zu", &pages) == 1);
    std::fclose(file);
    return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

static void allow(std::size_t bytes)
{
    limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

static void releases()
{
    calls++;
    allow(0);
    free(released);
    released = nullptr;
}

int main()
{
    volatile std::size_t huge = PTRDIFF_MAX, more = SIZE_MAX, wide = std::size_t{1} << 56;
    std::align_val_t a{64};
    for (std::size_t size : {std::size_t(huge), std::size_t(more), std::size_t(wide)}) {
        CHECK(throws([&] { ::operator new(size); }));
        CHECK(throws([&] { ::operator new[](size); }));
        CHECK(throws([&] { ::operator new(size, a); }));
        CHECK(throws([&] { ::operator new[](size, a); }));
        CHECK(::operator new(size, std::nothrow) == nullptr);
        CHECK(::operator new[](size, std::nothrow) == nullptr);
        CHECK(::operator new(size, a, std::nothrow) == nullptr);
        CHECK(::operator new[](size, a, std::nothrow) == nullptr);
        CHECK(::operator new(size, std::align_val_t{4096}, std::nothrow) == nullptr);
    }
    CHECK(throws([&] { std::vector<char> v(wide); }));
    CHECK(throws([&] { std::string s(wide, 'x'); }));

    // The handler is called until it gives up.
    std::set_new_handler(gives_up);
    CHECK(throws([&] { ::operator new(huge); }));
    CHECK(calls == 3);
    calls = 0;
    std::set_new_handler(gives_up);
    CHECK(::operator new[](huge, a, std::nothrow) == nullptr);
    CHECK(calls == 3);

    // What it throws passes through.
    calls = 0;
    std::set_new_handler(throws_other);
    try {
        ::operator new(huge);
        CHECK(!"returned");
    } catch (const std::runtime_error &) {
    }
    CHECK(calls == 1);
    std::set_new_handler(throws_more);
    try {
        ::operator new[](huge, a);
        CHECK(!"returned");
    } catch (const More &) {
    }
    CHECK(calls == 2);

    // malloc knows no new-handler.
    CHECK(malloc(huge) == nullptr && calls == 2);

    // A handler that makes room lets the request succeed.
    calls = 0;
    std::set_new_handler(releases);
    released = malloc(100);
    CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
    allow(taken() + 100 * MIB);
    void *p = ::operator new(OPAQUE(300 * MIB));
    CHECK(p != nullptr && calls == 1);
    ::operator delete(p);

    // Thrown and caught many times, with memory ended for true.
    std::set_new_handler(nullptr);
    allow(taken() + 64 * MIB);
    for (int i = 0; i < 5; i++) {
        std::vector<char *> all;
        all.reserve(10000);
        CHECK(throws([&] {
            for (;;)
                all.push_back(new char[100000]);
        }));
        CHECK(all.size() > 200);
        for (char *one : all)
            delete[] one;
    }
    return ok();
}
