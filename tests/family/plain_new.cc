// A program that replaces plain operator new alone: the aligned forms do not go through it, whatever
// the alignment, also where memory ends and the nothrow forms ask libstdc++'s.
#include <cstdlib>
#include <new>
#include "check.h"

// The compiler advises to define the sized forms, too. Many programs do not.
#pragma GCC diagnostic ignored "-Wsized-deallocation"

static int news, calls;

void *operator new(std::size_t)
{
    news++;
    return std::malloc(16);
}

void operator delete(void *p) noexcept
{
    std::free(p);
}

static void throws_bad_alloc()
{
    calls++;
    throw std::bad_alloc();
}

int main()
{
    volatile std::size_t huge = PTRDIFF_MAX;
    std::set_new_handler(throws_bad_alloc);
    int asked = 0;
    for (std::size_t to = 1; to <= 64; to *= 2, asked += 2) {
        CHECK(::operator new(huge, std::align_val_t{to}, std::nothrow) == nullptr);
        CHECK(::operator new[](huge, std::align_val_t{to}, std::nothrow) == nullptr);
    }
    CHECK(news == 0 && calls == asked);
    delete new (std::nothrow) int;
    CHECK(news == 1);
    return ok();
}
