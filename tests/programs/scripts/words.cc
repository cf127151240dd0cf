// Words of standard input, counted and sorted with much of what the C++ library has.
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

template <typename T> struct Tree {
    std::unique_ptr<Tree> left, right;
    T value;
    explicit Tree(T v) : value(std::move(v)) {}
    void add(T v) {
        auto &side = v < value ? left : right;
        if (side) side->add(std::move(v));
        else side = std::make_unique<Tree>(std::move(v));
    }
    int depth() const {
        return 1 + std::max(left ? left->depth() : 0, right ? right->depth() : 0);
    }
};

int main() {
    std::unordered_map<std::string, int> count;
    std::map<int, std::vector<std::string>> sorted;
    std::string word;
    auto tree = std::make_shared<Tree<std::string>>("m");
    while (std::cin >> word) {
        count[word]++;
        if (count.size() % 10 == 0) tree->add(word);
    }
    for (auto &[w, n] : count) sorted[n].push_back(w);
    for (auto &[n, words] : sorted) {
        std::sort(words.begin(), words.end(), std::greater<>());
        std::cout << n << ": " << words.size() << " " << words.front() << "\n";
    }
    std::regex odd("word[0-9]*[13579]");
    std::cout << tree->depth() << " "
              << std::count_if(count.begin(), count.end(),
                     [&](auto &entry) { return std::regex_match(entry.first, odd); })
              << "\n";
    try {
        std::cout << std::string().at(1);
    } catch (const std::out_of_range &) {
        std::cout << "out of range\n";
    }
}
