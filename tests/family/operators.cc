// All forms of operator new and delete, paired with each other in every way that C++ allows.
#include <malloc.h>
#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <vector>
#include "check.h"

using align = std::align_val_t;

static void whole(void *p, std::size_t size, std::size_t to)
{
    CHECK(p != nullptr);
    CHECK(is_aligned(p, to));
    CHECK(malloc_usable_size(p) >= size);
    fill(p, size, 1);
}

static void plain(std::size_t size)
{
    std::size_t to = size >= 16 ? 16 : 8;
    void *p[8];
    for (void *&one : p) {
        one = &one - p < 4 ? ::operator new(size) : ::operator new(size, std::nothrow);
        whole(one, size, to);
    }
    ::operator delete(p[0]);
    ::operator delete(p[1], size);
    ::operator delete(p[2], std::nothrow);
    ::operator delete(p[3]);
    ::operator delete(p[4]);
    ::operator delete(p[5], size);
    ::operator delete(p[6], std::nothrow);
    ::operator delete(p[7]);
    for (void *&one : p) {
        one = &one - p < 4 ? ::operator new[](size) : ::operator new[](size, std::nothrow);
        whole(one, size, to);
    }
    ::operator delete[](p[0]);
    ::operator delete[](p[1], size);
    ::operator delete[](p[2], std::nothrow);
    ::operator delete[](p[3]);
    ::operator delete[](p[4]);
    ::operator delete[](p[5], size);
    ::operator delete[](p[6], std::nothrow);
    ::operator delete[](p[7]);
}

static void aligned(std::size_t size, std::size_t to)
{
    align a{OPAQUE(to)};
    void *p[6];
    for (void *&one : p) {
        one = &one - p < 3 ? ::operator new(size, a) : ::operator new(size, a, std::nothrow);
        whole(one, size, to);
    }
    ::operator delete(p[0], a);
    ::operator delete(p[1], size, a);
    ::operator delete(p[2], a, std::nothrow);
    ::operator delete(p[3], a);
    ::operator delete(p[4], size, a);
    ::operator delete(p[5], a, std::nothrow);
    for (void *&one : p) {
        one = &one - p < 3 ? ::operator new[](size, a) : ::operator new[](size, a, std::nothrow);
        whole(one, size, to);
    }
    ::operator delete[](p[0], a);
    ::operator delete[](p[1], size, a);
    ::operator delete[](p[2], a, std::nothrow);
    ::operator delete[](p[3], a);
    ::operator delete[](p[4], size, a);
    ::operator delete[](p[5], a, std::nothrow);
}

struct alignas(256) Wide {
    char bytes[300];
};

struct Base {
    virtual ~Base() = default;
    std::string name = std::string(100, 'b');
};

struct Derived : Base {
    std::vector<std::string> many = std::vector<std::string>(50, std::string(70, 'd'));
    ~Derived() override { name.clear(); }
};

int main()
{
    ::operator delete(nullptr);
    ::operator delete[](nullptr);
    ::operator delete(nullptr, std::size_t{16});
    ::operator delete[](nullptr, std::size_t{16}, align{64});
    for (std::size_t size = 0; size <= 2 * MIB; size = size < 600 ? size + 1 : size * 5 / 4) {
        plain(size);
        for (std::size_t to = 1; to <= 64 * KIB; to *= 4)
            aligned(size, to);
    }
    for (int i = 0; i < 1000; i++) {
        auto wide = std::make_unique<Wide>();
        CHECK(is_aligned(wide.get(), 256));
        auto wides = std::make_unique<Wide[]>(i % 7 + 1);
        CHECK(is_aligned(wides.get(), 256));
        std::unique_ptr<Base> base = std::make_unique<Derived>();
        std::unique_ptr<Base[]> bases(new Base[i % 5]);
        auto shared = std::make_shared<Derived>();
        std::weak_ptr<Derived> weak = shared;
    }
    // libstdc++'s own uses: stable_sort asks for its buffer with nothrow, string and vector
    // free with a size.
    std::vector<std::string> words;
    for (int i = 0; i < 20000; i++)
        words.push_back(std::to_string(i * 7919 % 20011) + std::string(i % 60, 'x'));
    std::stable_sort(words.begin(), words.end());
    CHECK(std::is_sorted(words.begin(), words.end()));
    return ok();
}
