// C++ thread_local objects: their destructors free, allocate, and make further ones; they run
// in an order of their own beside the heap's end of a thread.
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>
#include "check.h"

struct Late {
    std::vector<std::string> words;
    ~Late();
};

thread_local std::map<int, std::string> names;
thread_local Late late;

// First used while the thread ends: made then, and ended after that.
static std::unique_ptr<Late> &later()
{
    thread_local std::unique_ptr<Late> object;
    return object;
}

Late::~Late()
{
    // Allocates while the thread ends, in objects that end in turn.
    for (int i = 0; i < 100; i++)
        words.push_back(std::string(i * 50, 'w'));
    if (!later()) {
        later() = std::make_unique<Late>();
        later()->words = words;
    }
}

static void live(int n)
{
    for (int i = 0; i < 200; i++)
        names[i * n % 211] = std::string(i, 'n');
    late.words.assign(50, "word");
    std::string *gone = new std::string(1000, 'x');
    delete gone;
}

int main()
{
    for (int round = 0; round < 200; round++) {
        std::vector<std::thread> threads;
        for (int n = 1; n <= 4; n++)
            threads.emplace_back(live, n);
        for (auto &thread : threads)
            thread.join();
    }
    live(3);
    return ok();
}
