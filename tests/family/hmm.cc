// `hmm.h` from C++: the names link without mangling, and serve a container's allocator.
#include "hmm.h"
#include <map>
#include <string>
#include <vector>
#include "check.h"

template <typename T> struct OnHmm {
    using value_type = T;
    OnHmm() = default;
    template <typename U> OnHmm(const OnHmm<U> &) {}
    T *allocate(std::size_t n) { return static_cast<T *>(HmmAlignedAlloc(alignof(T), n * sizeof(T))); }
    void deallocate(T *p, std::size_t) { HmmFree(p); }
    template <typename U> bool operator==(const OnHmm<U> &) const { return true; }
    template <typename U> bool operator!=(const OnHmm<U> &) const { return false; }
};

int main()
{
    std::vector<int, OnHmm<int>> numbers;
    std::map<int, std::string, std::less<int>, OnHmm<std::pair<const int, std::string>>> names;
    for (int i = 0; i < 100000; i++) {
        numbers.push_back(i);
        if (i % 10 == 0)
            names[i * 7919 % 100003] = std::string(i % 100, 'n');
    }
    CHECK(numbers[99999] == 99999 && names.size() == 10000);
    void *p = HmmCalloc(10, 10);
    CHECK(p != nullptr && holds(p, 100, 0));
    CHECK(HmmUsableSize(p) >= 100);
    p = HmmRealloc(p, 1000);
    ::operator delete(p);
    HmmFree(::operator new(100));
    HmmStatistics stats;
    HmmStats(&stats);
    CHECK(stats.allocated > 400000);
    CHECK(HmmCheck() == 0);
    return ok();
}
