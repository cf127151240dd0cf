// A new-handler may throw when it can make no room; the nothrow forms of operator new let nothing
// of it out, and return null.
#include <new>
#include "check.h"

static int calls;

static void throws_bad_alloc()
{
    calls++;
    throw std::bad_alloc();
}

int main()
{
    volatile std::size_t huge = PTRDIFF_MAX;
    std::align_val_t a{64};
    std::set_new_handler(throws_bad_alloc);
    CHECK(::operator new(huge, std::nothrow) == nullptr);
    CHECK(::operator new[](huge, std::nothrow) == nullptr);
    CHECK(::operator new(huge, a, std::nothrow) == nullptr);
    CHECK(::operator new[](huge, a, std::nothrow) == nullptr);
    CHECK(calls == 4);
    return ok();
}
