// A program that replaces operator new and delete, and leaves the other forms to the library: those go
// through its own, as [new.delete] says, and no block of its own comes to another allocator.
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>
#include "check.h"

// The compiler advises to define the sized forms, too. Many programs do not.
#pragma GCC diagnostic ignored "-Wsized-deallocation"

static int news, deletes, aligned_news, aligned_deletes;
static bool full;

alignas(4096) static char pool[64 * 1024];
static std::size_t used;

static void *from_pool(std::size_t size, std::size_t align)
{
    used = (used + align - 1) & ~(align - 1);
    void *p = pool + used;
    used += size + 1;
    CHECK(used <= sizeof pool);
    return p;
}

void *operator new(std::size_t size)
{
    news++;
    if (full)
        throw std::bad_alloc();
    return from_pool(size, 16);
}

void operator delete(void *p) noexcept
{
    deletes++;
    CHECK(p == nullptr || (p >= pool && p < pool + sizeof pool));
}

void *operator new(std::size_t size, std::align_val_t align)
{
    aligned_news++;
    if (full)
        throw std::bad_alloc();
    return from_pool(size, static_cast<std::size_t>(align));
}

void operator delete(void *p, std::align_val_t align) noexcept
{
    aligned_deletes++;
    CHECK(static_cast<std::size_t>(align) == 64);
    CHECK(p == nullptr || (p >= pool && p < pool + sizeof pool));
}

static void *taken(void *p)
{
    CHECK(p >= pool && p < pool + sizeof pool);
    return p;
}

int main()
{
    std::align_val_t to{64};
    std::size_t size = 40;

    // Each pair is one call of new and one of delete.
    ::operator delete(taken(::operator new(size)), size);
    ::operator delete[](taken(::operator new[](size)));
    ::operator delete[](taken(::operator new[](size)), size);
    ::operator delete(taken(::operator new(size, std::nothrow)), std::nothrow);
    ::operator delete[](taken(::operator new[](size, std::nothrow)), std::nothrow);
    CHECK(news == 5 && deletes == 5);

    ::operator delete(taken(::operator new(size, to)), size, to);
    ::operator delete[](taken(::operator new[](size, to)), to);
    ::operator delete[](taken(::operator new[](size, to)), size, to);
    ::operator delete(taken(::operator new(size, to, std::nothrow)), to, std::nothrow);
    ::operator delete[](taken(::operator new[](size, to, std::nothrow)), to, std::nothrow);
    CHECK(aligned_news == 5 && aligned_deletes == 5);

    // What the program's own throw, the nothrow forms turn into null.
    full = true;
    CHECK(::operator new(size, std::nothrow) == nullptr);
    CHECK(::operator new[](size, std::nothrow) == nullptr);
    CHECK(::operator new(size, to, std::nothrow) == nullptr);
    CHECK(::operator new[](size, to, std::nothrow) == nullptr);
    CHECK(news == 7 && aligned_news == 7);
    full = false;

    // libstdc++'s containers free with a size; malloc is HMM's all the same.
    {
        std::vector<std::string> words(20, std::string(50, 'x'));
        auto shared = std::make_shared<std::string>(words[3]);
        std::unique_ptr<int[]> array(new int[10]);
        std::free(std::malloc(100));
    }
    CHECK(news == deletes + 2);
    return ok();
}
