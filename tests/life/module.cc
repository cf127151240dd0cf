// A module with thread-local objects, one of them behind a pthread key, for `host.c` to load.
#include <pthread.h>
#include <cstdlib>
#include <string>
#include <vector>

struct Words {
    std::vector<std::string> list;
    ~Words()
    {
        list.clear();
        list.push_back(std::string(2000, 'x'));
    }
};

thread_local Words words;

static pthread_key_t key;

__attribute__((constructor)) static void loaded()
{
    pthread_key_create(&key, std::free);
}

__attribute__((destructor)) static void unloaded()
{
    pthread_key_delete(key);
}

extern "C" std::size_t work(int n)
{
    for (int i = 0; i < n; i++)
        words.list.push_back(std::string(i % 300, 'w'));
    std::free(pthread_getspecific(key));
    pthread_setspecific(key, std::malloc(5000));
    return words.list.size();
}
