#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "hmm.h"

// In a program linked with HMM, new and the containers need no word of it.
// What is made by HmmAlloc can be held by a smart pointer.
struct Free {
    void operator()(void *block) const { HmmFree(block); }
};

int main()
{
    std::vector<std::string> words;
    for (int n = 0; n < 10000; ++n)
        words.push_back("a word that is long enough for the heap, number " + std::to_string(n));

    std::unique_ptr<double[], Free> numbers(
        static_cast<double *>(HmmAlignedAlloc(64, 1000 * sizeof(double))));
    if (!numbers)
        return 1;

    HmmStatistics heap;
    HmmStats(&heap);
    std::cout << words.size() << " strings live on HMM: "
              << (heap.blocks > words.size() ? "yes" : "no") << '\n';
    return HmmCheck();
}
